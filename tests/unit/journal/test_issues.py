"""Field issues, counted."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from relay.journal import issues
from relay.journal.issues import Noted
from relay.model import FieldIssue, Reason

NOW = 7200.0
some_issues = st.lists(
    st.builds(FieldIssue, st.sampled_from(["user.phone", "é", ""]), st.sampled_from(["a", "b"]))
)
noted = st.builds(
    Noted, st.sampled_from(["Purchase", None]), st.none() | st.integers(0, 9000), some_issues
)


@given(st.lists(noted))
def test_counts_are_what_counting_one_by_one_gives(arrivals: list[Noted]) -> None:
    found = issues.count(arrivals, NOW)

    one_by_one = Counter(
        (int(NOW if each.event_time is None else each.event_time) // 3600, each.event or "", issue)
        for each in arrivals
        for issue in each.issues
    )
    assert {
        (*place, issue): count for place, row in found.items() for issue, count in row.items()
    } == one_by_one


@given(some_issues)
def test_a_row_survives_being_stored(found: list[FieldIssue]) -> None:
    row = Counter(found)

    assert issues.unpack_row(issues.pack_row(row)) == row
    assert issues.unpack_row(b"{}") == Counter()


def test_words_may_be_members_of_an_enum() -> None:
    row = Counter([FieldIssue("", Reason.TOO_LARGE), FieldIssue("", "too_large")])

    assert issues.unpack_row(issues.pack_row(row)) == {FieldIssue("", "too_large"): 2}
