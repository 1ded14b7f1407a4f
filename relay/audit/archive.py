"""Reports that were made, kept as notes in the journal's store, for all who share it.

audit/reports/2026-11-22T06:00:00Z   the whole document of a run
audit/latest                         when the last run was, and what Prometheus gets of it
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import orjson

from relay.audit.document import document
from relay.audit.findings import Audit
from relay.audit.gauges import Gauge, figures
from relay.journal.protocol import Notes
from relay.telemetry.catalogue import AUDIT_GAUGES

_REPORTS: Final = "audit/reports/"
_LATEST: Final = "audit/latest"
_METRICS: Final = {metric.name: metric for metric in AUDIT_GAUGES}


@dataclass(frozen=True, slots=True)
class Latest:
    """The last run, whoever made it: when its facts were gathered, and its figures."""

    made_at: float
    gauges: Sequence[Gauge]


async def keep(notes: Notes, audits: Sequence[Audit], *, version: str, most: int) -> Latest:
    """Keep the report of a run, and of earlier ones the newest `most`."""
    latest = Latest(max(each.facts.now for each in audits), list(figures(audits)))
    said = orjson.dumps(document(audits, version=version, made_at=latest.made_at))
    await notes.put_note(_key(latest.made_at), said)
    await notes.put_note(_LATEST, _packed(latest))
    kept = [key async for key, _ in notes.notes(_REPORTS)]
    if len(kept) > most:
        await notes.drop_notes(_REPORTS, kept[-most])
    return latest


async def latest(notes: Notes) -> Latest | None:
    """The last run; None where there was none, or another release made it."""
    async for key, value in notes.notes(_LATEST):
        if key == _LATEST:
            return _unpacked(value)
    return None


async def last_report(notes: Notes) -> bytes | None:
    """The newest document as JSON; None where there is none."""
    found = await latest(notes)
    if found is not None:
        async for _, value in notes.notes(_key(found.made_at)):
            return value
    return None


def _key(made_at: float) -> str:
    return f"{_REPORTS}{datetime.fromtimestamp(made_at, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _packed(latest: Latest) -> bytes:
    rows = [(each.metric.name, each.labels, each.value) for each in latest.gauges]
    return orjson.dumps({"made_at": latest.made_at, "gauges": rows})


def _unpacked(value: bytes) -> Latest | None:
    try:
        said = orjson.loads(value)
        return Latest(float(said["made_at"]), list(_gauges(said["gauges"])))
    except (ValueError, TypeError, KeyError):
        return None


def _gauges(rows: Iterable[tuple[str, list[str], float]]) -> Iterable[Gauge]:
    for name, labels, value in rows:
        metric = _METRICS.get(name)
        if metric is not None and len(labels) == len(metric.labels):
            yield Gauge(metric, tuple(labels), float(value))
