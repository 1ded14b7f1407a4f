"""What a report is asked for. A request that TikTok would refuse is refused when it is made."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

import orjson

from relay.management.errors import RequestInvalid
from relay.management.query import an_id
from relay.management.reports.metrics import METRICS, By, Level, Metric, MetricKind, mend_of

#: TikTok's advice for one request.
MOST_METRICS: Final = 100
#: Ids that one task may be given.
MOST_TASK_IDS: Final = 20_000
#: The longest time that a report at once may have without days.
MOST_DAYS: Final = 365

#: The id of a level, its filter by ids, and the filter that lets deleted ones in.
_ID: Final = {
    Level.ACCOUNT: "advertiser_id",
    Level.CAMPAIGN: "campaign_id",
    Level.ADGROUP: "adgroup_id",
    Level.AD: "ad_id",
}
_STATUS: Final = {
    Level.CAMPAIGN: "campaign_status",
    Level.ADGROUP: "adgroup_status",
    Level.AD: "ad_status",
}


class Way(StrEnum):
    """How a report is read."""

    AUTO = "auto"  # the client chooses by size, and says so
    SYNC = "sync"  # pages, at once
    TASK = "task"  # TikTok makes a file in the background


class Output(StrEnum):
    """How the file of a task comes."""

    URL = "CSV_DOWNLOAD"  # from an address that holds for an hour
    TEXT = "CSV_STRING"  # as the answer itself


@dataclass(frozen=True)
class ReportRequest:
    """Rows of one level of one account, for days of the account's zone, `first` and `last`
    included.

    `ids` are of the level's objects; `campaign_ids` narrow ad groups and ads down. `unlisted` are
    metrics that this client does not know. `as_smart_plus_ads` counts upgraded Smart+ campaigns by
    ad (`ad_id_v2`) instead of by creative. `totals` asks for TikTok's own sums. Raises
    `RequestInvalid`.
    """

    advertiser_id: str
    level: Level
    metrics: tuple[str, ...]
    first: date
    last: date
    by: By = By.DAY
    ids: tuple[str, ...] = ()
    campaign_ids: tuple[str, ...] = ()
    include_deleted: bool = True
    unlisted: tuple[str, ...] = ()
    as_smart_plus_ads: bool = False
    totals: bool = False
    way: Way = Way.AUTO
    output: Output = Output.URL

    def __post_init__(self) -> None:
        an_id("advertiser_id", self.advertiser_id)
        for name in ("ids", "campaign_ids"):
            for each in getattr(self, name):
                an_id(name, each)
        if self.last < self.first:
            raise RequestInvalid("last", "is before `first`", "Exchange the two days.")
        self._check_metrics()
        self._check_filters()
        self._check_size()

    @property
    def at_once_only(self) -> tuple[str, ...]:
        """Metrics that no task can give."""
        return tuple(metric.name for metric in self.columns if metric.at_once)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def id_dimension(self) -> str:
        return "ad_id_v2" if self.as_smart_plus_ads else _ID[self.level]

    @property
    def dimensions(self) -> list[str]:
        return [self.id_dimension, *([] if self.by is By.NONE else [self.by.value])]

    @cached_property
    def columns(self) -> tuple[Metric, ...]:
        """The metrics with what is known of them, in the order of the request."""
        listed = [METRICS[name] for name in dict.fromkeys(self.metrics)]
        return (*listed, *(Metric(name, MetricKind.UNKNOWN) for name in self.unlisted))

    @property
    def id_filter(self) -> str:
        """What `ids` are called in a filter."""
        return "ad_ids_v2" if self.as_smart_plus_ads else f"{_ID[self.level]}s"

    @property
    def status_filter(self) -> str | None:
        """The filter of this level that lets deleted objects in; accounts are complete anyway."""
        return _STATUS.get(self.level) if self.include_deleted else None

    def digest(self) -> str:
        """The same for the same rows, whichever way they come."""
        asked: dict[str, Any] = {
            "advertiser_id": self.advertiser_id,
            "level": self.level,
            "dimensions": self.dimensions,
            "metrics": [metric.name for metric in self.columns],
            "days": [self.first, self.last],
            "ids": sorted(self.ids),
            "campaign_ids": sorted(self.campaign_ids),
            "include_deleted": self.include_deleted,
        }
        return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def _check_metrics(self) -> None:
        if not self.metrics and not self.unlisted:
            raise RequestInvalid("metrics", "is empty", 'Ask for ("spend", "impressions").')
        if len({*self.metrics, *self.unlisted}) > MOST_METRICS:
            raise RequestInvalid("metrics", "are more than 100", "Ask twice, for half of them.")
        for name in self.metrics:
            metric = METRICS.get(name)
            if metric is None:
                raise RequestInvalid("metrics", f"TikTok has no `{name}`", mend_of(name))
            if self.level not in metric.levels:
                levels = ", ".join(level.name for level in metric.levels)
                raise RequestInvalid(
                    "metrics", f"`{name}` is not there at level {self.level.name}", f"At: {levels}."
                )
            if self.by not in metric.only_by:
                spans = ", ".join(by.name for by in metric.only_by)
                raise RequestInvalid(
                    "metrics", f"`{name}` cannot be had by {self.by.name}", f"By: {spans}."
                )

    def _check_filters(self) -> None:
        if self.as_smart_plus_ads and self.level is not Level.AD:
            raise RequestInvalid("as_smart_plus_ads", "is for ads", "Ask for Level.AD.")
        if self.level is Level.ACCOUNT and (self.ids or self.campaign_ids):
            raise RequestInvalid(
                "ids", "cannot narrow an account down", "Ask for Level.CAMPAIGN, or leave them out."
            )
        if self.level is Level.CAMPAIGN and self.campaign_ids:
            raise RequestInvalid("campaign_ids", "are the ids of this level", "Give them as `ids`.")
        if self.totals and self.by is By.HOUR:
            raise RequestInvalid("totals", "cannot be had by HOUR", "Ask by DAY.")

    def _check_size(self) -> None:
        if max(len(self.ids), len(self.campaign_ids)) > MOST_TASK_IDS:
            raise RequestInvalid("ids", "are more than 20,000", "Ask in parts, or without ids.")
        if self.way is Way.TASK and self.at_once_only:
            problem = f"`{self.at_once_only[0]}` cannot be had of a task"
            raise RequestInvalid("metrics", problem, "Leave it out, or ask with Way.SYNC.")
        at_once = self.way is Way.SYNC or self.at_once_only
        if at_once and self.by is By.NONE and self.days > MOST_DAYS:
            raise RequestInvalid(
                "last", "is more than 365 days after `first`", "Ask by DAY, or with Way.TASK."
            )


def last_days(today: date, days: int) -> tuple[date, date]:
    """The `days` whole days before `today`, both in the account's zone."""
    return today - timedelta(days=days), today - timedelta(days=1)
