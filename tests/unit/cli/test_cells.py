"""What strangers wrote, in a terminal and in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.cli.cells import csv_line, document, json_line, money, plain, safe, shown

TEXTS = st.text(st.characters(codec="utf-8"))
HOSTILE = st.text(
    st.sampled_from("=+-@\t\r\n'\",;\x1b\x00\x9b\u202e\u2066\uff1d A1()"), max_size=12
)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Sommer 2026, Größe ✓ 🎉", "Sommer 2026, Größe ✓ 🎉"),
        ("\x1b]0;owned\x07", "\\x1b]0;owned\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("abc\u202ecba", "abc\\u202ecba"),
        ("two\nlines\tand", "two\\nlines\\tand"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("half \ud800", "half \\ud800"),
        ("[bold]not markup[/bold] :smile:", "[bold]not markup[/bold] :smile:"),
    ],
)
def test_signs_that_steer_are_written_out(text: str, written: str) -> None:
    assert shown(text) == written


@given(TEXTS | HOSTILE)
def test_nothing_steers_a_terminal(text: str) -> None:
    line = shown(text)

    assert all(char.isprintable() or char in "\u200c\u200d" or char == "\u3000" or char.isspace()
               for char in line)  # fmt: skip
    assert not set(line) & set("\x1b\x9b\x07\x08\r\n\t\u202e\u2066")


@given(st.lists(TEXTS | HOSTILE, min_size=1, max_size=5))
def test_a_line_of_csv_is_read_back_as_it_was_written(texts: list[str]) -> None:
    line = csv_line(texts)

    (read,) = csv.reader(io.StringIO(line.decode(), newline=""))
    assert read == [safe(text) for text in texts]
    assert line.endswith(b"\r\n")
    assert line.count(b"\n") == 1


@given(TEXTS | HOSTILE)
def test_no_text_is_a_formula(text: str) -> None:
    assert safe(text).lstrip()[:1] not in set("=+-@\uff1d\uff0b\uff0d\uff20") - {""}
    assert safe(text) in {shown(text), f"'{shown(text)}"}


def test_numbers_are_no_formulas_and_keep_their_digits() -> None:
    assert safe(Decimal("-5.10")) == "-5.10"
    assert safe(-3) == "-3"
    assert safe("-3") == "'-3"
    assert plain(Decimal("1E+3")) == "1000"


def test_values_are_written_for_both() -> None:
    assert [plain(each) for each in (None, True, False, 0, "")] == ["", "yes", "no", "0", ""]
    assert plain(datetime(2026, 11, 1, 9, 30, tzinfo=UTC)) == "2026-11-01 09:30:00Z"
    assert plain(date(2026, 11, 1)) == "2026-11-01"


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (Decimal("1234.5"), "1,234.50 EUR"),
        (Decimal(1234), "1,234 EUR"),
        (Decimal("0.0375"), "0.0375 EUR"),
        (Decimal("-5"), "-5 EUR"),
        (None, ""),
    ],
)
def test_money_has_its_currency_and_no_digit_is_lost(amount: Decimal, written: str) -> None:
    assert money(amount, "EUR") == written


def test_json_keeps_every_digit_and_every_sign() -> None:
    value = {"a": [Decimal("0.10"), "=1+1", "\u202e"], "at": datetime(2026, 1, 1, tzinfo=UTC)}

    assert document(value) == {
        "a": ["0.10", "=1+1", "\u202e"],
        "at": "2026-01-01T00:00:00+00:00",
    }


@given(st.lists(TEXTS | HOSTILE) | st.dictionaries(HOSTILE, TEXTS))
def test_a_line_of_json_steers_nothing_and_comes_back_as_it_was(value: object) -> None:
    line = json_line(value).decode()

    assert json.loads(line) == value
    assert not set(line) & set("\x1b\x9b\x07\r\n\u202e\u2066\u2028")
