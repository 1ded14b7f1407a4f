"""Phone numbers: the fast path equals the library, and what is in doubt is not sent."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relay.normalize import phone

phone.warm()

SEPARATORS = ["", " ", "-", ".", "(", ")", "/", "\u00a0", "\u202f", "\t", "(0)", "+", "x", "00"]
REGIONS = [None, "US", "CA", "PR", "GB", "DE", "IT", "MX", "AR", "RU", "CN", "KZ", "GG", "BR", "VA"]
CODES = [str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE]

digits = st.text("0123456789", min_size=0, max_size=15)
chunks = st.lists(st.one_of(digits, st.sampled_from(SEPARATORS)), min_size=1, max_size=8)
international = st.builds(
    lambda code, rest: f"+{code}" + "".join(rest), st.sampled_from(CODES), chunks
)
national = st.builds("".join, chunks)


def by_library(raw: str, region: str | None) -> str | None:
    return phone._by_library.__wrapped__(raw, region)


@given(st.one_of(international, national), st.sampled_from(REGIONS))
@example("+1 (0)213 373 4253", "US")
@example("1-213-373-4253", "CA")
@example("+49 (0)30 123456", "DE")
def test_the_fast_path_says_what_the_library_says(raw: str, region: str | None) -> None:
    if len(raw) <= phone.MAX_LENGTH:
        assert phone.e164(raw, region) == by_library(raw, region)


FORMATS = [
    phonenumbers.PhoneNumberFormat.E164,
    phonenumbers.PhoneNumberFormat.INTERNATIONAL,
    phonenumbers.PhoneNumberFormat.NATIONAL,
    phonenumbers.PhoneNumberFormat.RFC3966,
]
TYPES = [kind for kind in phonenumbers.PhoneNumberType.values() if kind != 99]


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_every_example_number_of_the_library_is_read_alike(region: str) -> None:
    for kind in TYPES:
        number = phonenumbers.example_number_for_type(region, kind)
        if number is None:
            continue
        for form in FORMATS:
            raw = phonenumbers.format_number(number, form)
            assert phone.e164(raw, region) == by_library(raw, region)
            assert phone.e164(raw, None) == by_library(raw, None)


@pytest.mark.parametrize(
    ("raw", "region", "number"),
    [
        ("+44 (0)7700 900123", None, "+447700900123"),
        ("0044 7700 900123", "GB", "+447700900123"),
        ("011 44 7700 900123", "US", "+447700900123"),
        ("07700 900123", "GB", "+447700900123"),
        ("447700900123", "GB", "+447700900123"),
        ("06 1234 5678", "IT", "+390612345678"),
        ("011 15-2345-6789", "AR", "+5491123456789"),
        ("+52 1 55 1234 5678", None, "+525512345678"),
        ("+1 202 555 0143 x123", None, "+12025550143"),
        ("8 (912) 345-67-89", "RU", "+79123456789"),
        ("(213) 373-4253", "US", "+12133734253"),
        ("1 213 373 4253", "CA", "+12133734253"),
        ("tel:+1-213-373-4253", None, "+12133734253"),
        ("+54 297 153 45890", None, "+549297345890"),
        ("+375 8 029 491 19 11", None, "+375294911911"),
        ("\uff0b\uff14\uff14 7700 900123", None, "+447700900123"),
    ],
)
def test_a_number_is_read_as_it_is_dialled(raw: str, region: str | None, number: str) -> None:
    assert phone.e164(raw, region) == number


@pytest.mark.parametrize(
    ("raw", "region"),
    [
        ("07700 900123", "US"),
        ("07700 900123", None),
        ("555-1234", "US"),  # no area code
        ("0000000000", "US"),
        ("+1 000 000 0000", None),
        ("+11111111111", None),
        ("1234567890", "US"),
        ("+1 123 456 7890", None),
        ("+44 1234567890", None),
        ("0123456789", "FR"),
        ("no phone", "US"),
        ("", "US"),
        ("+", None),
        ("+999 12345678", None),
        ("+44 7700 900123" + " " * 40, None),
    ],
)
def test_a_number_in_doubt_is_none(raw: str, region: str | None) -> None:
    assert phone.e164(raw, region) is None


def test_the_cache_of_what_people_typed_is_bounded() -> None:
    for number in range(5000):
        phone.e164(f"07700 {number:06d}", "GB")

    info = phone._by_library.cache_info()
    assert info.maxsize is not None
    assert info.currsize <= info.maxsize <= 4096
