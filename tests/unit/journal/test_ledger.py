"""Sums, exact and by hour."""

from __future__ import annotations

from collections import Counter
from decimal import Context, Decimal

from hypothesis import given
from hypothesis import strategies as st

from relay.journal import ledger
from relay.journal.ledger import Sums
from relay.model import Entry, MatchKey

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
        test_event_code=st.none(),
        value=st.none() | amounts.map(str),
        currency=st.sampled_from([None, "EUR", "JPY"]),
        match_keys=st.integers(0, 1023),
        body=st.just(b"{}"),
    ),
    min_size=1,
    max_size=12,
)


@given(entries)
def test_sums_are_what_adding_one_by_one_gives(entries: list[Entry]) -> None:
    sums = ledger.sum_entries(entries)

    exact = Context(prec=500)
    for (hour, name), row in sums.items():
        mine = [
            each for each in entries if (ledger.hour_of(each.event_time), each.name) == (hour, name)
        ]
        value: dict[str, Decimal] = {}
        for each in mine:
            if each.value is not None and each.currency is not None:
                known = value.get(each.currency, Decimal(0))
                value[each.currency] = exact.add(known, Decimal(each.value))
        assert row.count == len(mine)
        assert row.value == value
        assert row.keys == Counter(
            (key.name or "").lower() for each in mine for key in MatchKey(each.match_keys)
        )
    assert sum(row.count for row in sums.values()) == len(entries)


@given(entries, entries)
def test_rows_survive_being_stored_and_added_to(one: list[Entry], two: list[Entry]) -> None:
    row: ledger.Row = {}
    for sums in (*ledger.sum_entries(one).values(), *ledger.sum_entries(two).values()):
        ledger.add_to(row, "delivered", Sums(sums.count, dict(sums.value), Counter(sums.keys)))
        row = ledger.unpack_row(ledger.pack_row(row))

    every = [Decimal(each.value) for each in (*one, *two) if each.value and each.currency == "EUR"]
    exact = Context(prec=500)
    total = Decimal(0)
    for each in every:
        total = exact.add(total, each)
    assert row["delivered"].count == len(one) + len(two)
    assert row["delivered"].value.get("EUR", Decimal(0)) == total


def test_hours_are_counted_from_1970_and_never_leave_their_range() -> None:
    hours = [ledger.hour_of(at) for at in (0, 3599, 3600.0, -5, 2**62)]

    assert hours == [0, 0, 1, 0, 2**32 - 1]
