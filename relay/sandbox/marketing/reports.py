"""Reports at once: `/report/integrated/get/`. Pure.

A report is made when its first page is asked for, and kept for the pages that follow, so that they
are of one moment and cost nothing; what is kept is bounded in bytes.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from relay.sandbox.answers import Answer, Code, answer, done
from relay.sandbox.marketing.door import REPORTS, Asked, reads
from relay.sandbox.marketing.forms import refused
from relay.sandbox.marketing.metrics import ATTRIBUTES, Number, value
from relay.sandbox.marketing.paging import page_of
from relay.sandbox.marketing.report_filters import SYNC
from relay.sandbox.marketing.report_request import SyncForm, criteria_of, refusal
from relay.sandbox.marketing.report_rows import Line, Source, add, lines, objects, totals
from relay.sandbox.marketing.shelf import Sheet
from relay.sandbox.world import Handled

_THROTTLE: Final = "The number of ids exceeds 20k, only return the top 20k id's results"


def _integrated(asked: Asked[SyncForm]) -> Answer | Handled:
    form = asked.form
    refused_ = _refusal(asked)
    if refused_ is not None:
        return refused_
    sheet = _sheet(asked)
    rows, info = page_of(asked, sheet.rows, form)
    data: dict[str, Any] = {"list": [orjson.Fragment(row) for row in rows], "page_info": info}
    if form.enable_total_metrics:
        data["total_metrics"] = sheet.total
    if not sheet.is_cut:
        return done(data)
    return Handled(
        done(data),
        headers={"X-Tt-Ads-Throttle": _THROTTLE},
        extra_info={"search_ads_throttle": _THROTTLE},
    )


def _refusal(asked: Asked[SyncForm]) -> Answer | None:
    form = asked.form
    extra = asked.world.settings.marketing.extra_metrics
    found = refusal(form, SYNC, ranged=True, extra=extra)
    if found is not None:
        return found
    if form.multi_adv_report_in_utc_time and form.advertiser_ids is None:
        return refused("multi_adv_report_in_utc_time", "Only with advertiser_ids.")
    if form.multi_adv_report_in_utc_time:
        return answer(Code.NOT_IMPL, "multi_adv_report_in_utc_time is not played here.")
    if form.enable_total_metrics and form.by == "stat_time_hour":
        return refused("enable_total_metrics", "Not supported with stat_time_hour.")
    return None


def _sheet(asked: Asked[SyncForm]) -> Sheet:
    shelf, form = asked.world.desk.reports, asked.form
    key = form.model_dump_json(exclude={"page", "page_size"}).encode()
    kept = shelf.find(key, asked.now) if form.page > 1 else None
    if kept is not None:
        return kept
    made = _made(asked)
    shelf.put(key, made)
    return made


def _made(asked: Asked[SyncForm]) -> Sheet:
    form = asked.form
    most = asked.world.settings.marketing.most_ids
    meant = criteria_of(form, SYNC)
    source = Source(asked.ads, form, meant, asked.now, "STATUS_NOT_DELETE", most)
    cuts = {each: objects(source, asked.ads.advertisers[each]) for each in form.accounts()}
    total: dict[str, Number] = {}
    ordered: list[tuple[Any, bytes]] = []
    for line in lines(source, cuts):
        if form.enable_total_metrics:
            add(total, line.counted)
        ordered.append((_key(form, line), _json(form, line)))
    _sort(ordered, form)
    rows = [row for _key_, row in ordered]
    is_cut = any(cut.is_cut for cut in cuts.values())
    return Sheet(rows, totals(form, total), is_cut, asked.now)


def _key(form: SyncForm, line: Line) -> tuple[Any, ...]:
    order = form.order_field
    if order is None:
        return (len(line.id), line.id, line.at)
    if order in ATTRIBUTES:
        return (0, line.metrics[form.metrics.index(order)])
    number = value(order, line.counted)
    return (0 if number is None else 1, 0 if number is None else number)


def _sort(ordered: list[tuple[Any, bytes]], form: SyncForm) -> None:
    """The newest id first, and the oldest day; or by the metric that was asked for."""
    if form.order_field is None:
        ordered.sort(key=lambda each: each[0][2])
        ordered.sort(key=lambda each: each[0][:2], reverse=True)
    else:
        ordered.sort(key=lambda each: each[0], reverse=form.order_type == "DESC")


def _json(form: SyncForm, line: Line) -> bytes:
    return orjson.dumps(
        {
            "dimensions": dict(zip(form.dimensions, line.dimensions, strict=True)),
            "metrics": dict(zip(form.metrics, line.metrics, strict=True)),
        }
    )


ROUTES: Final = (reads("/report/integrated/get/", SyncForm, _integrated, REPORTS),)
