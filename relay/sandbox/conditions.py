"""When a fault fires: the conditions that all faults have, and the words of a plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

#: Gives the next random number in [0, 1).
Roll = Callable[[], float]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, le=1)]


class Seen(NamedTuple):
    """What a condition may ask of a request: its path, whose events it brings, and of which ad
    accounts it speaks."""

    path: str
    event_source_id: str | None
    advertiser_ids: Sequence[str] = ()


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Fault(Strict):
    """The conditions that every fault has; all must hold.

    `after_s` and `until_s` count from the moment the plan came into force; `skip` lets so many
    requests pass first and `count` ends the fault after so many, of those that fit the rest.
    """

    path: str = "*"
    event_source_ids: tuple[str, ...] | None = None
    advertiser_ids: tuple[str, ...] | None = None
    probability: Share = 1.0
    after_s: Seconds = 0.0
    until_s: Seconds | None = None
    skip: Annotated[int, Field(ge=0)] = 0
    count: PositiveInt | None = None

    def fits(self, seen: Seen, age_s: float) -> bool:
        """Is this a request, and a time, that the fault is about?"""
        return (
            self.after_s <= age_s
            and (self.until_s is None or age_s < self.until_s)
            and (self.path == "*" or fnmatchcase(seen.path, self.path))
            and (self.event_source_ids is None or seen.event_source_id in self.event_source_ids)
            and (
                self.advertiser_ids is None
                or not set(self.advertiser_ids).isdisjoint(seen.advertiser_ids)
            )
        )
