"""Every code that TikTok's SDK names has a place in the table, and the right one."""

from __future__ import annotations

import pytest

from relay.deliver.codes import MEANINGS, TABLE, VerdictKind, meaning_of
from relay.model import Reason

K = VerdictKind

#: Written down from the public documentation, apart from the code: first, last, what it means.
EXPECTED = [
    (0, 0, K.DELIVERED),
    (20001, 20001, K.PARTIAL),
    (40000, 40000, K.REJECT),
    (40001, 40001, K.PAUSE_CONFIG),
    (40002, 40002, K.REJECT),
    (40003, 40003, K.PAUSE_CONFIG),
    (40006, 40010, K.PAUSE_CONFIG),
    (40011, 40014, K.REJECT),
    (40016, 40016, K.REJECT),
    (40050, 40050, K.DELIVERED),
    (40051, 40051, K.PAUSE_CONFIG),
    (40061, 40061, K.SPLIT),
    (40062, 40062, K.REJECT),
    (40063, 40063, K.PAUSE_CONFIG),
    (40100, 40100, K.THROTTLED),
    (40101, 40101, K.PAUSE_CONFIG),
    (40102, 40110, K.PAUSE_CREDENTIAL),
    (40112, 40112, K.PAUSE_CREDENTIAL),
    (40113, 40113, K.PAUSE_CONFIG),
    (40114, 40116, K.PAUSE_CREDENTIAL),
    (40117, 40129, K.PAUSE_CONFIG),
    (40130, 40131, K.PAUSE_CREDENTIAL),
    (40132, 40133, K.THROTTLED),
    (40200, 40202, K.RETRY),
    (40300, 40302, K.PAUSE_CONFIG),
    (40309, 40309, K.PAUSE_CONFIG),
    (40400, 40400, K.PAUSE_CONFIG),
    (40502, 40502, K.REJECT),
    (40700, 40700, K.REJECT),
    (40900, 40916, K.PAUSE_CONFIG),
    (41000, 41001, K.PAUSE_CONFIG),
    (41002, 41002, K.REJECT),
    (41013, 41013, K.PAUSE_CONFIG),
    (50000, 50000, K.RETRY),
    (50002, 50002, K.RETRY),
    (51000, 51020, K.RETRY),
    (51021, 51021, K.THROTTLED),
    (51022, 51099, K.RETRY),
    (52000, 52204, K.RETRY),
    (53102, 53103, K.RETRY),
    (60001, 60001, K.RETRY),
    (61000, 61000, K.THROTTLED),
    (70001, 70001, K.PAUSE_CREDENTIAL),
]


@pytest.mark.parametrize(("first", "last", "kind"), EXPECTED)
def test_every_documented_code_is_known_and_means_what_it_should(
    first: int, last: int, kind: VerdictKind
) -> None:
    for code in range(first, last + 1):
        meaning, known = meaning_of(code)
        assert (code, known, meaning.kind) == (code, True, kind)


def test_the_table_knows_no_code_that_is_not_documented() -> None:
    documented = {code for first, last, _ in EXPECTED for code in range(first, last + 1)}

    assert set(MEANINGS) == documented


def test_only_a_single_code_overrides_a_range() -> None:
    """Two rows for one code would be a slip; one within a range is meant."""
    singles = [row.first for row in TABLE if row.first == row.last]

    assert len(singles) == len(set(singles))


def test_whatever_ends_an_event_has_a_reason() -> None:
    ends = {K.DELIVERED, K.PARTIAL, K.SPLIT, K.REJECT}
    for code, meaning in MEANINGS.items():
        assert (meaning.reason is not None) == (meaning.kind in ends), code


def test_hashing_mistakes_and_repeats_are_told_apart() -> None:
    assert MEANINGS[40062].reason is Reason.PII_NOT_HASHED
    assert MEANINGS[40050].reason is Reason.ALREADY_RECEIVED
    assert MEANINGS[40000].reason is MEANINGS[40002].reason is Reason.INVALID_PARAMS


def test_the_codes_that_ask_for_a_long_break_get_one() -> None:
    assert {code for code, meaning in MEANINGS.items() if meaning.slow} == {40132, 60001, 61000}


def test_after_a_time_out_inside_tiktok_the_outcome_is_unknown() -> None:
    assert {code for code, meaning in MEANINGS.items() if meaning.unknown} == {50002, 51010}


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (40004, K.REJECT),
        (42000, K.REJECT),
        (49999, K.REJECT),
        (50001, K.RETRY),
        (51305, K.RETRY),
        (59999, K.RETRY),
        (80000, K.RETRY),
        (999_999_999, K.RETRY),
    ],
)
def test_an_unknown_code_is_decided_by_its_range(code: int, kind: VerdictKind) -> None:
    meaning, known = meaning_of(code)

    assert (meaning.kind, known) == (kind, False)


@pytest.mark.parametrize("code", [40111, 40134, 40199])
def test_an_unknown_code_of_the_auth_family_costs_no_event(code: int) -> None:
    meaning, known = meaning_of(code)

    assert (meaning.kind, known) == (K.PAUSE_CONFIG, False)


@pytest.mark.parametrize("code", [-1, 1, 200, 10000, 20000, 20002, 30000, 39999])
def test_a_code_of_no_range_is_no_success_and_no_refusal(code: int) -> None:
    assert meaning_of(code)[0].kind is K.RETRY
