"""What `relay journal verify` finds, whatever the journal is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong: where, what, and whether events were lost by it."""

    place: str
    problem: str
    lost_entries: int = 0


@dataclass(frozen=True, slots=True)
class Verification:
    """How much was read, and what is wrong."""

    rows: int
    size_bytes: int
    findings: tuple[Finding, ...]
