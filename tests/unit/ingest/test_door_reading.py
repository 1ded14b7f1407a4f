"""Addresses, headers, keys and gzip, as the door reads them."""

from __future__ import annotations

import contextlib
import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from relay.ingest.gunzip import gunzip
from relay.ingest.headers import bearer, in_lower_case, is_encoded, is_gzip
from relay.ingest.keys import Keys
from relay.ingest.refusals import BAD_ENCODING, TOO_LARGE, TurnedAway
from relay.ingest.routes import Kind, Place, place_of

# --- addresses -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ("/v1/events", Place(Kind.EVENTS)),
        ("/v1/events?trace=1", Place(Kind.EVENTS)),
        ("http://relay.example/v1/events", Place(Kind.EVENTS)),
        ("/open_api/v1.3/event/track/", Place(Kind.EVENT_TRACK)),
        ("/open_api/v1.3/event/track", Place(Kind.EVENT_TRACK)),
        ("/open_api/v1.3/event/track/?x", Place(Kind.EVENT_TRACK)),
        ("/webhooks/shop-eu", Place(Kind.WEBHOOK, "shop-eu")),
        ("/webhooks/shop-eu?topic=a/b", Place(Kind.WEBHOOK, "shop-eu")),
        ("/webhooks/", Place(Kind.WEBHOOK, "")),
        ("/webhooks/../v1/events", Place(Kind.WEBHOOK, "../v1/events")),
        ("/v1/events/", None),
        ("/V1/events", None),
        ("/v1/%65vents", None),
        ("//v1/events", None),
        ("/", None),
        ("*", None),
        ("http://[broken/v1/events", None),
    ],
)
def test_an_address_is_one_place_or_none(target: str, place: Place | None) -> None:
    assert place_of(target) == place


# --- headers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("Bearer abc", "abc"),
        ("bearer abc", "abc"),
        ("BEARER  abc ", "abc"),
        ("Bearer", ""),
        ("Bearer ", ""),
        ("Basic YWJj", ""),
        ("abc", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_a_bearer_key_is_read_whatever_the_case_of_its_scheme(header: str, key: str) -> None:
    assert bearer(header) == key


def test_a_repeated_header_counts_with_its_first_value() -> None:
    headers = CIMultiDict([("X-Signature", "first"), ("x-signature", "second"), ("Host", "a")])

    assert in_lower_case(headers) == {"x-signature": "first", "host": "a"}


def test_header_bytes_that_are_no_text_become_question_marks() -> None:
    assert in_lower_case({"X-Name": "a\udcff", "X-City": "Köln"}) == {
        "x-name": "a?",
        "x-city": "Köln",
    }


def test_identity_is_no_encoding_and_x_gzip_is_gzip() -> None:
    assert not is_encoded(None)
    assert not is_encoded(" Identity ")
    assert not is_encoded("")
    assert is_encoded("gzip")
    assert is_gzip("GZip ")
    assert is_gzip("x-gzip")
    assert not is_gzip("gzip, gzip")
    assert not is_gzip("br")


# --- keys ---------------------------------------------------------------------------------------


def test_a_key_belongs_to_its_source() -> None:
    keys = Keys({"backend": ["old", "new"], "import": ["other"]})

    assert keys.source_of("old") == keys.source_of("new") == "backend"
    assert keys.source_of("other") == "import"
    assert keys.source_of("wrong") is None


def test_an_empty_key_opens_nothing() -> None:
    assert Keys({"backend": [""]}).source_of("") is None


def test_a_key_of_two_sources_belongs_to_the_first() -> None:
    assert Keys({"one": ["same"], "two": ["same"]}).source_of("same") == "one"


def test_replaced_keys_are_worth_nothing_any_more() -> None:
    keys = Keys({"backend": ["old"]})

    keys.replace({"backend": ["new"]})

    assert keys.source_of("old") is None
    assert keys.source_of("new") == "backend"


def test_a_key_may_hold_bytes_that_are_no_text() -> None:
    assert Keys({"backend": ["right"]}).source_of("wr\udcffng") is None


def test_keys_show_no_key() -> None:
    keys = Keys({"backend": ["a-secret-value"]})

    assert "a-secret-value" not in repr(vars(keys))


# --- gzip ---------------------------------------------------------------------------------------


def decoded(data: bytes, max_bytes: int = 16_000_000) -> bytes:
    return b"".join(gunzip(data, max_bytes=max_bytes))


@given(st.lists(st.binary(max_size=3000), min_size=1, max_size=4))
def test_gzip_of_one_or_several_members_is_decoded(members: list[bytes]) -> None:
    data = b"".join(gzip.compress(member) for member in members)

    assert decoded(data) == b"".join(members)


@given(st.binary(max_size=300))
def test_whatever_is_sent_as_gzip_is_decoded_or_refused(data: bytes) -> None:
    for sent in (data, gzip.compress(b"conversion")[:10] + data):
        read = None
        with contextlib.suppress(TurnedAway):
            read = decoded(sent)
        assert read is None or read == gzip.decompress(sent)


def test_a_body_of_just_the_limit_passes_and_one_byte_more_does_not() -> None:
    assert decoded(gzip.compress(b"a" * 5000), max_bytes=5000) == b"a" * 5000

    with pytest.raises(TurnedAway) as away:
        decoded(gzip.compress(b"a" * 5001), max_bytes=5000)
    assert away.value.refused is TOO_LARGE


def test_a_bomb_is_refused_long_before_it_is_unpacked() -> None:
    bomb = gzip.compress(bytes(50_000_000), 1)
    unpacked: list[int] = []

    with pytest.raises(TurnedAway) as away:
        unpacked.extend(len(piece) for piece in gunzip(bomb, max_bytes=3_000_000))

    assert away.value.refused is TOO_LARGE
    assert 0 < sum(unpacked) <= 3_000_000


def test_no_piece_is_larger_than_a_mebibyte() -> None:
    data = gzip.compress(bytes(5_000_000))

    assert max(len(piece) for piece in gunzip(data, max_bytes=16_000_000)) == 1024 * 1024


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        gzip.compress(b"cut short")[:-1],
        gzip.compress(b"wrong sum")[:-8] + bytes(8),
        gzip.compress(b"and then") + b"garbage",
        zlib.compress(b"deflate is not gzip"),
    ],
    ids=["nothing", "json", "cut short", "wrong sum", "and then", "deflate"],
)
def test_what_is_not_sound_gzip_is_refused(data: bytes) -> None:
    with pytest.raises(TurnedAway) as away:
        decoded(data)

    assert away.value.refused is BAD_ENCODING


def test_a_heap_of_empty_members_is_refused() -> None:
    with pytest.raises(TurnedAway) as away:
        decoded(gzip.compress(b"") * 5000)

    assert away.value.refused is BAD_ENCODING
