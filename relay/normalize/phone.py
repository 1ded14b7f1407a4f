"""Phone numbers to E.164, without guessing: a number we cannot be sure of is not sent.

Google's libphonenumber knows how; a fast path in front of it answers the common case. The fast path
is exact: an international number whose national part does not begin with 0, has a possible length
and does not match the country's own national-prefix pattern is returned by the library unchanged.
Its tables are built from the library's own metadata; a property test holds both equal.

`is_possible_number` is asked, not `is_valid_number`: the latter refuses real numbers in ranges that
are newer than the metadata.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    SUPPORTED_REGIONS,
    NumberParseException,
    PhoneMetadata,
    PhoneNumberFormat,
    ValidationResult,
    format_number,
    is_possible_number_with_reason,
    parse,
)

#: Longer text is no phone number, and cutting it could cut a number in two.
MAX_LENGTH: Final = 40

_MARKS: Final = b" -.()/\t"
_PUNCTUATION: Final = {ord(char): None for char in " -.()/\u00a0\u202f\t"}
#: Spaces that people type and the library does not know.
_SPACES: Final = {ord(char): " " for char in "\t\u2007\u2009\u202f"}
_NORTH_AMERICAN: Final = re.compile(r"1?([2-9][0-9]{2}[2-9][0-9]{6})\Z").match
_NORTH_AMERICA: Final = frozenset({"US", "CA", "PR"})
#: Mexican mobiles had a 1 after the country code until 2020. The library refuses it.
_OLD_MEXICAN: Final = re.compile(r"\+521([0-9]{10})\Z").match
#: With its plus an E.164 number has 8 to 16 characters.
_LENGTHS: Final = frozenset(range(8, 17))
_ZERO: Final = ord("0")
#: What is typed into a mandatory field.
_INVENTED: Final = ("1234567890", "0123456789")

#: How all of them end.
_SUSPECT_ENDS: Final = frozenset({b"90", b"89", *(b"%d%d" % (n, n) for n in range(10))})

_Match = Callable[[bytes, int], re.Match[bytes] | None]


#: What the fast path must know of a calling code: where the national part begins in "+…", the
#: possible lengths of the whole, and the pattern of the national prefix. (A plain tuple, because
#: Python takes those apart three times as fast as named ones.)
_Plan = tuple[int, frozenset[int], _Match | None]

#: The numbering plan for each possible first four characters, b"+491". Empty until `warm`: then
#: the library answers alone.
_PLANS: Final[dict[bytes, _Plan]] = {}
_NO_PLAN: Final[_Plan] = (0, frozenset(), None)


def warm() -> None:
    """Load the metadata of all countries (about 100 ms, once), before the first event needs it."""
    if _PLANS:
        return
    for region in SUPPORTED_REGIONS:
        PhoneMetadata.metadata_for_region(region, None)
    for code, regions in COUNTRY_CODE_TO_REGION_CODE.items():
        metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, regions[0])
        if metadata is None or metadata.general_desc is None:
            continue
        start = 1 + len(str(code))
        prefix = metadata.national_prefix_for_parsing
        plan = (
            start,
            _LENGTHS.intersection(start + n for n in metadata.general_desc.possible_length),
            # A national part never begins with 0 on the fast path.
            re.compile(prefix.encode()).match if prefix and prefix != "0" else None,
        )
        followers = 10 ** (4 - start)
        for first_three in range(code * followers, (code + 1) * followers):
            _PLANS[b"+%d" % first_three] = plan


def international(raw: str) -> bytes | None:
    """The fast path: a number with its country code in E.164; None where the library is to ask."""
    if len(raw) > MAX_LENGTH or not raw.isascii():
        return None
    number = raw.encode().translate(None, _MARKS)
    start, lengths, prefix = _PLANS.get(number[:4], _NO_PLAN)
    if (
        len(number) in lengths
        and number[start] != _ZERO
        and number[1:].isdigit()
        and (prefix is None or not prefix(number, start))
        and (number[-2:] not in _SUSPECT_ENDS or not _is_invented(number[1:].decode()))
    ):
        return number
    return None


def e164(raw: str, region: str | None) -> str | None:
    """The number in E.164, or None when it is not one beyond doubt.

    `region` is the alpha-2 code of the country whose national numbers are understood.
    """
    if len(raw) > MAX_LENGTH:
        return None
    number = international(raw)
    if number is not None:
        return number.decode()
    if region in _NORTH_AMERICA:
        text = raw.translate(_PUNCTUATION)
        if found := _NORTH_AMERICAN(text):
            return None if _is_invented(text) else "+1" + found[1]
    return _by_library(raw, region)


def _is_invented(digits: str) -> bool:
    """One digit repeated, or counted up: possible by length, but no one's number."""
    return digits.count(digits[0]) == len(digits) or digits.endswith(_INVENTED)


# The cache holds what people typed: bounded, in memory only, never dumped or logged. National
# numbers cost 14 µs, and a customer's events come close together.
@lru_cache(maxsize=2048)
def _by_library(raw: str, region: str | None) -> str | None:
    old_mexican = _OLD_MEXICAN(raw.translate(_PUNCTUATION))
    text = f"+52{old_mexican[1]}" if old_mexican else raw.translate(_SPACES)
    try:
        number = parse(text, region)
    except NumberParseException:
        return None
    # Not "possible, local only": without its area code a number is not complete.
    if is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None
    text = format_number(number, PhoneNumberFormat.E164)
    national = text[1 + len(str(number.country_code)) :]
    typed = "".join(filter(str.isdigit, raw)) or "0"
    return None if _is_invented(typed) or not national.strip("0") else text
