"""Which trace a receipt belongs to, and whether that is sampled."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Final, NamedTuple

_TRACE_BYTES: Final = 16
_SPAN_BYTES: Final = 8


def _begun(kind: bytes) -> blake2b:
    """To be copied, which is cheaper than making one anew: it is done for every entry."""
    return blake2b(kind, digest_size=_TRACE_BYTES + _SPAN_BYTES, person=b"relay traces")


_RECEIPT: Final = _begun(b"receipt ")
_ATTEMPT: Final = _begun(b"attempt ")
_BATCH: Final = _begun(b"batch ")

#: The low 56 bits of a trace id are its randomness (W3C Trace Context Level 2, "random-trace-id").
_RANDOMNESS: Final = 2**56

#: What stands between a receipt's place and, where one message or line gave several, its index.
_PLACE_ENDS: Final = {"kafka": "@", "import": "/"}

#: The header that names a sender's span.
TRACEPARENT: Final = "traceparent"

#: Version 00 (W3C Trace Context, 3.2.2); of a later one the first four fields are the same.
_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-[!-~]*)?"
)


class Context(NamedTuple):
    """A span: its trace, and itself within it. Neither is ever 0."""

    trace_id: int
    span_id: int

    @property
    def trace(self) -> str:
        """The trace's id as collectors show it."""
        return f"{self.trace_id:032x}"


def request_of(receipt: str) -> str:
    """The part of a receipt that all events of one request, message or line have in common."""
    mark = _PLACE_ENDS.get(receipt.partition(":")[0])
    if mark is None:
        return receipt.rpartition("/")[0] or receipt
    head, found, place = receipt.rpartition(mark)
    return head + found + place.partition(".")[0]


def root_of(request: str) -> Context:
    """The span that the trace of a request begins with; `request` is what `request_of` returns."""
    return _derived(_RECEIPT, request)


def attempt_of(destination: str, attempt_id: str) -> Context:
    """The span of an attempt, in a trace of its own."""
    return _derived(_ATTEMPT, f"{destination}/{attempt_id}")


def batch_of(first_receipt: str) -> Context:
    """The span of a batch of messages, named by its first, in a trace of its own."""
    return _derived(_BATCH, first_receipt)


def below(root: Context, name: str) -> Context:
    """A span below the first one of a trace; `name` tells it from the others there."""
    seed = b"%x %b" % (root.span_id, name.encode())
    return Context(root.trace_id, _number(blake2b(seed, digest_size=_SPAN_BYTES).digest()))


class Sampler:
    """Keeps a `ratio` (0 to 1) of all traces, by their ids: whoever asks keeps the same ones, and
    what one ratio keeps a higher one keeps, too.

    Which end of the randomness is kept is OpenTelemetry's rule, so that a collector which samples
    further by it keeps whole traces ("TraceState: Probability Sampling").
    """

    def __init__(self, ratio: float) -> None:
        self._least = math.ceil((1.0 - ratio) * _RANDOMNESS)

    def keeps(self, trace_id: int) -> bool:
        return trace_id % _RANDOMNESS >= self._least

    def root_of(self, request: str) -> Context | None:
        """As the function of this name; None where the trace is not kept."""
        root = root_of(request)
        return root if self.keeps(root.trace_id) else None

    def trace_of(self, receipt: str) -> str | None:
        """The trace of a receipt as collectors show it; None where it is not kept."""
        root = self.root_of(request_of(receipt))
        return None if root is None else root.trace

    def roots_of(self, receipts: Iterable[str]) -> Iterator[Context | None]:
        """The same for each receipt; those of one request mostly stand together."""
        last, root = None, None
        for receipt in receipts:
            request = request_of(receipt)
            if request != last:
                last, root = request, self.root_of(request)
            yield root


def read_traceparent(value: str | None) -> Context | None:
    """A sender's own span; None where the header is missing or is none."""
    found = _TRACEPARENT.fullmatch(value) if value is not None else None
    if found is None or (value is not None and value[:2] == "00" and found[3]):
        return None
    return Context(int(found[1], 16), int(found[2], 16))


def _derived(kind: blake2b, name: str) -> Context:
    """`surrogatepass`: a receipt that was damaged is somebody's trace as well."""
    hasher = kind.copy()
    hasher.update(name.encode("utf-8", "surrogatepass"))
    digest = hasher.digest()
    return Context(_number(digest[:_TRACE_BYTES]), _number(digest[_TRACE_BYTES:]))


def _number(digest: bytes) -> int:
    return int.from_bytes(digest) or 1
