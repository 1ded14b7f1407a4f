"""TikTok's own diagnosis of ad groups, of `/tool/diagnosis/get/`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from relay.management.fields import Record

#: Lists of suggestions, and the issue category of each.
CATEGORIES: Final = {
    "creative": "CREATIVE",
    "bid_and_budget": "BID_AND_BUDGET",
    "event_track": "EVENT_TRACK",
}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`issue` is TikTok's word: `PIXEL` in EVENT_TRACK says that the pixel was silent for 7
    days."""

    adgroup_id: str
    adgroup_name: str
    category: str
    suggestion_id: str | None
    issue: str
    pixel_id: str | None
    pixel_code: str | None
    suggested_at: datetime | None


def read_suggestions(record: Record) -> Iterator[Suggestion]:
    """Of one ad group."""
    adgroup_id, name = record.id("adgroup_id"), record.text("adgroup_name")
    diagnosis = record.record("diagnosis")
    for lists in diagnosis.records("suggestions") if diagnosis else ():
        for field, category in CATEGORIES.items():
            for each in lists.records(field):
                yield _suggestion(adgroup_id, name, category, each)


def _suggestion(adgroup_id: str, name: str, category: str, record: Record) -> Suggestion:
    return Suggestion(
        adgroup_id=adgroup_id,
        adgroup_name=name,
        category=category,
        suggestion_id=record.id_or_none("suggestion_id"),
        issue=record.text("issue_suggestion"),
        pixel_id=record.id_or_none("pixel_id"),
        pixel_code=record.text_or_none("pixel_code"),
        suggested_at=record.moment("suggestion_time"),
    )
