"""Door records: arrivals that were settled at the door, many in one row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import orjson

from relay.model import Answer, Arrival, Refusal


class DoorRecord(NamedTuple):
    """An arrival that was settled at the door. `errors` holds [field, reason] pairs."""

    receipt: str
    source: str
    name: str | None
    event_id: str | None
    order_id: str | None
    event_time: int | None
    outcome: str
    reason: str
    errors: Sequence[Sequence[str]]

    @property
    def tokens(self) -> list[bytes]:
        """What it can be found by, beside its receipt."""
        return [token.encode() for token in {self.event_id, self.order_id} if token]


def of_arrival(arrival: Arrival, answer: Answer) -> DoorRecord:
    """`answer` has an outcome."""
    receipt, source, _, result = arrival
    errors = result.errors if isinstance(result, Refusal) else ()
    return DoorRecord(
        receipt, source, result.name, result.event_id, result.order_id, result.event_time,
        str(answer.outcome), str(answer.reason), [list(error) for error in errors],
    )  # fmt: skip


def pack(at: float, records: Sequence[DoorRecord]) -> bytes:
    return orjson.dumps([at, [list(record) for record in records]])


def unpack(value: bytes) -> tuple[float, list[DoorRecord]]:
    """When they came (Unix seconds), and the records. Raises ValueError when it is no such row."""
    try:
        at, records = orjson.loads(value)
        return at, [DoorRecord._make(record) for record in records]
    except TypeError as error:
        raise ValueError("not a row of door records") from error
