"""The log: one function a line, closed fields, and nothing that somebody could flood."""

from __future__ import annotations

import asyncio
import inspect
import io
import logging
import typing
from collections.abc import Callable, Iterator

import orjson
import pytest

from relay.model import Attempt
from relay.telemetry import Log, open_log, route_libraries
from relay.telemetry.catalogue import LOG_LINES
from relay.telemetry.logs import MAX_VALUE, QUIET_S, close_fields

SECRET = "jane@example.com"


class Desk:
    """A log, the clock it goes by, and what it wrote."""

    def __init__(self, level: str = "debug") -> None:
        self.now = 100.0
        self.written = io.BytesIO()
        self.withheld: list[str] = []
        self.log = open_log(
            level,
            "json",
            monotonic=lambda: self.now,
            stream=self.written,
            on_withheld=self.withheld.append,
        )

    def lines(self) -> list[dict[str, typing.Any]]:
        return [orjson.loads(line) for line in self.written.getvalue().splitlines()]


@pytest.fixture
def root_logger() -> Iterator[logging.Logger]:
    """The root logger, as it was before, afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("aiohttp.access").disabled = False


def an_attempt() -> Attempt:
    return Attempt(
        "01J", "web", 2, 5.0, 0.12345, 3, 999, "retry", status=200, code=50002,
        message=f"bad value {SECRET}", request_id="2026",
    )  # fmt: skip


def test_an_attempt_is_one_line_without_tiktok_s_message() -> None:
    desk = Desk()

    desk.log.attempted(an_attempt())

    (line,) = desk.lines()
    assert line.pop("time").endswith("Z")
    assert line == {
        "event": "delivery.attempted",
        "level": "info",
        "attempt_id": "01J",
        "destination": "web",
        "number": 2,
        "events": 3,
        "size_bytes": 999,
        "seconds": 0.123,
        "verdict": "retry",
        "status": 200,
        "code": 50002,
        "request_id": "2026",
    }


def an_error() -> Exception:
    """Raised for real, so that it has a place, and with data in its message."""
    with pytest.raises(ValueError, match=SECRET) as caught:
        int(SECRET)
    return caught.value


CALLS: dict[str, Callable[[Log], None]] = {
    "service.starting": lambda log: log.starting(
        version="1", public="a", operator="b", destinations=1, sources=2
    ),
    "service.ready": lambda log: log.ready(seconds=0.5),
    "service.draining": lambda log: log.draining(signal="SIGTERM", waiting=3),
    "service.stopped": lambda log: log.stopped(seconds=0.5, waiting=3),
    "config.doubtful": lambda log: log.doubtful("key", "problem", "mend"),
    "delivery.attempted": lambda log: log.attempted(an_attempt()),
    "delivery.late_repeat": lambda log: log.late_repeat("web", events=1, age_s=5.0),
    "delivery.unknown_code": lambda log: log.unknown_code(
        "web", code=1, request_id="r", verdict="retry"
    ),
    "lane.changed": lambda log: log.lane_changed(
        "web", "paused", "running", code=40105, request_id="r", retry_in_s=30.0
    ),
    "signature.refused": lambda log: log.signature_refused("shop", "mismatch"),
    "door.refused": lambda log: log.refused_at_the_door("too_large"),
    "journal.failing": lambda log: log.journal_failing(an_error()),
    "journal.trouble": lambda log: log.journal_trouble("reading", an_error()),
    "journal.recovered": lambda log: log.journal_recovered(seconds=1.0),
    "journal.damaged": lambda log: log.journal_damaged(1),
    "secret.unavailable": lambda log: log.secret_unavailable("env:A", "empty"),
    "person.erased": lambda log: log.person_erased("shop", traces=1),
    "sender.uninstalled": lambda log: log.sender_uninstalled("shop"),
    "kafka.waiting": lambda log: log.kafka_waiting("orders-topic", an_error()),
    "kafka.assigned": lambda log: log.kafka_assigned("orders-topic", 3),
    "kafka.commit_failed": lambda log: log.kafka_commit_failed("orders-topic", an_error()),
    "kafka.stopped": lambda log: log.kafka_stopped(
        "orders-topic", partition="orders/0", offset=7, invalid=51, seen=100
    ),
    "audit.done": lambda log: log.audited(accounts=1, findings=2, partial=False, seconds=9.0),
    "audit.critical": lambda log: log.audit_critical(
        advertiser="7106541027904733185", check="CFG-02", subject="pixel 7", since="2026-11-22"
    ),
    "audit.failed": lambda log: log.audit_failed(
        an_error(), endpoint="/campaign/get/", code=40100, request_id="r", retry_in_s=120.0
    ),
    "traces.lost": lambda log: log.traces_lost("failed", spans=3, error="refused"),
    "task.failed": lambda log: log.task_failed("lane", an_error()),
    "library.spoke": lambda log: log.library_spoke("aiohttp", "T", "web.py:1", an_error()),
}


@pytest.mark.parametrize("name", sorted(LOG_LINES))
def test_every_line_of_the_catalogue_has_its_function_and_no_other_fields(name: str) -> None:
    desk = Desk()

    CALLS[name](desk.log)

    (line,) = desk.lines()
    assert line["event"] == name
    assert "refused_fields" not in line
    assert SECRET not in desk.written.getvalue().decode()


def test_there_is_no_function_beside_the_catalogue_s() -> None:
    written = [name for name, _ in inspect.getmembers(Log, inspect.isfunction) if name[0] != "_"]

    assert len(written) == len(LOG_LINES) == len(CALLS)


def test_unknown_fields_and_long_values_do_not_get_through() -> None:
    line: dict[str, object] = {
        "event": "service.ready",
        "seconds": 1,
        "email": SECRET,
        "level": "info",
    }
    long: dict[str, object] = {
        "event": "config.doubtful",
        "key": "k",
        "problem": "x" * (MAX_VALUE + 1),
    }

    assert close_fields(None, "", line) == {
        "event": "service.ready",
        "seconds": 1,
        "refused_fields": ["email"],
    }
    assert close_fields(None, "", long)["problem"] == "(too long)"


def test_what_somebody_could_repeat_without_end_is_written_once_a_minute() -> None:
    desk = Desk()

    for _ in range(1000):
        desk.log.signature_refused("shop", "mismatch")
    desk.log.signature_refused("other", "mismatch")
    desk.now += QUIET_S
    desk.log.signature_refused("shop", "mismatch")

    assert [(line["source"], line.get("withheld")) for line in desk.lines()] == [
        ("shop", None),
        ("other", None),
        ("shop", 999),
    ]
    assert desk.withheld == ["signature.refused"] * 999


def test_lines_below_the_level_are_not_written() -> None:
    desk = Desk("warning")

    desk.log.ready(seconds=1.0)
    desk.log.journal_recovered(seconds=1.0)

    assert [line["event"] for line in desk.lines()] == ["journal.recovered"]


def test_a_failed_task_is_told_by_kind_and_place() -> None:
    desk = Desk()

    desk.log.task_failed("lane web", an_error())

    (line,) = desk.lines()
    assert line["error"] == "ValueError"
    assert line["where"].startswith("test_telemetry_logs.py:")


def test_text_is_for_people() -> None:
    written = io.BytesIO()

    open_log("info", "text", monotonic=lambda: 0.0, stream=written).ready(seconds=1.0)

    assert "service.ready" in written.getvalue().decode()
    assert not written.getvalue().startswith(b"{")


def test_libraries_are_heard_without_the_data_in_their_messages(
    root_logger: logging.Logger,
) -> None:
    desk = Desk()
    route_libraries(desk.log)

    sentence = f"failed for {SECRET}"
    logging.getLogger("some.library").warning("took %s", SECRET)
    logging.getLogger("other.library").error(sentence, exc_info=an_error())
    logging.getLogger("aiohttp.access").warning("GET /%s", SECRET)
    logging.getLogger("some.library").info("chatter")

    template, error = desk.lines()
    assert (template["library"], template["template"]) == ("some.library", "took %s")
    assert (error["library"], error["error"]) == ("other.library", "ValueError")
    assert SECRET not in desk.written.getvalue().decode()


def test_what_asyncio_says_of_a_lost_task_shows_no_data(root_logger: logging.Logger) -> None:
    desk = Desk()
    route_libraries(desk.log)
    loop = asyncio.new_event_loop()

    loop.call_exception_handler({"message": "lost", "exception": an_error(), "note": SECRET})
    loop.close()

    (line,) = desk.lines()
    assert (line["library"], line["error"]) == ("asyncio", "ValueError")
    assert SECRET not in desk.written.getvalue().decode()
