"""A span as OpenTelemetry's SDK takes it, with nothing in it that the catalogue does not list."""

from __future__ import annotations

from typing import Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from relay.traces.catalogue import SPANS, Kind
from relay.traces.identity import Context
from relay.traces.span import Span

#: No text is longer; what is may be somebody's data in the wrong place.
MAX_VALUE: Final = 200

_KINDS: Final = {
    Kind.INTERNAL: SpanKind.INTERNAL,
    Kind.SERVER: SpanKind.SERVER,
    Kind.CLIENT: SpanKind.CLIENT,
    Kind.CONSUMER: SpanKind.CONSUMER,
}

_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_GOOD: Final = Status(StatusCode.UNSET)
_FAILED: Final = Status(StatusCode.ERROR)


def resource_of(service_name: str, version: str, instance: str) -> Resource:
    """Who speaks. Not `Resource.create`, which adds what the environment says."""
    return Resource(
        {
            "service.name": service_name,
            "service.version": version,
            "service.instance.id": instance,
            "telemetry.sdk.name": "opentelemetry",
            "telemetry.sdk.language": "python",
        }
    )


def readable(span: Span, resource: Resource, scope: InstrumentationScope) -> ReadableSpan:
    """Made as a whole: a tracer of the SDK would choose ids, the time and the sampling itself."""
    shape = SPANS[span.name]
    attributes = {
        name: "(too long)" if isinstance(value, str) and len(value) > MAX_VALUE else value
        for name, value in span.attributes.items()
        if name in shape.attributes
    }
    return ReadableSpan(
        name=span.name,
        context=_context(span.context),
        parent=None if span.parent is None else _context(span.parent),
        resource=resource,
        attributes=attributes,
        links=[Link(_context(each)) for each in span.links],
        kind=_KINDS[shape.kind],
        status=_FAILED if span.failed else _GOOD,
        start_time=span.start_ns,
        end_time=max(span.start_ns, span.end_ns),
        instrumentation_scope=scope,
    )


def _context(context: Context) -> SpanContext:
    return SpanContext(*context, is_remote=False, trace_flags=_SAMPLED)
