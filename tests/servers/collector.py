"""A collector of traces: takes OTLP over HTTP, keeps every byte, and misbehaves when told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

KINDS = {1: "internal", 2: "server", 3: "client", 5: "consumer"}


class Heard(NamedTuple):
    """A span as it came; ids in hexadecimal, a span's links as (trace, span)."""

    name: str
    kind: str
    trace: str
    span: str
    parent: str
    start_ns: int
    end_ns: int
    attributes: dict[str, str | int]
    links: list[tuple[str, str]]
    failed: bool
    service: str


@dataclass
class Collector:
    """What came. `status` is what it answers, `rejects` how many spans of a request it says it did
    not take; while `holding` is not set it does not answer at all."""

    url: str = ""
    status: int = 200
    rejects: int = 0
    spans: list[Heard] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    requests: int = 0
    holding: asyncio.Event = field(default_factory=asyncio.Event)

    def named(self, name: str, trace: str | None = None) -> list[Heard]:
        """Spans of this name, of this trace or of all, as they began."""
        found = [each for each in self.spans if each.name == name and trace in (None, each.trace)]
        return sorted(found, key=lambda each: each.start_ns)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.requests += 1
        await self.holding.wait()
        answer = ExportTraceServiceResponse()
        if self.status == 200:
            self.bodies.append(body)
            self.headers.append({name.lower(): each for name, each in request.headers.items()})
            self.spans += spans_in(body)
            answer.partial_success.rejected_spans = self.rejects
        return web.Response(
            status=self.status,
            body=answer.SerializeToString(),
            content_type="application/x-protobuf",
        )


def spans_in(body: bytes) -> list[Heard]:
    found = []
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        names = {each.key: each.value.string_value for each in resource.resource.attributes}
        for scope in resource.scope_spans:
            found += [
                Heard(
                    each.name,
                    KINDS[each.kind],
                    each.trace_id.hex(),
                    each.span_id.hex(),
                    each.parent_span_id.hex(),
                    each.start_time_unix_nano,
                    each.end_time_unix_nano,
                    {one.key: one.value.string_value or one.value.int_value
                     for one in each.attributes},
                    [(one.trace_id.hex(), one.span_id.hex()) for one in each.links],
                    each.status.code == 2,
                    names["service.name"],
                )
                for each in scope.spans
            ]  # fmt: skip
    return found


@asynccontextmanager
async def collecting(port: int = 0) -> AsyncIterator[Collector]:
    """One that listens within the block."""
    collector = Collector()
    collector.holding.set()
    application = web.Application()
    application.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield collector
    finally:
        collector.holding.set()
        await runner.cleanup()
