"""The code table of the Marketing API: every code that its documentation lists, and the rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.management.codes import MEANINGS, Kind, meaning_of

#: Codes by what to do, as the SDK and the appendix "Return codes" have them.
DOCUMENTED = {
    Kind.OK: [0],
    Kind.PARTIAL: [20001],
    Kind.CALLER: [
        40000, 40002, 40006, 40007, 40008, 40009, 40010, 40011, 40012, 40013, 40014, 40050, 40051,
        40052, 40053, 40061, 40062, 40063, 40065, 40300, 40301, 40302, 40400, 40502, 40900, 40916,
        70001,
    ],
    Kind.CREDENTIAL: [
        40101, 40102, 40103, 40104, 40105, 40107, 40108, 40109, 40110, 40115, 40116, 40309,
    ],
    Kind.PERMISSION: [
        40001, 40003, 40106, 40112, 40113, 40114, 40117, 40118, 40119, 40120, 40121, 40122, 40124,
        40125, 40126, 40129, 40130, 40131, 41000,
    ],
    Kind.THROTTLED: [40016, 40100, 40132, 40133, 51021, 61000],
    Kind.TRANSIENT: [
        40200, 40202, 40700, 40902, 40903, 40913, 50000, 51000, 51001, 51007, 51012, 51035, 51037,
        51067, 51099, 52000, 52204, 53102, 53103, 60001,
    ],
    Kind.TIMED_OUT: [50002, 51010],
    Kind.POLL: [40201],
    Kind.RETIRED: [41001, 41002, 41013],
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "code"), [(kind, code) for kind, codes in DOCUMENTED.items() for code in codes]
)
def test_a_documented_code_means_what_is_to_be_done(kind: Kind, code: int) -> None:
    assert meaning_of(code).kind is kind
    assert meaning_of(code).known


@pytest.mark.parametrize("code", [40200, 40202, 40700])
def test_what_is_usually_the_callers_mistake_is_tried_once_more_only(code: int) -> None:
    assert meaning_of(code).once


@pytest.mark.parametrize("code", [60001, 61000])
def test_maintenance_and_black_lists_want_a_long_wait(code: int) -> None:
    assert meaning_of(code).slow


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (40199, Kind.PERMISSION),
        (40999, Kind.CALLER),
        (49999, Kind.CALLER),
        (54321, Kind.TRANSIENT),
        (69999, Kind.TRANSIENT),
        (429, Kind.CALLER),
        (-1, Kind.CALLER),
        (80000, Kind.CALLER),
    ],
)
def test_an_unknown_code_is_decided_by_its_range(code: int, kind: Kind) -> None:
    assert meaning_of(code).kind is kind
    assert not meaning_of(code).known


@given(st.integers())
def test_nothing_but_0_is_a_whole_success(code: int) -> None:
    assert (meaning_of(code).kind is Kind.OK) == (code == 0)
    assert (meaning_of(code).kind is Kind.PARTIAL) == (code == 20001)


def test_the_table_has_no_code_twice_by_accident() -> None:
    assert MEANINGS[40902].kind is Kind.TRANSIENT
    assert MEANINGS[51021].kind is Kind.THROTTLED
