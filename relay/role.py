"""What a process of the relay does: everything, or one half of it."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """`ingest` accepts and stores, `deliver` reads that and sends; they meet in topics."""

    ALL = "all"
    INGEST = "ingest"
    DELIVER = "deliver"

    @property
    def ingests(self) -> bool:
        return self is not Role.DELIVER

    @property
    def delivers(self) -> bool:
        return self is not Role.INGEST
