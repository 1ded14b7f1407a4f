"""Mangled payloads: whatever a verified body holds, a reading or `PayloadRefused` comes of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.errors import PayloadRefused
from relay.sources import registry
from relay.sources.protocol import Control, Conversions, Ignored, Source

FIXTURES = Path(__file__).parents[2] / "vectors" / "fixtures"
OPTIONS: dict[str, dict[str, object]] = {
    "shopify": {"test_event_code": "T1", "value_basis": "net", "require_browser": False},
    "woocommerce": {"value_basis": "without_shipping", "renewals": True},
    "stripe": {
        "registrations": True,
        "payment_intents": True,
        "value_basis": "net",
        "test_event_code": "T1",
    },
}
SOURCES = {kind: registry.build(kind, "shop", ["x"], options) for kind, options in OPTIONS.items()}
TOPICS = {
    "shopify": ["orders/create", "checkouts/create", "carts/update", "carts/create",
                "customers/create", "customers/redact"],
    "woocommerce": ["order.created", "order.updated", "customer.created"],
    "stripe": [""],
}  # fmt: skip
PAYLOADS = {
    kind: [
        json.loads(path.read_bytes())
        for path in sorted((FIXTURES / kind).glob("*.json"))
        if not path.name.startswith("_")
    ]
    for kind in SOURCES
}
REPLACEMENTS: st.SearchStrategy[object] = st.sampled_from(
    [None, [], {}, "", " ", 0, -1, 1.5, 1e308, True, "x", "9" * 400, 2**63, [None], {"id": {}},
     [[]], "2026-13-45T99:99:99Z", "0001-01-01T00:00:00+14:00", "-1.00", "1e5", "NaN",
     [{"name": 5}]]
)  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in inner:
        yield (*path, key)
        if isinstance(each, dict | list):
            yield from _places(each, (*path, key))


PLACES = {kind: [list(_places(each)) for each in bodies] for kind, bodies in PAYLOADS.items()}


@st.composite
def mangled(draw: st.DrawFn) -> tuple[str, str, bytes]:
    """(kind, topic, body): a fixture with a few members replaced by something else."""
    kind = draw(st.sampled_from(sorted(SOURCES)))
    at = draw(st.integers(0, len(PAYLOADS[kind]) - 1))
    body = json.loads(json.dumps(PAYLOADS[kind][at]))
    for path in draw(st.lists(st.sampled_from(PLACES[kind][at]), min_size=1, max_size=6)):
        _replace(body, path, deepcopy(draw(REPLACEMENTS)))
    return kind, draw(st.sampled_from(TOPICS[kind])), json.dumps(body).encode()


def _replace(body: Any, path: tuple[Any, ...], value: Any) -> None:
    """Put a value in a place, if an earlier replacement has left the place there."""
    *parents, last = path
    with suppress(KeyError, IndexError, TypeError):
        for step in parents:
            body = body[step]
        body[last] = value


def _read(source: Source, kind: str, topic: str, body: bytes) -> None:
    headers = {"x-shopify-topic": topic, "x-wc-webhook-topic": topic}
    try:
        reading = source.read(body, headers, now=0, recall=lambda key: None)
    except PayloadRefused:
        return
    assert isinstance(reading, Conversions | Ignored | Control)
    if isinstance(reading, Conversions):
        json.dumps(reading.items, allow_nan=False)
        assert "None" not in [item.get("event_id") for item in reading.items]  # type: ignore[attr-defined]  # mappings here


@given(mangled())
def test_mangled_fixtures_never_raise_anything_else(case: tuple[str, str, bytes]) -> None:
    kind, topic, body = case

    _read(SOURCES[kind], kind, topic, body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)


@given(kind=st.sampled_from(sorted(SOURCES)), value=JSON, data=st.data())
def test_any_json_at_all_is_a_reading_or_refused(kind: str, value: Any, data: Any) -> None:
    topic = data.draw(st.sampled_from(TOPICS[kind]))

    _read(SOURCES[kind], kind, topic, json.dumps(value).encode("utf-8", "replace"))


@pytest.mark.parametrize("kind", sorted(SOURCES))
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not_json"),
        (b"webhook_id=7", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b'{"a":NaN}', "not_json"),
        (b"[" * 100_000, "not_json"),
        (b"[]", "not_an_object"),
        (b"null", "not_an_object"),
    ],
)
def test_what_is_no_json_object_is_refused_with_its_reason(
    kind: str, body: bytes, reason: str
) -> None:
    with pytest.raises(PayloadRefused, match=reason):
        SOURCES[kind].read(body, {}, now=0, recall=lambda key: None)
