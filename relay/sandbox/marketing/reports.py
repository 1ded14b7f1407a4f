"""Reports at once: `/report/integrated/get/`. Pure.

A report is made when its first page is asked for, and kept for the pages that follow, so that they
are of one moment and cost nothing; what is kept is bounded in bytes.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

import orjson

from relay.sandbox.answers import Answer, Code, answer, done
from relay.sandbox.marketing.door import REPORTS, Asked, reads
from relay.sandbox.marketing.forms import refused
from relay.sandbox.marketing.metrics import ATTRIBUTES, Number, parts, value
from relay.sandbox.marketing.paging import by_newest, page_of
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
    may_be_old = form.page > 1 or asked.world.settings.marketing.repeats_reports
    kept = shelf.find(key, asked.now) if may_be_old else None
    if kept is not None:
        return kept
    made = _made(asked)
    shelf.put(key, made)
    return made


def _made(asked: Asked[SyncForm]) -> Sheet:
    form = asked.form
    most = asked.world.settings.marketing.most_ids
    meant = criteria_of(form, SYNC)
    source = Source(asked.ads, form, meant, asked.now, "STATUS_NOT_DELETE", most, _escaped)
    cuts = {each: objects(source, asked.ads.advertisers[each]) for each in form.accounts()}
    total: dict[str, Number] = {}
    needed = parts(form.metrics) if form.enable_total_metrics else ()
    template, order = _template(form), form.order_field
    groups: dict[Any, list[bytes]] = defaultdict(list)
    for line in lines(source, cuts):
        if needed:
            add(total, line.counted, needed)
        key = line.id if order is None else _key(form, order, line)
        groups[key].append((template % tuple(line.texts)).encode())
    is_cut = any(cut.is_cut for cut in cuts.values())
    return Sheet(_ordered(groups, form), totals(form, total), is_cut, asked.now)


def _ordered(groups: dict[Any, list[bytes]], form: SyncForm) -> list[bytes]:
    """The newest id first, and the oldest day; or by the metric that was asked for.

    Rows of one id are alike up to their time, so that their bytes are in its order.
    """
    if form.order_field is not None:
        keys = sorted(groups, reverse=form.order_type == "DESC")
    elif form.id_dimension is not None:
        keys = by_newest(groups)
    else:
        keys = sorted(groups)
    return [row for key in keys for row in sorted(groups[key])]


def _key(form: SyncForm, order: str, line: Line) -> tuple[int, Any]:
    if order in ATTRIBUTES:
        return (0, line.texts[len(form.dimensions) + form.metrics.index(order)])
    number = value(order, line.counted)
    return (0 if number is None else 1, 0 if number is None else number)


def _template(form: SyncForm) -> str:
    """A row as JSON, with a place for each text."""
    dimensions = ",".join(f'"{name}":"%s"' for name in form.dimensions)
    metrics = ",".join(f'"{name}":"%s"' for name in form.metrics)
    return f'{{"dimensions":{{{dimensions}}},"metrics":{{{metrics}}}}}'


def _escaped(name: str) -> str:
    return orjson.dumps(name).decode()[1:-1]


ROUTES: Final = (reads("/report/integrated/get/", SyncForm, _integrated, REPORTS),)
