"""Days and hours in two clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.audit.books import Books
from relay.audit.books.calendar import Calendar, Span, moved, utc_day
from tests.unit.audit.world import FIRST, LAST, MATURE, World

BERLIN = ZoneInfo("Europe/Berlin")


def hours_of(calendar: Calendar, day: date) -> int:
    start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) // 3600
    return sum(calendar.day_of_hour(hour) == day for hour in range(start - 30, start + 60))


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 11, 1), 24)],
)
def test_a_day_has_the_hours_that_its_zone_gives_it(day: date, hours: int) -> None:
    assert hours_of(Calendar(BERLIN, 0.0), day) == hours


def test_a_zone_half_an_hour_off_loses_no_hour() -> None:
    calendar = Calendar(ZoneInfo("Asia/Kolkata"), 0.0)

    assert hours_of(calendar, date(2026, 11, 1)) == 24
    assert calendar.day_of_hour(493_000) == calendar.day(493_000 * 3600)


@pytest.mark.parametrize(
    ("zone", "first", "last"),
    [
        ("UTC", date(2026, 11, 1), date(2026, 11, 10)),
        ("Europe/Berlin", date(2026, 11, 1), date(2026, 11, 9)),
        ("America/Los_Angeles", date(2026, 11, 2), date(2026, 11, 10)),
    ],
)
def test_days_of_utc_count_where_they_lie_within_as_a_whole(
    zone: str, first: date, last: date
) -> None:
    now = datetime(2026, 12, 1, tzinfo=UTC).timestamp()
    days = Span(date(2026, 11, 1), date(2026, 11, 10))

    assert Calendar(ZoneInfo(zone), now).whole_utc_days(days, 0) == Span(first, last)


def test_a_day_is_mature_when_today_is_past_it_and_the_window() -> None:
    world = World()
    books = Books(world.facts())

    assert books.mature(7) == Span(
        FIRST, MATURE
    )  # the 14th and seven days: the 21st; today the 22nd
    assert books.mature(0) == Span(FIRST, LAST)
    assert books.mature(60) is None


def test_today_is_the_account_s() -> None:
    world = World(now=datetime(2026, 11, 22, 23, 30, tzinfo=UTC).timestamp())

    assert Books(world.facts()).today == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        ({"click_window": 28}, 28),
        ({"click_window": 0, "view_window": 7}, 7),
        ({"click_window": 1, "engaged_view_window": 14}, 14),
        ({"click_window": None}, 28),  # TikTok's word for it is not known
    ],
)
def test_the_longest_window_of_any_kind_decides(windows: dict[str, int], expected: int) -> None:
    world = World()
    world.each_group(**windows)

    assert Books(world.facts()).lines[0].window == expected


@given(st.integers(0, 2**32 - 1), st.timezones())
def test_no_hour_of_a_ledger_is_beyond_the_calendar(hour: int, zone: ZoneInfo) -> None:
    days = Calendar(zone, 0.0).day_of_hour(hour).toordinal() - utc_day(hour).toordinal()

    assert -1 <= days <= 1


@given(st.dates(), st.integers(-(10**6), 10**6))
def test_no_day_is_moved_out_of_the_calendar(day: date, days: int) -> None:
    assert date.min <= moved(day, days) <= date.max
