"""What became of a request's events, one word each, over all their destinations. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from relay.ingest.protocol import InvalidItem, Taken
from relay.model import Answer, Arrival, FieldIssue, Outcome, Reason, Refusal

#: An event with several destinations counts as the first of these that one of them gave it.
_RANK: dict[Outcome | None, int] = {
    None: 0,
    Outcome.DUPLICATE: 1,
    Outcome.WITHHELD: 2,
    Outcome.EXPIRED: 2,
    Outcome.INVALID: 3,
}


def sum_up(
    request_id: str, total: int, arrivals: Sequence[Arrival], answers: Sequence[Answer]
) -> Taken:
    """`arrivals` are in the order of the request's events; a receipt ends in the event's index."""
    if not any(answer.outcome for answer in answers):
        return Taken(request_id, total, total)
    ranks: dict[str, int] = {}
    refused: dict[str, list[Refusal]] = {}
    for arrival, answer in zip(arrivals, answers, strict=True):
        rank = _RANK.get(answer.outcome, 3)
        ranks[arrival.receipt] = min(rank, ranks.get(arrival.receipt, rank))
        if isinstance(arrival.result, Refusal):
            refused.setdefault(arrival.receipt, []).append(arrival.result)
    counts = [0, 0, 0, 0]
    invalid = []
    for receipt, rank in ranks.items():
        counts[rank] += 1
        if rank == 3:
            invalid.append(_invalid(receipt, refused[receipt]))
    return Taken(request_id, total, counts[0], counts[1], counts[2], invalid)


def _issue(reason: Reason) -> FieldIssue:
    """For a refusal of the event as a whole: the field that decided it, where there is one."""
    return FieldIssue("event_time" if reason is Reason.FUTURE else "", reason.value)


def _invalid(receipt: str, refusals: Sequence[Refusal]) -> InvalidItem:
    errors: dict[FieldIssue, None] = {}
    for refusal in refusals:
        errors.update(dict.fromkeys(refusal.errors or (_issue(refusal.reason),)))
    index = int(receipt.rpartition("/")[2])
    return InvalidItem(index, refusals[0].event_id, list(errors))
