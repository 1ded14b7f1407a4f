"""Fields of answers: exact, lenient where TikTok adds, strict where it changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.management.errors import About, AnswerUnreadable
from relay.management.fields import Record, decimal_of, moment_of
from relay.management.models.accounts import read_advertiser, read_business_center
from relay.management.models.advice import read_suggestions
from relay.management.models.changes import read_edits
from relay.management.models.events import read_custom_conversion, read_pixel
from relay.management.models.hierarchy import read_ad, read_adgroup, read_campaign, window_days
from relay.management.zones import zone_named

ABOUT = About("/campaign/get/", "7106541027904733185")


def a_record(text: str) -> Record:
    return Record(orjson.loads(text), ABOUT)


def field_of(read: Callable[[], object]) -> str | None:
    with pytest.raises(AnswerUnreadable) as caught:
        read()
    assert caught.value.endpoint == "/campaign/get/"
    return caught.value.field


# --- ids and money --------------------------------------------------------------------------------


@given(st.integers(min_value=0, max_value=2**64 - 1))
def test_an_id_is_the_same_as_a_number_and_as_a_text(number: int) -> None:
    assert a_record(f'{{"id":{number}}}').id("id") == str(number)
    assert a_record(f'{{"id":"{number}"}}').id("id") == str(number)


def test_an_id_beyond_64_bits_is_refused_and_not_rounded() -> None:
    assert field_of(lambda: a_record(f'{{"id":{2**70}}}').id("id")) == "id"


def test_an_id_that_went_through_a_float_is_refused() -> None:
    assert field_of(lambda: a_record('{"id":1.790018437245954e15}').id("id")) == "id"


@given(st.decimals(min_value=0, max_value=Decimal("9999999999.99"), places=2))
def test_money_of_a_json_number_has_no_error(amount: Decimal) -> None:
    assert a_record(f'{{"budget":{amount}}}').money("budget") == amount
    assert a_record(f'{{"budget":"{amount}"}}').money("budget") == amount


def test_money_is_what_the_json_says_and_not_its_binary_fraction() -> None:
    assert str(a_record('{"budget":0.1}').money("budget")) == "0.1"


@pytest.mark.parametrize("text", ["null", '"-"', '""'])
def test_what_has_no_value_is_none_and_never_0(text: str) -> None:
    record = a_record(f'{{"spend":{text}}}')

    assert record.money("spend") is None
    assert record.count("spend") is None
    assert record.money("missing") is None


@pytest.mark.parametrize(
    "text", ["true", "[1]", '{"a":1}', '"1,5"', '"NaN"', '"Infinity"', '"1_0"']
)
def test_what_is_no_number_says_where_it_stands(text: str) -> None:
    assert field_of(lambda: a_record(f'{{"spend":{text}}}').money("spend")) == "spend"


def test_an_error_names_the_place_and_never_the_value() -> None:
    record = a_record('{"list":[{"a":{}},{"a":{"id":["s3cret-value"]}}]}')
    row = list(record.records("list"))[1].record("a")
    assert row is not None

    with pytest.raises(AnswerUnreadable) as caught:
        row.id("id")

    assert caught.value.field == "list[1].a.id"
    assert "list[1].a.id" in str(caught.value)
    assert "/campaign/get/" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_whole_numbers_may_come_in_quotes_and_fractions_are_none() -> None:
    assert a_record('{"n":"12"}').count("n") == 12
    assert a_record('{"n":"12.0"}').count("n") == 12
    assert field_of(lambda: a_record('{"n":"12.5"}').count("n")) == "n"


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text() | st.integers(), st.lists))
def test_any_value_is_a_number_or_none(value: object) -> None:
    found = decimal_of(value)

    assert found is None or found.is_finite()


# --- times and zones ------------------------------------------------------------------------------


MOMENT = datetime(2026, 10, 1, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "2026-10-01 08:00:00",
        "2026-10-01T08:00:00Z",
        "2026-10-01T10:00:00+02:00",
        "2026-10-01 08:00",
        1790841600,
        1790841600000,
        "1790841600",
    ],
)
def test_all_forms_of_time_are_read(value: object) -> None:
    assert moment_of(value) == MOMENT


@pytest.mark.parametrize(
    "value", ["soon", "2026-13-01 00:00:00", 10**30, [1], True, 1.5, "²²²²²²²²²"]
)
def test_what_is_no_time_is_none(value: object) -> None:
    assert moment_of(value) is None


@pytest.mark.parametrize(
    ("name", "hours"),
    [
        ("Etc/GMT-1", 1), ("Etc/GMT+8", -8), ("Etc/GMT-14", 14), ("Etc/GMT", 0), ("UTC", 0),
        ("Etc/UTC", 0), ("GMT", 0), ("UTC+08:00", 8), ("GMT-03:30", -3.5), ("+05:30", 5.5),
    ],
)  # fmt: skip
def test_the_sign_of_etc_zones_is_posix_s(name: str, hours: float) -> None:
    zone = zone_named(name)

    assert zone is not None
    assert datetime(2026, 7, 1, tzinfo=zone).utcoffset() == timedelta(hours=hours)


def test_a_named_zone_has_summer_time() -> None:
    zone = zone_named("Europe/Berlin")

    assert datetime(2026, 7, 1, tzinfo=zone).utcoffset() == timedelta(hours=2)
    assert datetime(2026, 1, 1, tzinfo=zone).utcoffset() == timedelta(hours=1)


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "Etc/GMT+99", "UTC+99:00"])
def test_an_unknown_zone_is_none(name: str) -> None:
    assert zone_named(name) is None


def test_an_account_in_an_unknown_zone_can_be_read_but_not_be_reckoned_in() -> None:
    found = read_advertiser(a_record('{"advertiser_id":"7","timezone":"Mars/Olympus"}'))

    assert found.timezone == "Mars/Olympus"
    with pytest.raises(AnswerUnreadable, match="time zone data"):
        _ = found.zone


# --- models ---------------------------------------------------------------------------------------


CAMPAIGN = '{"campaign_id":1790018437245954,"objective_type":"NEW_ONE","brand_new_field":{"a":1}}'


def test_unknown_words_and_fields_break_nothing() -> None:
    campaign = read_campaign(a_record(CAMPAIGN))

    assert campaign.campaign_id == "1790018437245954"
    assert campaign.objective_type == "NEW_ONE"
    assert campaign.modify_time is None


def test_an_ad_of_smart_plus_has_no_time_of_change() -> None:
    ad = read_ad(
        a_record(
            '{"ad_id":"1","adgroup_id":"2","campaign_id":"3","modify_time":null,'
            '"tracking_pixel_id":7291000000000000077,"utm_params":[{"key":"a","value":"b"}]}'
        )
    )

    assert ad.modify_time is None
    assert ad.tracking_pixel_id == "7291000000000000077"
    assert ad.utm_params == (("a", "b"),)


def test_old_answers_write_flags_as_numbers() -> None:
    group = read_adgroup(
        a_record('{"adgroup_id":"1","campaign_id":"2","skip_learning_phase":1,"budget":20.5}')
    )

    assert group.skip_learning_phase is True
    assert group.budget == Decimal("20.5")


def test_windows_are_days_and_new_ones_unknown() -> None:
    assert window_days("OFF") == 0
    assert window_days("TWENTY_EIGHT_DAYS") == 28
    assert window_days("NINETY_DAYS") is None
    assert window_days(None) is None


@pytest.mark.parametrize(
    "read", [read_campaign, read_adgroup, read_ad, read_pixel, read_advertiser,
             read_business_center, read_custom_conversion],
)  # fmt: skip
def test_a_row_without_its_id_says_so(read: Callable[[Record], object]) -> None:
    assert field_of(lambda: read(a_record("{}"))) is not None


def test_diagnosis_is_one_line_for_each_suggestion() -> None:
    found = list(
        read_suggestions(
            a_record(
                '{"adgroup_id":"1","diagnosis":{"suggestions":[{"creative":[],"event_track":'
                '[{"issue_suggestion":"PIXEL","pixel_code":"C0","suggestion_id":5}]}]}}'
            )
        )
    )

    assert [(each.category, each.issue, each.pixel_code) for each in found] == [
        ("EVENT_TRACK", "PIXEL", "C0")
    ]


# --- the change log -------------------------------------------------------------------------------

LOG = (
    "Budget changes,0\r\nStatus changes,1\r\n\r\n"
    "Time,log_object_type,Object ID,Object,Operator,Source,App ID,Activity details\r\n"
    '2026-02-02 04:05,Ad group,1846211451413538,"On/Off, Status",y***n@gmail.com,Marketing API,75,'
    '"[{""action"": ""Change "", ""name"": ""Ad group"", ""before_after"": '
    '[{""before"": ""b\'Paused\'"", ""after"": ""b\'Enabled\'""}]}]"\r\n'
)


def a_log(file_data: str, *, as_text: bool = True) -> Record:
    log: Any = {"file_data": file_data, "file_name": "1.csv"}
    changelog = orjson.dumps(log).decode() if as_text else log
    return Record({"changelog": changelog, "status": "SUCCESS"}, ABOUT)


@pytest.mark.parametrize("as_text", [True, False])
def test_a_log_wrapped_in_python_bytes_is_read(*, as_text: bool) -> None:
    (edit,) = read_edits(a_log(repr(LOG.encode()), as_text=as_text), UTC)

    assert edit.at == datetime(2026, 2, 2, 4, 5, tzinfo=UTC)
    assert (edit.object_type, edit.object_id) == ("Ad group", "1846211451413538")
    assert edit.what == "On/Off, Status"
    assert (edit.details[0].before, edit.details[0].after) == ("Paused", "Enabled")


def test_who_made_an_edit_is_not_kept() -> None:
    assert "gmail" not in repr(read_edits(a_log(repr(LOG.encode())), UTC))


@pytest.mark.parametrize(
    "file_data", ["b'cut", "b'\\", LOG + "half,a,line\r\n", LOG.replace("2026-02-02 04:05", "then")]
)
def test_a_log_that_is_not_whole_says_so(file_data: str) -> None:
    assert field_of(lambda: read_edits(a_log(file_data), UTC)) == "changelog.file_data"


def test_an_empty_log_has_no_edits() -> None:
    assert read_edits(Record({}, ABOUT), UTC) == []
