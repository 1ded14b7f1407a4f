"""Scenarios, rehearsed and audited: what the tests ask about. Runs in processes of its own."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from relay.audit.findings import Audit
from relay.sandbox.ads.scenarios import SCENARIOS, Planting
from tests.audit.rehearsal import audited, rehearse

#: Fewer events than a shop has, where a planting does not say how many.
SMALL: Final[Mapping[str, Any]] = {"relayed": ("Purchase",), "browsers_per_day": 10.0}


@contextmanager
def journal_folder() -> Iterator[Path]:
    """In memory where there is a place for it: nothing here is about the disk."""
    memory = Path("/dev/shm")  # noqa: S108  # a folder of its own is made in it
    place = memory if os.access(memory, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="rehearsal-", dir=place))
    try:
        yield folder / "journal"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Staged:
    """What came of a planting: the audit, and what was true."""

    audit: Audit


def stage(check: str, kind: str, seed: int = 11) -> Staged:
    scenario = SCENARIOS[check]
    planting = scenario.planted if kind == "planted" else scenario.harmless
    return asyncio.run(staged(planting, seed))


async def staged(planting: Planting, seed: int) -> Staged:
    season = planting.season(**{"seed": seed, **SMALL})
    *_, last = season.days(planting.days)
    with journal_folder() as folder:
        rehearsal = await rehearse([season], folder, until=last.end, faults=planting.sandbox)
        (audit,) = await audited(rehearsal)
    return Staged(replace(audit, facts=replace(audit.facts, samples=())))
