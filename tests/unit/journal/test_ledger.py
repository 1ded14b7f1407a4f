"""Sums, exact and by hour."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable
from decimal import Context, Decimal

from hypothesis import given
from hypothesis import strategies as st

from relay.journal import ledger
from relay.journal.ledger import Sums
from relay.model import Entry, MatchKey, Reason

amounts = st.decimals(-(10**20), 10**20, places=9)
entries = st.lists(
    st.builds(
        Entry,
        seq=st.integers(0, 100),
        accepted_at=st.just(0.0),
        receipt=st.just("http:1/0"),
        source=st.just("shop"),
        name=st.sampled_from(["Purchase", "AddToCart"]),
        event_id=st.just("x"),
        event_time=st.integers(-7200, 9000) | st.just(2**60),
        order_id=st.none(),
        test_event_code=st.sampled_from([None, None, None, "TEST1"]),
        value=st.none() | amounts.map(str),
        currency=st.sampled_from([None, "EUR", "JPY"]),
        match_keys=st.integers(0, 1023),
        body=st.just(b"{}"),
    ),
    min_size=1,
    max_size=12,
)


#: An hour after the epoch's second one.
NOW = 10_800.0
EXACT = Context(prec=500)


def the_value(entries: Iterable[Entry]) -> dict[str, Decimal]:
    value: dict[str, Decimal] = {}
    for each in entries:
        if each.value is not None and each.currency is not None:
            known = value.get(each.currency, Decimal(0))
            value[each.currency] = EXACT.add(known, Decimal(each.value))
    return value


def is_worthless(entry: Entry) -> bool:
    return entry.currency is None or entry.value is None or Decimal(entry.value) <= 0


@given(entries)
def test_sums_are_what_adding_one_by_one_gives(entries: list[Entry]) -> None:
    sums = ledger.sum_entries(entries, Reason.ACCEPTED, NOW)

    for (hour, name), row in sums.items():
        mine = [
            each for each in entries if (ledger.hour_of(each.event_time), each.name) == (hour, name)
        ]
        real = [each for each in mine if each.test_event_code is None]
        clicked = the_value(each for each in real if MatchKey.TTCLID in MatchKey(each.match_keys))
        assert row.count == len(mine)
        assert row.tests == len(mine) - len(real)
        assert row.value == the_value(real)
        assert row.click_value == {key: each for key, each in clicked.items() if each}
        assert row.worthless == sum(map(is_worthless, real))
        assert row.reasons == Counter({"accepted": len(real)} if real else {})
        assert row.late == Counter("1h" for each in real if NOW - each.event_time > 3600)
        assert row.keys == Counter(
            (key.name or "").lower() for each in real for key in MatchKey(each.match_keys)
        )
    assert sum(row.count for row in sums.values()) == len(entries)


def test_who_is_very_late_is_late_as_well() -> None:
    day = 86_400
    ages = [3600, 3601, 7 * day + 1, 8 * day, 28 * day, 28 * day + 1]

    late: Counter[str] = Counter()
    for entry in (an_entry(at=int(NOW) + 29 * day - age) for age in ages):
        for sums in ledger.sum_entries([entry], Reason.ACCEPTED, NOW + 29 * day).values():
            late.update(sums.late)

    assert late == {"1h": 5, "7d": 4, "28d": 1}


def an_entry(at: int) -> Entry:
    return Entry(0, 0.0, "http:1/0", "shop", "Purchase", "x", at, None, None, None, None, 0, b"{}")


@given(entries, entries)
def test_rows_survive_being_stored_and_added_to(one: list[Entry], two: list[Entry]) -> None:
    row: ledger.Row = {}
    total = Sums()
    for entries, reason in ((one, Reason.ACCEPTED), (two, Reason.ALREADY_RECEIVED)):
        for sums in ledger.sum_entries(entries, reason, NOW).values():
            total.plus(sums)
            ledger.add_to(row, "delivered", copy.deepcopy(sums))
            row = ledger.unpack_row(ledger.pack_row(row))

    assert row["delivered"] == total
    real = [each for each in (*one, *two) if each.test_event_code is None]
    assert total.count == len(one) + len(two)
    assert total.count - total.tests == len(real) == total.reasons.total()
    assert total.value == the_value(real)


def test_a_row_of_an_earlier_release_is_read() -> None:
    stored = b'{"delivered":{"n":2,"value":{"EUR":"166.00"},"keys":{"ttclid":1}}}'

    row = ledger.unpack_row(stored)

    assert row == {"delivered": Sums(2, {"EUR": Decimal("166.00")}, Counter({"ttclid": 1}))}
    assert ledger.pack_row(row) == stored


def test_what_ends_at_the_door_is_counted_with_its_reasons() -> None:
    sums = ledger.sum_at_door([("same_event", False), ("same_event", True), ("future", False)])

    assert sums == Sums(3, tests=1, reasons=Counter({"same_event": 1, "future": 1}))


def test_hours_are_counted_from_1970_and_never_leave_their_range() -> None:
    hours = [ledger.hour_of(at) for at in (0, 3599, 3600.0, -5, 2**62)]

    assert hours == [0, 0, 1, 0, 2**32 - 1]
