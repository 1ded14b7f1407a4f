"""What came of entries: an attempt as TikTok saw it, and in the trace of each sampled request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import nsmallest

from relay.model import Attempt, Entry, Outcome, Reason, Settlement
from relay.traces.arriving import MAX_TRACES
from relay.traces.catalogue import ANSWER, DELIVER, EXPIRE
from relay.traces.identity import Context, Sampler, attempt_of, below
from relay.traces.span import Span, Value, ns, without_gaps

#: What a verdict is called when there is nothing to look for.
_GOOD = "delivered"

#: How entries of one request ended together; None: they wait for another attempt.
_End = tuple[Outcome, Reason] | None


def of_attempt(
    sampler: Sampler,
    attempt: Attempt,
    entries: Sequence[Entry],
    settlements: Sequence[Settlement],
) -> Iterator[Span]:
    """Spans of an attempt that is recorded; `settlements` are how it ended some of its `entries`.
    None where no trace of theirs is sampled."""
    roots = _roots(sampler, entries)
    if not roots:
        return
    told = nsmallest(MAX_TRACES, set(roots.values()))
    start_ns, end_ns = ns(attempt.started_at), ns(attempt.started_at + attempt.seconds)
    failed = attempt.verdict != _GOOD
    itself = attempt_of(attempt.destination, attempt.attempt_id)
    said = {**_about(attempt), **_answer_of(attempt)}
    attributes = {
        **said,
        "relay.events": attempt.events,
        "relay.sampled": len(set(roots.values())),
        "http.request.body.size": attempt.size_bytes,
    }
    yield Span(DELIVER, itself, start_ns, end_ns, attributes, links=told, failed=failed)
    for (root, end), events in _ends(roots, frozenset(told), settlements).items():
        good = end is not None and end[0] is Outcome.DELIVERED
        attributes = {**said, **_words(end), "relay.events": events}
        if good:  # what was wrong with others of the attempt is none of theirs
            attributes.pop("error.type", None)
        span = below(root, f"{attempt.destination} {attempt.attempt_id} {end}")
        yield Span(ANSWER, span, start_ns, end_ns, attributes, root, (itself,), failed=not good)


def of_expiry(
    sampler: Sampler, destination: str, entries: Sequence[Entry], reason: Reason, at: float
) -> Iterator[Span]:
    """Spans of entries that grew too old, of those whose trace is sampled."""
    roots = _roots(sampler, entries)
    for root in nsmallest(MAX_TRACES, set(roots.values())):
        attributes = {
            **_words((Outcome.EXPIRED, reason)),
            "relay.destination": destination,
            "relay.events": sum(each == root for each in roots.values()),
        }
        span = below(root, f"{destination} {reason} {at}")
        yield Span(EXPIRE, span, ns(at), ns(at), attributes, root, failed=True)


def _roots(sampler: Sampler, entries: Sequence[Entry]) -> dict[int, Context]:
    """The sampled traces, by the entries' seq."""
    roots = sampler.roots_of(entry.receipt for entry in entries)
    return {entry.seq: root for entry, root in zip(entries, roots, strict=True) if root is not None}


def _ends(
    roots: dict[int, Context], told: frozenset[Context], settlements: Sequence[Settlement]
) -> dict[tuple[Context, _End], int]:
    """How many entries of each trace ended how."""
    ends: dict[int, _End] = {}
    for settled, outcome, reason in settlements:
        ends.update({entry.seq: (outcome, reason) for entry in settled if entry.seq in roots})
    counts: dict[tuple[Context, _End], int] = {}
    for seq, root in roots.items():
        if root in told:
            key = (root, ends.get(seq))
            counts[key] = counts.get(key, 0) + 1
    return counts


def _about(attempt: Attempt) -> dict[str, Value]:
    return {
        "relay.destination": attempt.destination,
        "relay.attempt.id": attempt.attempt_id,
        "relay.attempt.number": attempt.number,
    }


def _answer_of(attempt: Attempt) -> dict[str, Value]:
    """TikTok's message stays out: it may quote what was sent."""
    error = attempt.error or (attempt.verdict if attempt.verdict != _GOOD else None)
    return dict(
        without_gaps(
            {
                "relay.verdict": attempt.verdict,
                "http.response.status_code": attempt.status,
                "tiktok.code": attempt.code,
                "tiktok.request_id": attempt.request_id,
                "error.type": error,
            }
        )
    )


def _words(end: _End) -> dict[str, Value]:
    if end is None:
        return {}
    outcome, reason = end
    return {"relay.outcome": outcome.value, "relay.reason": reason.value}
