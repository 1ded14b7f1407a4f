"""Amounts and currencies."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.normalize import money
from relay.normalize.fields import Flawed

CENTS = money.amount(2)


def flaw(value: object) -> str:
    assert isinstance(value, Flawed)
    assert value.kept is None
    return value.flaws[0][1].value


@pytest.mark.parametrize(
    ("raw", "amount"),
    [
        (46, 46),
        (46.0, 46),
        ("46.00", 46),
        (0, 0),
        (0.0, 0),
        (-0.0, 0),
        ("0", 0),
        ("142.20", 142.2),
        (Decimal("142.20"), 142.2),
        (0.1 + 0.2, 0.3),
        (8.255, 8.26),  # half up, by what was written, not by its binary neighbour
        (1.005, 1.01),
        (1e-7, 0),
        ("1,234.00", 1234),
        ("1.234,50", 1234.5),
        ("1,234,567", 1234567),
        ("1.234.567", 1234567),
        ("1 234,5", 1234.5),
        ("1\u202f234", 1234),
        ("1\u00a0234,50", 1234.5),
        ("1'234.50", 1234.5),
        ("1\u2019234.50", 1234.5),
        ("12,5", 12.5),
        ("12,50", 12.5),
        ("0,234", 0.23),
        ("1234,56", 1234.56),
        ("1.234", 1.23),  # one dot is a decimal point
        (".5", 0.5),
        ("+5", 5),
        (" 5 ", 5),
    ],
)
def test_an_amount_is_read_for_what_it_means(raw: object, amount: float) -> None:
    read = CENTS(raw)

    assert read == amount
    assert type(read) is type(amount)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("1,234", "ambiguous"),
        ("-5", "negative"),
        ("\u22125", "negative"),
        (-5, "negative"),
        (-0.01, "negative"),
        (Decimal(-1), "negative"),
        ("12 EUR", "not_a_number"),
        ("€12", "not_a_number"),
        ("1,23,456", "not_a_number"),
        ("1,234.567.890", "not_a_number"),
        ("1e3", "not_a_number"),
        ("nan", "not_a_number"),
        ("Infinity", "not_a_number"),
        ("\u0665", "not_a_number"),  # an Arabic five
        ("9" * 41, "not_a_number"),
        (float("nan"), "not_a_number"),
        (float("inf"), "not_a_number"),
        (Decimal("NaN"), "not_a_number"),
        (True, "not_a_number"),
        ([], "not_a_number"),
        (10**13, "too_large"),
        (1e22, "too_large"),
        ("9999999999999.999", "too_large"),
        (10**400, "too_large"),
    ],
)
def test_what_is_no_amount_is_dropped(raw: object, why: str) -> None:
    assert flaw(CENTS(raw)) == why


def test_no_text_is_no_amount() -> None:
    assert CENTS("") is None
    assert CENTS("  ") is None


def test_yen_have_no_decimals() -> None:
    yen = money.amount(money.exponent("JPY"))

    assert yen("13,300") == 13300
    assert yen("13300.00") == 13300
    assert yen(13300.4) == 13300
    assert yen(13300.5) == 13301


def test_dinars_have_three_decimals() -> None:
    dinars = money.amount(money.exponent("KWD"))

    assert dinars("12.3456") == 12.346
    assert dinars(12.345) == 12.345


@given(st.integers(0, 10**15 - 1), st.sampled_from([0, 2, 3, 4]))
def test_a_float_is_taken_as_it_is_exactly_when_it_needs_no_rounding(
    minor_units: int, decimals: int
) -> None:
    exact = Decimal(minor_units).scaleb(-decimals)

    for raw in (float(exact), str(exact), exact):
        read = money.amount(decimals)(raw)
        assert Decimal(str(read)) == exact


@given(st.floats(0, 10**10), st.sampled_from([0, 2, 3, 4]))
def test_a_float_is_rounded_by_its_decimal_digits(number: float, decimals: int) -> None:
    quantum = Decimal(1).scaleb(-decimals)
    rounded = Decimal(repr(number)).quantize(quantum, ROUND_HALF_UP)

    read = money.amount(decimals)(number)

    assert Decimal(str(read)) == rounded
    assert money.amount(decimals)(read) == read


@given(st.integers(1, 10**7), st.sampled_from([0.0, 1e9]))
def test_the_neighbour_of_an_amount_is_not_taken_for_it(cents: int, towards: float) -> None:
    """Times a hundred both round to the same whole number."""
    assert CENTS(math.nextafter(cents / 100, towards)) == CENTS(cents / 100)
    assert repr(CENTS(math.nextafter(cents / 100, towards))) == repr(CENTS(cents / 100))


@given(st.decimals(0, 10**9, allow_nan=False, allow_infinity=False))
def test_an_amount_is_written_without_an_exponent(number: Decimal) -> None:
    text = orjson.dumps(money.amount(4)(number))

    assert b"e" not in text
    assert b"E" not in text


@given(st.one_of(st.text(), st.text("0123456789.,' +-")))
def test_any_text_is_read_or_dropped(text: str) -> None:
    read = CENTS(text)

    assert read is None or isinstance(read, int | float | Flawed)


@pytest.mark.parametrize("code", ["EUR", "usd", " gbp "])
def test_a_currency_is_uppercase(code: str) -> None:
    assert money.currency(code) == code.strip().upper()


def test_an_unlisted_currency_passes_with_a_flaw() -> None:
    read = money.currency("xaf")

    assert isinstance(read, Flawed)
    assert (read.kept, read.flaws[0][1]) == ("XAF", "unlisted")


@pytest.mark.parametrize("raw", ["€", "EURO", "E1R", 978, None, "E" * 100])
def test_what_is_no_currency_is_dropped(raw: object) -> None:
    assert flaw(money.currency(raw)) == "not_a_currency"


def test_no_text_is_no_currency() -> None:
    assert money.currency("") is None


@pytest.mark.parametrize(
    ("currency", "decimals"),
    [
        ("EUR", 2),
        ("JPY", 0),
        ("ISK", 0),
        ("UGX", 0),
        ("KWD", 3),
        ("CLF", 4),
        ("MGA", 2),
        ("XXX", 2),
    ],
)
def test_decimals_are_those_of_iso_4217(currency: str, decimals: int) -> None:
    assert money.exponent(currency) == decimals


@pytest.mark.parametrize(
    ("raw", "pieces"), [(2, 2), ("2", 2), (2.0, 2), (0, 0), ("1,000,000", 10**6)]
)
def test_a_quantity_is_a_whole_number(raw: object, pieces: int) -> None:
    assert money.quantity(raw) == pieces


@pytest.mark.parametrize("raw", [1.5, "x", -1, True, 10**9, [], 10**12])
def test_what_is_no_quantity_is_dropped(raw: object) -> None:
    assert flaw(money.quantity(raw)) in {"not_a_number", "negative", "too_large"}


def test_no_text_is_no_quantity() -> None:
    assert money.quantity("") is None
