"""A message's place."""

from __future__ import annotations

from typing import NamedTuple


class Spot(NamedTuple):
    """Where a message is, over all topics."""

    destination: str
    partition: int
    offset: int
