"""What `relay report` is asked for: days, metrics, and the request that they make. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from relay.cli.asking import in_options
from relay.errors import ConfigError, Mistake
from relay.management import By, Level, ReportRequest, Way
from relay.management.errors import RequestInvalid
from relay.management.reports.metrics import METRICS, Metric
from relay.management.reports.request import last_days

LEVELS: Final = {
    "account": Level.ACCOUNT,
    "campaign": Level.CAMPAIGN,
    "adgroup": Level.ADGROUP,
    "ad": Level.AD,
}
BYS: Final = {"day": By.DAY, "hour": By.HOUR, "none": By.NONE}
WAYS: Final = {None: Way.AUTO, True: Way.SYNC, False: Way.TASK}

#: What is asked for where nobody says: what it cost, what came of it, what that was worth.
_NUMBERS: Final = (
    "spend",
    "impressions",
    "clicks",
    "conversion",
    "cost_per_conversion",
    "complete_payment",
    "total_complete_payment_rate",
    "complete_payment_roas",
)
_NAMES: Final = {
    Level.ACCOUNT: (),
    Level.CAMPAIGN: ("campaign_name",),
    Level.ADGROUP: ("campaign_name", "adgroup_name"),
    Level.AD: ("campaign_name", "adgroup_name", "ad_name"),
}

_DEFAULT_DAYS: Final = 7
_MOST_DAYS: Final = 3_660

_since = re.compile(r"([1-9][0-9]{0,3})([dw])").fullmatch


@dataclass(frozen=True, slots=True)
class Days:
    """Which days are meant, before it is known which day an account has. Dates are `YYYY-MM-DD`,
    `today` or `yesterday`."""

    since: str | None = None
    first: str | None = None
    last: str | None = None

    def within(self, today: date) -> tuple[date, date]:
        """The first and the last day, both included; `today` is the account's. `since` are whole
        days, so they end yesterday. Raises `ConfigError`."""
        if self.since is not None:
            if self.first is not None or self.last is not None:
                raise _mistake("--since", "stands beside --from or --to", "Keep one of them")
            return last_days(today, _days(self.since))
        if self.first is None:
            if self.last is not None:
                raise _mistake("--from", "missing: --to has no beginning", "Add --from DATE")
            return last_days(today, _DEFAULT_DAYS)
        first = _day("--from", self.first, today)
        last = today if self.last is None else _day("--to", self.last, today)
        if last < first:
            raise _mistake("--to", "is before --from", "Exchange the two")
        if (last - first).days >= _MOST_DAYS:
            raise _mistake("--from", "is more than ten years before --to", "Ask for less")
        return first, last


def _days(text: str) -> int:
    found = _since(text.strip())
    if found is None:
        raise _mistake("--since", "is no number of days", "Write 7d, 30d or 12w")
    return int(found[1]) * (7 if found[2] == "w" else 1)


def _day(option: str, text: str, today: date) -> date:
    words = {"today": today, "yesterday": today - timedelta(days=1)}
    if text in words:
        return words[text]
    try:
        return date.fromisoformat(text)
    except ValueError:
        mend = "Write 2026-11-01, `today` or `yesterday`"
        raise _mistake(option, "is no day", mend) from None


def _mistake(option: str, problem: str, mend: str) -> ConfigError:
    return ConfigError([Mistake(option, problem, mend)])


@dataclass(frozen=True, slots=True)
class Query:
    """What every account is asked for. Names of metrics that this program does not know are in
    `unlisted`."""

    level: Level
    by: By
    days: Days
    metrics: tuple[str, ...]
    unlisted: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()
    include_deleted: bool = True
    way: Way = Way.AUTO

    def check(self, today: date) -> ReportRequest:
        """A request like those that will be sent; `today` is that of UTC, and somewhere it is
        tomorrow. Raises `ConfigError` for what no account can be asked for."""
        return self.request("1", today + timedelta(days=1))

    def request(self, advertiser_id: str, today: date) -> ReportRequest:
        """The request for one account. Raises `ConfigError`."""
        first, last = self.days.within(today)
        try:
            return ReportRequest(
                advertiser_id,
                self.level,
                self.metrics,
                first,
                last,
                by=self.by,
                ids=self.ids,
                campaign_ids=self.campaigns,
                include_deleted=self.include_deleted,
                unlisted=self.unlisted,
                way=self.way,
            )
        except RequestInvalid as invalid:
            raise in_options(invalid) from None


def metrics_of(text: str | None, level: Level) -> tuple[str, ...]:
    """The names in `a,b`; where there are none, a good beginning."""
    if text is None:
        return _NAMES[level] + _NUMBERS
    return listed(text)


def listed(text: str | None) -> tuple[str, ...]:
    """The parts of `a,b`, without blanks."""
    return tuple(part for each in (text or "").split(",") if (part := each.strip()))


def ids_of(texts: Sequence[str] | None) -> tuple[str, ...]:
    """Ids, given one by one or with commas."""
    return tuple(part for text in texts or () for part in listed(text))


def metrics_at(level: Level | None) -> list[Metric]:
    """The metrics that a level has, or all."""
    return [each for each in METRICS.values() if level is None or level in each.levels]
