"""TikTok's own diagnosis, zones, and the log of changes. Pure.

The log's form is as one integration recorded it: a JSON text that holds the text of a Python
`bytes` that holds a CSV with counts on top. Times of the query are taken as UTC.
"""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Annotated, Any, ClassVar, Final, Literal
from zoneinfo import ZoneInfo

import orjson
from pydantic import Field

from relay.sandbox.access import fingerprint
from relay.sandbox.ads.model import Change, Suggestion
from relay.sandbox.answers import Answer, Code, answer, done
from relay.sandbox.marketing.door import ADS, PREFIX, Asked, orders, reads
from relay.sandbox.marketing.forms import AccountForm, Form, Id, Ids, Moment, Names, Part, refused
from relay.sandbox.marketing.paging import utc_text
from relay.sandbox.marketing.report_tasks import TaskForm
from relay.sandbox.marketing.tasks import Task

_CATEGORIES: Final = {
    "CREATIVE": "creative",
    "BID_AND_BUDGET": "bid_and_budget",
    "EVENT_TRACK": "event_track",
}


class _DiagnosisFilter(Part):
    adgroup_ids: Annotated[tuple[Id, ...], Field(min_length=1, max_length=20)] | None = None
    issue_category: tuple[Literal["CREATIVE", "BID_AND_BUDGET", "EVENT_TRACK"], ...] | None = None


class _DiagnosisForm(AccountForm):
    json_fields: ClassVar = frozenset({"filtering"})
    filtering: _DiagnosisFilter = _DiagnosisFilter()


def _diagnosis(asked: Asked[_DiagnosisForm]) -> Answer:
    account = asked.ads.advertisers[asked.form.advertiser_id]
    given = asked.form.filtering
    groups: dict[str, list[Suggestion]] = {}
    for each in account.suggestions:
        wanted = given.adgroup_ids is None or each.adgroup_id in given.adgroup_ids
        if wanted and (given.issue_category is None or each.category in given.issue_category):
            groups.setdefault(each.adgroup_id, []).append(each)
    results = [
        {
            "adgroup_id": adgroup_id,
            "adgroup_name": account.adgroups[adgroup_id].adgroup_name,
            "diagnosis": {
                "diagnosis_time": utc_text(asked.now),
                "suggestions": [_suggestions(found)],
            },
        }
        for adgroup_id, found in groups.items()
        if adgroup_id in account.adgroups
    ]
    return done({"results": results})


def _suggestions(found: list[Suggestion]) -> dict[str, list[dict[str, Any]]]:
    listed: dict[str, list[dict[str, Any]]] = {name: [] for name in _CATEGORIES.values()}
    for number, each in enumerate(found, 1):
        said = {
            "suggestion_time": utc_text(each.at),
            "suggestion_id": f"{each.adgroup_id}{number}",
            "issue_suggestion": each.issue_suggestion,
        }
        if each.category == "EVENT_TRACK":
            said |= {"pixel_id": each.pixel_id or "", "pixel_code": each.pixel_code or ""}
        listed[_CATEGORIES[each.category]].append(said)
    return listed


_ZONES: Final = (
    "America/Los_Angeles",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Dubai",
    "Asia/Jakarta",
    "Asia/Kolkata",
    "Asia/Singapore",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Europe/Berlin",
    "Europe/London",
    "UTC",
    *(f"Etc/GMT{hours:+d}" for hours in range(-14, 13) if hours),
)


def _zones(asked: Asked[Form]) -> Answer:
    rows = [{"timezone": name, "gmt_offset": _offset(name, asked.now)} for name in _ZONES]
    return done({"timezones": rows})


def _offset(zone: str, now: float) -> str:
    offset = f"{datetime.fromtimestamp(now, ZoneInfo(zone)):%z}"
    return f"GMT{offset[:3]}:{offset[3:]}"


_CREATE: Final = f"{PREFIX}/changelog/task/create/"
_MODULES: Final = {
    "BUDGET": "Budget changes",
    "BIDDING_AND_OPTIMIZATION": "Bid changes",
    "STATUS": "Status changes",
    "TARGETING": "Targeting changes",
}
_OBJECTS: Final = {
    "ADVERTISER": "Ad account",
    "CAMPAIGN": "Campaign",
    "ADGROUP": "Ad group",
    "AD": "Ad",
}
_HEADER: Final = (
    "Time",
    "log_object_type",
    "Object ID",
    "Object",
    "Operator",
    "Source",
    "App ID",
    "Activity details",
)
_SPAN: Final = timedelta(days=30)


class _LogForm(AccountForm):
    start_time: Moment | None = None
    end_time: Moment | None = None
    timezone: str = "UTC"
    module: Literal["BUDGET", "BIDDING_AND_OPTIMIZATION", "STATUS", "TARGETING"] | None = None
    object_type: Literal["AD", "ADGROUP", "ADVERTISER", "CAMPAIGN", "INSTANT_FORM"] | None = None
    object_ids: Ids | None = None
    operation_types: Names | None = None
    order_fields: Names | None = None

    def span(self, now: float) -> tuple[datetime, datetime]:
        end = self.end_time or datetime.fromtimestamp(now, UTC)
        return self.start_time or end - _SPAN, end

    def means(self, change: Change, now: float) -> bool:
        start, end = self.span(now)
        return (
            start.timestamp() <= change.at <= end.timestamp()
            and self.module in {None, change.module}
            and self.object_type in {None, change.object_type}
            and (self.object_ids is None or change.object_id in self.object_ids)
        )


def _order(asked: Asked[_LogForm]) -> Answer:
    start, end = asked.form.span(asked.now)
    if not timedelta(0) <= end - start <= _SPAN:
        return refused("end_time", "Must be within 30 days after start_time.")
    try:
        ZoneInfo(asked.form.timezone)
    except (KeyError, ValueError):
        return refused("timezone", "Not a valid choice.")
    world = asked.world
    fate = world.faults.fate(asked.reading.seen, now=asked.now, roll=world.roll)
    token = fingerprint(asked.token)
    task = world.desk.tasks.create(_CREATE, token, asked.form, fate, asked.now)
    return done({"task_id": task.task_id})


def _mine(asked: Asked[TaskForm]) -> Task | Answer:
    return asked.world.desk.tasks.mine(
        _CREATE,
        asked.form.task_id,
        token=fingerprint(asked.token),
        advertiser_id=asked.form.advertiser_id,
        now=asked.now,
    )


def _check(asked: Asked[TaskForm]) -> Answer:
    task = _mine(asked)
    return task if isinstance(task, Answer) else done({"status": task.status(asked.now)})


def _download(asked: Asked[TaskForm]) -> Answer:
    task = _mine(asked)
    if isinstance(task, Answer):
        return task
    status = task.status(asked.now)
    if status != "SUCCESS":
        return answer(Code.TASK_NOT_READY if status != "FAILED" else Code.GENERAL_TASK_ERROR)
    assert isinstance(task.order, _LogForm)  # noqa: S101  # only they are created at this path
    form = task.order
    changes = asked.ads.advertisers[form.advertiser_id].changes
    meant = [each for each in changes if form.means(each, task.created_at)]
    log = {"file_data": repr(_csv(meant, form).encode()), "file_name": f"{task.task_id}.csv"}
    return done({"status": status, "changelog": orjson.dumps(log).decode()})


def _csv(changes: list[Change], form: _LogForm) -> str:
    counts = Counter(each.module for each in changes)
    written = StringIO()
    writer = csv.writer(written)
    writer.writerows((text, counts[module]) for module, text in _MODULES.items())
    writer.writerow(())
    writer.writerow(_HEADER)
    zone = ZoneInfo(form.timezone)
    for each in sorted(changes, key=lambda change: change.at, reverse=True):
        kind = _OBJECTS.get(each.object_type, each.object_type)
        details = [{"action": "Change ", "name": kind, "before_after": [{"after": each.what}]}]
        at = f"{datetime.fromtimestamp(each.at, zone):%Y-%m-%d %H:%M}"
        what = _MODULES.get(each.module, each.module).removesuffix(" changes")
        writer.writerow(
            (at, kind, each.object_id, what, "s***@shop.example", "Ads Manager", "",
             orjson.dumps(details).decode())
        )  # fmt: skip
    return written.getvalue()


ROUTES: Final = (
    reads("/tool/diagnosis/get/", _DiagnosisForm, _diagnosis, ADS),
    reads("/tool/timezone/", Form, _zones),
    orders("/changelog/task/create/", _LogForm, _order, ADS),
    reads("/changelog/task/check/", TaskForm, _check, ADS),
    reads("/changelog/task/download/", TaskForm, _download, ADS),
)
