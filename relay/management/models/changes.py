"""The change log of an ad account: the file that `/changelog/task/download/` gives.

Its form, as a fixture of the Go SDK bububa/tiktok-business recorded it in 2026: `data.changelog` is
an object, or the text of one, whose `file_data` is the repr of Python bytes, `b'…\\r\\n…'`. Inside
is CSV: lines of sums (`Budget changes,0`), an empty one, a line of titles, the edits. An edit's
details are JSON, with more `b'…'` in it. Who made the edit stands there too, by e-mail address:
that is not kept.
"""

from __future__ import annotations

import ast
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

import orjson

from relay.management.fields import Record, moment_of

_FIELD: Final = "changelog.file_data"


@dataclass(frozen=True, slots=True)
class Detail:
    """One field that an edit changed."""

    action: str
    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Edit:
    """Somebody or something edited an object of the account; `at` has the zone that was asked for.

    `object_type` and `what` are TikTok's words (`Ad group`, `On/Off Status`); `source` is where the
    edit came from (`Marketing API`), `app_id` which app made it.
    """

    at: datetime
    object_type: str
    object_id: str
    what: str
    source: str | None
    app_id: str | None
    details: tuple[Detail, ...]


def read_edits(data: Record, zone: tzinfo) -> list[Edit]:
    """The edits of a downloaded log, oldest first; raises `AnswerUnreadable`."""
    log = data.record_or_text("changelog")
    text = unwrapped(log.text("file_data")) if log else ""
    if text is None:
        raise data.unreadable(_FIELD, "is not a file")
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        raise data.unreadable(_FIELD, "is not a whole table") from None
    return sorted(_edits(lines, zone, data), key=lambda edit: edit.at)


def unwrapped(text: str) -> str | None:
    """What stands in `b'…'`; a text without it is taken as it is, None is said of a broken one."""
    if not text.startswith(("b'", 'b"')):
        return text
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else None


def _edits(lines: list[list[str]], zone: tzinfo, data: Record) -> Iterator[Edit]:
    """What follows the line of titles."""
    titles: list[str] = []
    for number, line in enumerate(lines, start=1):
        cells = [cell.strip() for cell in line]
        if titles:
            if any(cells):
                yield _edit(_row(titles, cells, number, data), zone, number, data)
        elif "time" in (folded := [cell.lower() for cell in cells]):
            titles = folded


def _row(titles: list[str], cells: list[str], number: int, data: Record) -> dict[str, str]:
    if len(cells) != len(titles):
        raise data.unreadable(_FIELD, f"has {len(cells)} columns of {len(titles)} in line {number}")
    return dict(zip(titles, cells, strict=True))


def _edit(row: dict[str, str], zone: tzinfo, number: int, data: Record) -> Edit:
    at = moment_of(row["time"])
    if at is None:
        raise data.unreadable(_FIELD, f"has no time in line {number}")
    return Edit(
        at=at.replace(tzinfo=zone),
        object_type=row.get("log_object_type", ""),
        object_id=row.get("object id", ""),
        what=row.get("object", ""),
        source=row.get("source") or None,
        app_id=row.get("app id") or None,
        details=tuple(_details(row.get("activity details", ""))),
    )


def _details(text: str) -> Iterator[Detail]:
    """What of the details can be read: their form is not documented, so none is an error."""
    try:
        listed = orjson.loads(text)
    except orjson.JSONDecodeError:
        return
    for each in listed if isinstance(listed, list) else ():
        if not isinstance(each, dict):
            continue
        for change in each.get("before_after") or [{}]:
            pair = change if isinstance(change, dict) else {}
            yield Detail(
                _word(each.get("action")) or "",
                _word(each.get("name")) or "",
                _word(pair.get("before")),
                _word(pair.get("after")),
            )


def _word(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    found = unwrapped(value)
    return value if found is None else found.strip()
