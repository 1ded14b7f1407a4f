"""Numbers of which most are zero: the same mapping, in less room."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from relay.audit.collecting.sparse import sparse

NAMES = ("SHOPPING", "ON_WEB_CART", "FORM", "CONSULT")
ROWS = st.lists(st.none() | st.integers(0, 3), min_size=4, max_size=4)


@given(ROWS)
def test_it_is_the_mapping_of_what_was_said(numbers: list[int | None]) -> None:
    plain = {
        name: number for name, number in zip(NAMES, numbers, strict=True) if number is not None
    }

    found = sparse(NAMES, numbers, 0)

    assert found == plain
    assert plain == found
    assert list(found.items()) == list(plain.items())
    for name in (*NAMES, "SUBSCRIBE"):
        assert (name in found) == (name in plain)
        assert found.get(name) == plain.get(name)
        assert found.get(name, -1) == plain.get(name, -1)


@given(ROWS, ROWS)
def test_rows_are_one_only_where_they_say_the_same(
    one: list[int | None], other: list[int | None]
) -> None:
    assert (sparse(NAMES, one, 0) == sparse(NAMES, other, 0)) == (one == other)


def test_counts_and_money_of_the_same_numbers_stay_apart() -> None:
    counts, values = sparse(NAMES[:2], [2, 0], 0), sparse(NAMES[2:], [Decimal(2), None], Decimal(0))

    assert dict(counts) == {"SHOPPING": 2, "ON_WEB_CART": 0}
    assert dict(values) == {"FORM": Decimal(2)}


def test_equal_rows_are_held_once() -> None:
    assert sparse(NAMES, [1, 0, None, 7], 0) is sparse(NAMES, [1, 0, None, 7], 0)
