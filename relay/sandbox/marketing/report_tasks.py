"""Reports in the background: ordered, waited for, fetched. Pure.

Deleted objects are among the rows: there is no filter for a status here, and the files are said to
be what the Ads Manager downloads. The 20 000 ids of the other reports are no limit here.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Annotated, Final, Literal
from urllib.parse import urlencode

from pydantic import Field

from relay.sandbox.access import fingerprint
from relay.sandbox.answers import OK, Answer, Code, answer, done
from relay.sandbox.marketing import files
from relay.sandbox.marketing.door import PREFIX, REPORTS, Asked, app_of, orders, reads
from relay.sandbox.marketing.forms import AccountForm, Id
from relay.sandbox.marketing.report_filters import ASYNC
from relay.sandbox.marketing.report_request import ReportForm, criteria_of, refusal
from relay.sandbox.marketing.report_rows import Source, lines, objects
from relay.sandbox.marketing.tasks import Task
from relay.sandbox.world import HTML, Handled, Reading, Reply, Route, World

_CREATE: Final = f"{PREFIX}/report/task/create/"
_FILES: Final = "/wsos_v2/statistics/object"
_CSV: Final = "text/csv"
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class _CreateForm(ReportForm):
    output_format: Literal["CSV_STRING", "CSV_DOWNLOAD", "XLSX_DOWNLOAD"] = "CSV_STRING"
    file_name: Annotated[
        str, Field(min_length=1, max_length=255, pattern=r"^[^/\t\x08@#$%^&*()\[\]]+$")
    ] = "report"
    enable_report_title_translation: bool = True


class TaskForm(AccountForm):
    task_id: Id


def _create(asked: Asked[_CreateForm]) -> Answer:
    form, world = asked.form, asked.world
    if "billed_cost" in form.metrics:
        return answer(
            Code.PARAM_ERROR,
            "Please correct the information in invalid metric fields and try again. "
            "Invalid metric fields: ['billed_cost']. ",
        )
    refused = refusal(
        form, ASYNC, ranged=False, extra=world.settings.marketing.extra_metrics
    ) or world.desk.limits.task_refusal(
        app_of(world, asked.token), form.accounts()[0], asked.reading.call.path, asked.now
    )
    if refused is not None:
        return refused
    fate = world.faults.fate(asked.reading.seen, now=asked.now, roll=world.roll)
    task = world.desk.tasks.create(_CREATE, fingerprint(asked.token), form, fate, asked.now)
    return done({"task_id": task.task_id})


def _mine(asked: Asked[TaskForm]) -> Task | Answer:
    form = asked.form
    return asked.world.desk.tasks.mine(
        _CREATE,
        form.task_id,
        token=fingerprint(asked.token),
        advertiser_id=form.advertiser_id,
        now=asked.now,
    )


def _check(asked: Asked[TaskForm]) -> Answer:
    task = _mine(asked)
    if isinstance(task, Answer):
        return task
    status = task.status(asked.now)
    return done({"status": status, "message": task.problem if status == "FAILED" else ""})


def _cancel(asked: Asked[TaskForm]) -> Answer:
    task = _mine(asked)
    if isinstance(task, Answer):
        return task
    status = task.status(asked.now)
    if status not in {"QUEUING", "PROCESSING"}:
        return answer(Code.PARAM_ERROR, f"The task is {status} and cannot be canceled.")
    task.is_canceled = True
    return done({"status": "CANCELED"})


def _download(asked: Asked[TaskForm]) -> Answer | Handled:
    task = _mine(asked)
    if isinstance(task, Answer):
        return task
    status = task.status(asked.now)
    if status in {"FAILED", "CANCELED"}:
        return answer(Code.GENERAL_TASK_ERROR, f"The task is {status}.")
    if status != "SUCCESS":
        return answer(Code.TASK_NOT_READY)
    order = _order(task)
    if order.output_format == "CSV_STRING":
        return Handled(OK, reply=_file(asked.world, task))
    return done(
        {
            "output_format": order.output_format,
            "file_name": _file_name(order),
            "download_url": _url(asked, task),
        }
    )


def _order(task: Task) -> _CreateForm:
    assert isinstance(task.order, _CreateForm)  # noqa: S101  # only they are created here
    return task.order


def _file_name(order: _CreateForm) -> str:
    return f"{order.file_name}.{'xlsx' if order.output_format == 'XLSX_DOWNLOAD' else 'csv'}"


def _url(asked: Asked[TaskForm], task: Task) -> str:
    expire = int(asked.now + asked.world.settings.marketing.file_valid_s)
    query = {
        "expire": expire,
        "skipCookie": "true",
        "timeStamp": int(asked.now),
        "sign": _sign(task, str(expire)),
    }
    origin = asked.reading.call.origin
    return f"{origin}{_FILES}/wsos{task.task_id}?{urlencode(query)}"


def _sign(task: Task, expire: str) -> str:
    return sha256(f"{task.task_id}/{task.token}/{task.created_at}/{expire}".encode()).hexdigest()


def _fetch(world: World, reading: Reading, now: float) -> Handled:
    """The file behind a `download_url`: whoever has the address may have it, for an hour."""
    query = reading.call.query
    task_id = reading.call.path.rpartition("/wsos")[2]
    task = world.desk.tasks.find(_CREATE, task_id, now)
    expire = query.get("expire", "")
    if task is None or query.get("sign") != _sign(task, expire) or now > float(expire):
        refused = answer(Code.PERMISSION_ERROR, "The address is not valid any more.")
        return Handled(refused, reply=Reply(403, b"<h1>403 Forbidden</h1>", HTML))
    return Handled(OK, reply=_file(world, task))


def _file(world: World, task: Task) -> Reply:
    order = _order(task)
    names = [*order.dimensions, *order.metrics]
    if order.enable_report_title_translation:
        names = [files.title(name) for name in names]
    rows = _rows(world, task, order)
    if order.output_format == "XLSX_DOWNLOAD":
        return Reply(body=files.xlsx(names, rows), content_type=_XLSX)
    return Reply(content_type=_CSV, chunks=files.csv_chunks(names, rows))


def _rows(world: World, task: Task, order: _CreateForm) -> Iterator[list[str]]:
    """As the account stood when the task ended."""
    meant = criteria_of(order, ASYNC)
    source = Source(world.ads, order, meant, task.ends_at, "STATUS_ALL", None, str)
    cuts = {each: objects(source, world.ads.advertisers[each]) for each in task.accounts}
    return (line.texts for line in lines(source, cuts))


ROUTES: Final = (
    orders("/report/task/create/", _CreateForm, _create, REPORTS),
    reads("/report/task/check/", TaskForm, _check, REPORTS),
    reads("/report/task/download/", TaskForm, _download, REPORTS),
    orders("/report/task/cancel/", TaskForm, _cancel, REPORTS),
    Route("GET", _FILES + "/{name}", _fetch),
)
