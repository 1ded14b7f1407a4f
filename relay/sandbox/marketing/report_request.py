"""What a report is asked for, and what TikTok refuses about it. Pure.

The two texts "max time span is 30 days when use stat_time_day" and "Please correct the information
in invalid metric fields and try again. …" were seen; the others are modelled on them. Reports other
than BASIC, and dimensions that cut across the objects (country, event source), are not played.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from relay.sandbox.answers import Answer, Code, answer
from relay.sandbox.marketing.forms import Day, Form, Id, Name, Names, Paged, refused, words
from relay.sandbox.marketing.metrics import KNOWN, LEVELS, is_asked_rightly
from relay.sandbox.marketing.report_filters import Criteria, Filters, ReportFilter, criteria

#: The id that is the dimension of a level.
IDS: Final[Mapping[str, tuple[str, ...]]] = dict(
    zip(
        LEVELS,
        (("advertiser_id",), ("campaign_id",), ("adgroup_id",), ("ad_id", "ad_id_v2")),
        strict=True,
    )
)
_ALL_IDS: Final = frozenset(name for names in IDS.values() for name in names)
_TIMES: Final = frozenset({"stat_time_day", "stat_time_hour"})
_NOT_PLAYED: Final = words(
    "country_code ad_type custom_event_type event_source_id page_id component_name room_id post_id"
    " image_id video_material_id minis_id search_terms search_keyword match_type"
    " skan_postback_sequence"
)
_SPANS: Final = {"stat_time_day": 30, "stat_time_hour": 1}

Level = Literal["AUCTION_ADVERTISER", "AUCTION_CAMPAIGN", "AUCTION_ADGROUP", "AUCTION_AD"]


class ReportForm(Form):
    """What both kinds of reports are asked for."""

    json_fields: ClassVar = frozenset({"advertiser_ids", "dimensions", "metrics", "filtering"})
    advertiser_id: Id | None = None
    advertiser_ids: Annotated[tuple[Id, ...], Field(min_length=1, max_length=5)] | None = None
    report_type: Literal["BASIC", "AUDIENCE", "PLAYABLE_MATERIAL", "CATALOG", "BC", "TT_SHOP"]
    service_type: Literal["AUCTION"] = "AUCTION"
    data_level: Level | None = None
    dimensions: Names
    metrics: Names = ("spend", "impressions")
    start_date: Day | None = None
    end_date: Day | None = None
    query_lifetime: bool = False
    filtering: tuple[ReportFilter, ...] = ()
    order_field: Name | None = None
    order_type: Literal["ASC", "DESC"] = "DESC"

    def accounts(self) -> tuple[str, ...]:
        return self.advertiser_ids or ((self.advertiser_id,) if self.advertiser_id else ())

    @property
    def id_dimension(self) -> str | None:
        return next((name for name in self.dimensions if name in _ALL_IDS), None)

    @property
    def by(self) -> str | None:
        return next((name for name in self.dimensions if name in _TIMES), None)


class SyncForm(ReportForm, Paged):
    bc_id: Id | None = None
    enable_total_metrics: bool = False
    multi_adv_report_in_utc_time: bool = False
    query_mode: Literal["REGULAR"] = "REGULAR"


def refusal(
    form: ReportForm, filters: Filters, *, ranged: bool, extra: frozenset[str]
) -> Answer | None:
    """Why this report cannot be had. `ranged`: ranges of days are limited; `extra` are metrics that
    this stand-in is told to know, too."""
    problems = _problems(form, filters, ranged=ranged, extra=extra)
    return next(problems, None)


def _problems(
    form: ReportForm, filters: Filters, *, ranged: bool, extra: frozenset[str]
) -> Iterator[Answer]:
    if form.report_type != "BASIC":
        yield answer(Code.NOT_IMPL, f"report_type {form.report_type} is not played here.")
    if not form.accounts():
        yield refused("advertiser_id", "Missing data for required field.")
    if form.data_level is None:
        yield refused("data_level", "Missing data for required field.")
        return
    yield from _dimensions(form, form.data_level)
    yield from _dates(form, ranged=ranged)
    yield from _metrics(form, form.data_level, extra)
    found = criteria(form.filtering, form.data_level, filters)
    if isinstance(found, Answer):
        yield found
    if form.order_field is not None and form.order_field not in form.metrics:
        yield refused("order_field", f"Not a valid choice: {form.order_field[:40]}")


def _dimensions(form: ReportForm, level: str) -> Iterator[Answer]:
    ids = [name for name in form.dimensions if name in _ALL_IDS]
    times = [name for name in form.dimensions if name in _TIMES]
    for name in form.dimensions:
        if name in _NOT_PLAYED:
            yield answer(Code.NOT_IMPL, f"dimension {name} is not played here.")
        elif name not in _ALL_IDS | _TIMES:
            yield refused("dimensions", f"Not a valid choice: {name[:40]}")
    strange = [name for name in ids if name not in IDS[level]]
    if strange:
        yield refused("dimensions", f"{strange[0]} is not supported at data_level {level}.")
    if len(ids) > 1 or len(times) > 1:
        yield refused("dimensions", "At most one ID dimension and one time dimension.")


def _dates(form: ReportForm, *, ranged: bool) -> Iterator[Answer]:
    if form.query_lifetime:
        if form.by is not None:
            yield refused("dimensions", f"{form.by} is not supported with query_lifetime.")
        return
    for name, given in (("start_date", form.start_date), ("end_date", form.end_date)):
        if given is None:
            yield refused(name, "Missing data for required field.")
    if form.start_date is None or form.end_date is None:
        return
    days = (form.end_date - form.start_date).days + 1
    most = _SPANS.get(form.by or "", 365)
    if days < 1:
        yield refused("end_date", "Must not be before start_date.")
    if ranged and days > most:
        words = f"{most} day{'s' if most > 1 else ''}"
        when = f" when use {form.by}" if form.by else ""
        yield answer(Code.PARAM_ERROR, f"max time span is {words}{when}")


def _metrics(form: ReportForm, level: str, extra: frozenset[str]) -> Iterator[Answer]:
    day_wise = not form.query_lifetime and form.by == "stat_time_day"
    wrong = [
        name
        for name in form.metrics
        if name not in KNOWN | extra
        or not is_asked_rightly(
            name, level, by=form.by, with_id=form.id_dimension is not None, day_wise=day_wise
        )
    ]
    if wrong:
        yield answer(
            Code.PARAM_ERROR,
            "Please correct the information in invalid metric fields and try again. "
            f"Invalid metric fields: {wrong}. ",
        )


def criteria_of(form: ReportForm, filters: Filters) -> Criteria:
    """What objects are meant, of a form that is not refused."""
    found = criteria(form.filtering, form.data_level or LEVELS[0], filters)
    return Criteria() if isinstance(found, Answer) else found


def days_of(form: ReportForm, born: date, today: date) -> tuple[date, date]:
    """The first and the last day; of a lifetime, from the day the account was `born`."""
    if form.query_lifetime or form.start_date is None or form.end_date is None:
        return min(born, today), today
    return form.start_date, form.end_date
