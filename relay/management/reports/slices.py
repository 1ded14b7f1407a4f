"""A request, cut to what TikTok takes at once, and narrowed after a time-out. Pure.

30 days by day, one by hour (code 40002 says so), 365 without. 100 ids in a filter, 30 where they
are of campaigns. Sums of a whole time cannot be cut by days: their parts would not be the rows that
were asked for. Source: TikTok, "Run a synchronous report" (1740302848100353) and its practice
against time-outs (1738864817670145): a request that timed out is never repeated as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

import orjson

from relay.management.query import MOST_IDS, in_parts
from relay.management.reports.metrics import By, Level
from relay.management.reports.request import ReportRequest

_MOST_DAYS: Final = {By.DAY: 30, By.HOUR: 1, By.NONE: 365}
MOST_CAMPAIGNS: Final = 30


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a request; `ids` and `campaign_ids` are filters, empty where there is none."""

    first: date
    last: date
    ids: tuple[str, ...] = ()
    campaign_ids: tuple[str, ...] = ()


def slices_of(request: ReportRequest) -> list[Slice]:
    """The request in parts that TikTok takes, the oldest days first."""
    return [
        Slice(first, last, tuple(ids), tuple(campaigns))
        for first, last in _spans(request)
        for ids in in_parts(request.ids, _most(request)) or [[]]
        for campaigns in in_parts(request.campaign_ids, MOST_CAMPAIGNS) or [[]]
    ]


def whole(request: ReportRequest) -> Slice:
    """The request in one piece, for a task."""
    return Slice(request.first, request.last, request.ids, request.campaign_ids)


def within_a_year(part: Slice) -> Slice:
    """Its last days, as many as one request may have without days."""
    return replace(part, first=max(part.first, part.last - timedelta(days=_MOST_DAYS[By.NONE] - 1)))


def _most(request: ReportRequest) -> int:
    return MOST_CAMPAIGNS if request.level is Level.CAMPAIGN else MOST_IDS


def _spans(request: ReportRequest) -> Iterator[tuple[date, date]]:
    step, first = timedelta(days=_MOST_DAYS[request.by]), request.first
    while first <= request.last:
        last = min(request.last, first + step - timedelta(days=1))
        yield first, last
        first = last + timedelta(days=1)


def narrowed(part: Slice, request: ReportRequest, campaigns: Sequence[str] | None) -> list[Slice]:
    """Smaller parts of one that timed out; none when it cannot be cut further.

    Days first, then campaigns: `campaigns` are all of the account, None where nobody knows them yet
    (see `wants_campaigns`).
    """
    if request.by is not By.NONE and part.first < part.last:
        middle = part.first + (part.last - part.first) // 2
        return [
            replace(part, last=middle),
            replace(part, first=middle + timedelta(days=1)),
        ]
    if part.ids or part.campaign_ids:
        by_ids = [replace(part, ids=half) for half in _halves(part.ids)]
        return by_ids or [replace(part, campaign_ids=half) for half in _halves(part.campaign_ids)]
    some = [tuple(each) for each in in_parts(campaigns or (), MOST_CAMPAIGNS)]
    if request.level is Level.CAMPAIGN:
        return [replace(part, ids=each) for each in some]
    return [replace(part, campaign_ids=each) for each in some]


def wants_campaigns(part: Slice, request: ReportRequest) -> bool:
    """Whether the ids of all campaigns would help to narrow this down."""
    by_days = request.by is not By.NONE and part.first < part.last
    return not (by_days or part.ids or part.campaign_ids or request.level is Level.ACCOUNT)


def _halves(ids: tuple[str, ...]) -> list[tuple[str, ...]]:
    middle = len(ids) // 2
    return [ids[:middle], ids[middle:]] if middle else []


def filtering(request: ReportRequest, part: Slice, *, with_status: bool) -> list[dict[str, str]]:
    """The filters: `filter_value` is a text that holds JSON."""
    found = []
    if with_status and request.status_filter:
        found.append((request.status_filter, ["STATUS_ALL"]))
    if part.ids:
        found.append((request.id_filter, list(part.ids)))
    if part.campaign_ids:
        found.append(("campaign_ids", list(part.campaign_ids)))
    return [
        {"field_name": name, "filter_type": "IN", "filter_value": orjson.dumps(values).decode()}
        for name, values in found
    ]


def page_params(request: ReportRequest, part: Slice) -> dict[str, Any]:
    """The query of `/report/integrated/get/`, but for the page."""
    return {
        **_basics(request, part),
        "service_type": "AUCTION",
        "filtering": filtering(request, part, with_status=True) or None,
        "enable_total_metrics": True if request.totals else None,
    }


def count_params(request: ReportRequest, part: Slice) -> dict[str, Any]:
    """The query that counts the objects of a report: without days, the least of rows."""
    return {
        **page_params(request, part),
        "dimensions": [request.id_dimension],
        "metrics": ["spend"],
        "enable_total_metrics": None,
        "page": 1,
        "page_size": 1,
    }


def task_params(request: ReportRequest, part: Slice) -> dict[str, Any]:
    """The body of `/report/task/create/`: no status can be asked for there."""
    return {
        **_basics(request, part),
        "filtering": filtering(request, part, with_status=False) or None,
        "output_format": request.output.value,
        "file_name": f"relay_{request.digest()[:16]}",
        # Otherwise the columns have titles in somebody's language.
        "enable_report_title_translation": False,
    }


def _basics(request: ReportRequest, part: Slice) -> dict[str, Any]:
    return {
        "advertiser_id": request.advertiser_id,
        "report_type": "BASIC",
        "data_level": request.level.value,
        "dimensions": request.dimensions,
        "metrics": [metric.name for metric in request.columns],
        "start_date": part.first.isoformat(),
        "end_date": part.last.isoformat(),
    }
