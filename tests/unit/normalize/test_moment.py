"""When it happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.model import Reason
from relay.normalize.fields import Flaw, Flawed, kept
from relay.normalize.moment import place, seconds

T = 1_780_000_000


@pytest.mark.parametrize(
    "raw",
    [
        T,
        float(T),
        T + 0.9,
        T * 1_000_000,
        T * 1_000_000_000,
        str(T),
        f"{T}.75",
        "2026-05-28T20:26:40Z",
        "2026-05-28T20:26:40.123456789Z",
        "2026-05-28T22:26:40+02:00",
        "2026-05-28 20:26:40",
        "2026-05-28 20:26:40 UTC",
        "2026-05-28 20:26:40 GMT",
        "2026-05-28 22:26:40 +0200",
        "2026-05-28 22:26:40 +02:00",
        "20260528T202640Z",
        "Thu, 28 May 2026 20:26:40 GMT",
        "Thu, 28 May 2026 22:26:40 +0200",
        "28 May 2026 20:26:40 -0000",
    ],
)
def test_a_time_is_read_however_it_is_written(raw: object) -> None:
    assert seconds(raw) == T


@pytest.mark.parametrize("raw", [T * 1000, T * 1000 + 999, T * 1000.0, f" {T}000 "])
def test_milliseconds_are_read_and_said(raw: object) -> None:
    assert seconds(raw) == kept(T, Flaw.MILLISECONDS)


@pytest.mark.parametrize(
    "raw",
    [
        0,
        -T,
        20260528,
        10**400,
        float("nan"),
        float("inf"),
        True,
        [],
        {},
        "yesterday",
        "2026-13-01",
        "1999-12-31T23:59:59Z",
        "2100-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "Mon, 99 Foo 2026 20:26:40 GMT",
        "1" * 1000,
        "\ud800",
    ],
)
def test_what_is_no_time_is_not_guessed(raw: object) -> None:
    read = seconds(raw)

    assert isinstance(read, Flawed)
    assert read.kept is None
    assert read.flaws[0][1] == "not_a_time"


def test_no_text_is_no_time() -> None:
    assert seconds(" ") is None


@given(
    st.datetimes(datetime(2000, 1, 3), datetime(2099, 12, 28)),  # noqa: DTZ001  # the zone is drawn
    st.integers(-14 * 60, 14 * 60),
)
def test_a_zone_is_taken_into_account(local: datetime, offset_minutes: int) -> None:
    moment = local.replace(tzinfo=timezone(timedelta(minutes=offset_minutes)))
    whole = moment.replace(microsecond=0)

    assert seconds(moment.isoformat()) == int(whole.timestamp())
    assert seconds(format_datetime(moment)) == int(whole.timestamp())
    assert seconds(local.isoformat()) == int(local.replace(microsecond=0, tzinfo=UTC).timestamp())


@given(st.one_of(st.text(), st.text("0123456789-+:TZ ."), st.floats(), st.integers()))
def test_anything_is_a_time_or_not(raw: object) -> None:
    assert isinstance(seconds(raw), int | Flawed | None)


DAY = 86_400.0


def test_a_time_within_bounds_stays() -> None:
    assert place(T, T + 28 * DAY, 28 * DAY, 600) == T
    assert place(T, float(T), 28 * DAY, 600) == T


def test_an_old_time_is_too_old() -> None:
    assert place(T, T + 28 * DAY + 0.1, 28 * DAY, 600) is Reason.TOO_OLD


def test_a_clock_that_runs_a_little_ahead_is_set_right() -> None:
    assert place(T, T - 600.0, 28 * DAY, 600) == T - 600
    assert place(T, T - 0.5, 28 * DAY, 600) == T - 1


def test_a_time_in_the_future_is_refused() -> None:
    assert place(T, T - 600.5, 28 * DAY, 600) is Reason.FUTURE
