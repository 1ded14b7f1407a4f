"""What strangers wrote, fit for a terminal and for a spreadsheet. Pure.

Names of campaigns and ads are anybody's text. Signs that steer a terminal or turn the direction of
reading are written out (`\\x1b`), so that they can be seen and do nothing. A spreadsheet takes a
cell that begins with `=`, `+`, `-` or `@` for a formula, whatever quotes are around it: such texts
get an apostrophe in front (OWASP, "CSV Injection"), which spreadsheets hide. Numbers are ours and
get none: a balance may be -5.00. What has to be exact is in the JSON.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from unicodedata import category

import orjson

#: A value of a cell. A `Decimal` is money or a ratio; a text is somebody's.
Cell = str | int | Decimal | bool | datetime | date | None

#: Control characters, direction marks and the like, halves of characters, unassigned ones, line and
#: paragraph separators.
_STEERING: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))

#: Joiners that names in many scripts, and emoji, are written with.
_JOINERS: Final = frozenset("\u200c\u200d")

#: Also as their wide twins, which spreadsheets read alike.
_FORMULA: Final = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")


def shown(text: str) -> str:
    """A text in one line that steers nothing."""
    if text.isprintable():
        return text
    return "".join(char if _is_harmless(char) else _written_out(char) for char in text)


def _is_harmless(char: str) -> bool:
    return char in _JOINERS or category(char) not in _STEERING


def _written_out(char: str) -> str:
    return char.encode("unicode_escape").decode()


def plain(value: Cell) -> str:
    """A value as text: no value is empty; numbers without exponent, times of UTC with Z."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%SZ}"
    return "" if value is None else shown(str(value))


def safe(value: Cell) -> str:
    """A cell of a CSV file that no spreadsheet takes for a formula."""
    text = plain(value)
    if isinstance(value, str) and text.lstrip()[:1] in _FORMULA and text.strip():
        return f"'{text}"
    return text


def csv_line(values: Iterable[Cell]) -> bytes:
    """A line of CSV (RFC 4180): commas, quotes where they are needed, CR LF, UTF-8."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow([safe(value) for value in values])
    return line.getvalue().encode()


def json_line(value: object) -> bytes:
    """A line of JSON; signs that steer a terminal are escaped in it, and come back as they were."""
    line = orjson.dumps(value)
    text = line.decode()
    if text.isprintable():
        return line
    return "".join(char if _is_harmless(char) else _json_escaped(char) for char in text).encode()


def _json_escaped(char: str) -> str:
    """`\\u202e`; as two halves beyond the first 65,536 signs."""
    units = char.encode("utf-16-be").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


def money(amount: Decimal | None, currency: str) -> str:
    """`1,234.50 EUR`; digits as TikTok gave them, two at least where it gave a fraction."""
    if amount is None:
        return ""
    exponent = amount.as_tuple().exponent
    digits = 2 if isinstance(exponent, int) and -2 < exponent < 0 else None
    text = f"{amount:,f}" if digits is None else f"{amount:,.{digits}f}"
    return f"{text} {shown(currency)}".rstrip()


def document(value: object) -> Any:
    """A value for JSON: `Decimal` as text, so that no digit is lost; times with their offset."""
    if is_dataclass(value) and not isinstance(value, type):
        return {name: document(each) for name, each in asdict(value).items()}
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): document(each) for name, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [document(each) for each in value]
    return value
