"""A request at the door, as it goes: times are noted, and told as spans once it is answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from relay.traces.catalogue import ACCEPT, COUNTS
from relay.traces.identity import (
    TRACEPARENT,
    Context,
    Sampler,
    below,
    read_traceparent,
    root_of,
)
from relay.traces.span import Moment, Span, Value, without_gaps

if TYPE_CHECKING:
    from relay.clock import Clock

#: Takes spans; never waits, and never raises.
Tell = Callable[[Iterable[Span]], None]


class Visit:
    """One request. It has a trace once it is `named`; one that never is was turned away before
    there was a receipt, and nothing is told of it."""

    __slots__ = (
        "_began", "_clock", "_counts", "_headers", "_request_id", "_root", "_sampler",
        "_since", "_size_bytes", "_source", "_steps", "_tell",
    )  # fmt: skip

    def __init__(
        self, headers: Mapping[str, str], clock: Clock, sampler: Sampler, tell: Tell
    ) -> None:
        self._headers = headers
        self._clock = clock
        self._sampler = sampler
        self._tell = tell
        self._since = clock.monotonic()
        self._began = Moment(clock.now(), self._since)
        self._source = self._request_id = ""
        self._size_bytes = 0
        self._steps: list[tuple[str, float, float]] = []
        self._counts: Mapping[str, int] = {}
        self._root: Context | None = None

    def enters(self, source: str, size_bytes: int) -> None:
        """Its body is there, and from now on steps count; `source` is configured."""
        self._source, self._size_bytes = source, size_bytes
        self._since = self._clock.monotonic()

    def passed(self, step: str) -> None:
        """The time since the last step, or since it entered, went into this one."""
        now = self._clock.monotonic()
        self._steps.append((step, self._since, now))
        self._since = now

    def named(self, request_id: str) -> bool:
        """Its receipts begin so; False where its trace is not sampled."""
        self._request_id = request_id
        root = root_of(f"http:{request_id}")
        if self._sampler.keeps(root.trace_id):
            self._root = root
        return self._root is not None

    def took(self, accepted: int, duplicates: int, ended: int, invalid: int) -> None:
        """So many of its events became this."""
        self._counts = dict(zip(COUNTS, (accepted, duplicates, ended, invalid), strict=False))

    def answered(self, status: int) -> None:
        """It is over: its sender was answered so."""
        if self._root is not None:
            self._tell(self._spans(self._root, status))

    def _spans(self, root: Context, status: int) -> Iterator[Span]:
        began, failed = self._began, status >= 500
        sender = read_traceparent(self._headers.get(TRACEPARENT))
        for step, start, end in self._steps:
            yield Span(step, below(root, step), began.ns(start), began.ns(end), {}, root)
        attributes: Mapping[str, Value | None] = {
            "relay.source": self._source,
            "relay.request_id": self._request_id,
            "http.request.body.size": self._size_bytes,
            "http.response.status_code": status,
            "error.type": str(status) if failed else None,
            **self._counts,
        }
        yield Span(
            ACCEPT,
            root,
            began.ns(began.monotonic),
            began.ns(self._clock.monotonic()),
            without_gaps(attributes),
            links=() if sender is None else (sender,),
            failed=failed,
        )
