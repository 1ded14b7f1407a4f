"""Our own language, and TikTok's own endpoint."""

from __future__ import annotations

import json
from typing import Any

import pytest

from relay.errors import PayloadRefused
from relay.sources.dropin import tiktok_event_track
from relay.sources.protocol import Conversions

EVENT = {"event": "Lead", "event_time": 1787227402, "user": {"email": "a@example.com"}}


def test_one_conversion_or_an_array_is_read_as_it_stands(make: Any, read: Any) -> None:
    source = make("canonical")

    assert read(source, EVENT) == Conversions([EVENT])
    assert read(source, [EVENT, 5, None]) == Conversions([EVENT, 5, None])
    assert read(source, []) == Conversions([])


@pytest.mark.parametrize(
    ("body", "reason"), [(b"{", "not_json"), (b"", "not_json"), (b"5", "not_an_object")]
)
def test_anything_else_is_refused(body: bytes, reason: str, make: Any, read: Any) -> None:
    with pytest.raises(PayloadRefused, match=reason):
        read(make("canonical"), body)


def test_a_canonical_source_has_no_unsigned_ping(make: Any) -> None:
    assert not make("canonical").is_ping(b"webhook_id=7", {})


def test_a_request_to_tiktoks_endpoint_is_its_items_and_whose_they_are() -> None:
    request = {"event_source": "web", "event_source_id": "C0PIXEL", "data": [EVENT, EVENT]}

    track = tiktok_event_track(json.dumps(request).encode())

    assert (track.event_source, track.event_source_id) == ("web", "C0PIXEL")
    assert track.items == [EVENT, EVENT]


def test_the_requests_test_code_is_in_every_item() -> None:
    request = {"event_source": "web", "data": [EVENT, 5], "test_event_code": "TEST1"}

    track = tiktok_event_track(json.dumps(request).encode())

    assert track.items == [{**EVENT, "test_event_code": "TEST1"}, 5]


@pytest.mark.parametrize("code", [None, ""])
def test_an_empty_test_code_is_none(code: Any) -> None:
    request = {"data": [EVENT], "test_event_code": code}

    assert tiktok_event_track(json.dumps(request).encode()).items == [EVENT]


def test_a_number_where_tiktok_wants_a_string_is_no_id() -> None:
    request = {"event_source": 5, "event_source_id": 123, "data": []}

    track = tiktok_event_track(json.dumps(request).encode())

    assert (track.event_source, track.event_source_id) == (None, None)


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"x", "not_json"), (b"[]", "not_an_object"), (b"{}", "no_data"), (b'{"data":{}}', "no_data")],
)
def test_a_request_without_items_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(PayloadRefused, match=reason):
        tiktok_event_track(body)
