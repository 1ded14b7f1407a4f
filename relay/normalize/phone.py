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
from typing import Final, NamedTuple

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

_PUNCTUATION: Final = {ord(char): None for char in " -.()/\u00a0\u202f\t"}
#: Spaces that people type and the library does not know.
_SPACES: Final = {ord(char): " " for char in "\t\u2007\u2009\u202f"}
_INTERNATIONAL: Final = re.compile(r"\+[1-9][0-9]{6,14}\Z").match
_NORTH_AMERICAN: Final = re.compile(r"1?([2-9][0-9]{2}[2-9][0-9]{6})\Z").match
_NORTH_AMERICA: Final = frozenset({"US", "CA", "PR"})
#: Mexican mobiles had a 1 after the country code until 2020. The library refuses it.
_OLD_MEXICAN: Final = re.compile(r"\+521([0-9]{10})\Z").match
#: What is typed into a mandatory field.
_INVENTED: Final = ("1234567890", "0123456789")

_SUSPECT_ENDS: Final = frozenset({"90", "89", *(digit * 2 for digit in "0123456789")})

_Match = Callable[[str, int], re.Match[str] | None]


class _Plan(NamedTuple):
    """What the fast path must know of a calling code.

    `start` is where the national part begins in "+…", `lengths` the possible lengths of the whole.
    """

    start: int
    lengths: frozenset[int]
    national_prefix: _Match | None


#: The numbering plan for each possible first three digits after the plus. Empty until `warm`:
#: then the library answers alone.
_PLANS: Final[dict[str, _Plan]] = {}
_NO_PLAN: Final = _Plan(0, frozenset(), None)


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
        plan = _Plan(
            start,
            frozenset(start + n for n in metadata.general_desc.possible_length if n > 0),
            # A national part never begins with 0 on the fast path.
            re.compile(prefix).match if prefix and prefix != "0" else None,
        )
        followers = 10 ** (4 - start)
        for first_three in range(code * followers, (code + 1) * followers):
            _PLANS[str(first_three)] = plan


def e164(raw: str, region: str | None) -> str | None:
    """The number in E.164, or None when it is not one beyond doubt.

    `region` is the alpha-2 code of the country whose national numbers are understood.
    """
    if len(raw) > MAX_LENGTH:
        return None
    text = raw if _INTERNATIONAL(raw) else raw.translate(_PUNCTUATION)
    if text is raw or _INTERNATIONAL(text):
        start, lengths, prefix = _PLANS.get(text[1:4], _NO_PLAN)
        if (
            len(text) in lengths
            and text[start] != "0"
            and (prefix is None or not prefix(text, start))
        ):
            return None if text[-2:] in _SUSPECT_ENDS and _is_invented(text[1:]) else text
    elif region in _NORTH_AMERICA and (found := _NORTH_AMERICAN(text)):
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
