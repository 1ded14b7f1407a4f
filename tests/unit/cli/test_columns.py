"""What the columns of a table mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.cli.columns import Columns


def test_dotted_columns_are_the_fields_of_a_conversion() -> None:
    columns = Columns(
        ["event", "event_time", "user.email", "properties.contents.0.content_id",
         "properties.contents.1.content_id", "user.phone.0", "user.phone.1"]
    )  # fmt: skip

    made = columns.conversion(["Purchase", "1790000000", "a@b.de", "A", "B", "1", "2"])

    assert made == {
        "event": "Purchase",
        "event_time": "1790000000",
        "user": {"email": "a@b.de", "phone": ["1", "2"]},
        "properties": {"contents": [{"content_id": "A"}, {"content_id": "B"}]},
    }
    assert columns.missing == []
    assert columns.unknown == []


@pytest.mark.parametrize(
    ("title", "place"),
    [
        ("email", ("user", "email")),
        (" E-mail Address".replace("E-mail", "Email"), ("user", "email")),
        ("Value", ("properties", "value")),
        ("url", ("page", "url")),
        ("lead_id", ("lead", "lead_id")),
    ],
)
def test_a_name_alone_is_enough_where_it_says_which_field_is_meant(
    title: str, place: tuple[str, str]
) -> None:
    made = Columns([title]).conversion(["x"])

    assert made == {place[0]: {place[1]: "x"}}


def test_a_line_of_an_order_may_be_named_by_its_fields() -> None:
    made = Columns(["contents.0.price", "content_id"]).conversion(["1.5", "A"])

    assert made == {"properties": {"contents": [{"price": "1.5", "content_id": "A"}]}}


def test_empty_cells_are_absent_fields_and_short_rows_end_early() -> None:
    columns = Columns(["event", "email", "phone", "contents.1.price"])

    assert columns.conversion(["Purchase", "  "]) == {"event": "Purchase"}


def test_truth_is_read_where_truth_is_asked_for() -> None:
    columns = Columns(["limited_data_use", "event_id"])

    assert columns.conversion(["TRUE", "1"]) == {"limited_data_use": True, "event_id": "1"}
    assert columns.conversion(["maybe", "no"]) == {"limited_data_use": "maybe", "event_id": "no"}


@pytest.mark.parametrize(
    "title",
    ["", "colour", "user", "user.", ".email", "nobody.email", "event.name", "user.0", "0.event",
     "properties.contents.100.price", "properties.contents.0.0.price"],
)  # fmt: skip
def test_a_column_without_a_meaning_is_named_and_left_out(title: str) -> None:
    columns = Columns(["event", title])

    assert columns.unknown == [title]
    assert columns.conversion(["Purchase", "x"]) == {"event": "Purchase"}


def test_what_no_conversion_can_be_without_is_missed() -> None:
    assert Columns(["email", "timestamp"]).missing == ["event"]
    assert Columns(["email"]).missing == ["event", "event_time"]


@given(
    st.lists(st.one_of(st.text(max_size=12), st.sampled_from(
        ["user.email", "user.email.0", "user.email.3", "user.email.0.x", "properties.a.b.c",
         "properties.a", "properties.a.0", "ad.1", "contents.5.price", "contents.x.price"]
    )), max_size=8),
    st.lists(st.text(max_size=5), max_size=9),
)  # fmt: skip
def test_whatever_the_header_says_a_row_is_a_conversion(header: list[str], row: list[str]) -> None:
    assert isinstance(Columns(header).conversion(row), dict)
