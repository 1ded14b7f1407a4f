"""Digests by vector: TikTok's printed ones, and those that wrong implementations send."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from relay.model import EventSource
from relay.normalize.digest import POISON
from tests.unit.normalize.sending import Sending

_FILE = Path(__file__).parents[2] / "vectors" / "hash_vectors.json"
VECTORS: list[dict[str, Any]] = json.loads(_FILE.read_text())["vectors"]
PERSONAL = ("email", "phone", "external_id", "first_name", "last_name", "zip_code")


def _expecting(expect: str) -> list[Any]:
    return [
        pytest.param(vector, id=vector["name"])
        for vector in VECTORS
        if vector["context"]["expect"] == expect
    ]


def _sent(vector: dict[str, Any]) -> object:
    """What is sent for a vector's input, with advertising ids hashed, as the vectors have them."""
    field, context = vector["field"], vector["context"]
    source = EventSource.APP if field in ("idfa", "gaid") else EventSource.WEB
    sending = Sending(
        source,
        default_country=context.get("region"),
        cn_phone_without_country_code=context.get("switch") == "cn86",
        hash_idfa=True,
        hash_gaid=True,
    )
    sent = sending.wire(user={field: vector["input"]})
    return sent.get("user", {}).get(field)


@pytest.mark.parametrize("vector", _expecting("equal"))
def test_the_right_digest_is_sent(vector: dict[str, Any]) -> None:
    assert _sent(vector) == vector["sha256"]


@pytest.mark.parametrize("vector", _expecting("differ"))
def test_the_digest_of_a_wrong_normalization_is_never_sent(vector: dict[str, Any]) -> None:
    sent = _sent(vector)

    assert sent is not None
    assert vector["sha256"] not in (sent if isinstance(sent, list) else [sent])


def test_an_array_has_one_digest_per_element() -> None:
    vector = next(vector for vector in VECTORS if vector["name"] == "A14")

    assert _sent(vector) == [Sending().user(email=one)["email"] for one in vector["input"]]


@pytest.mark.parametrize("field", PERSONAL)
@pytest.mark.parametrize("vector", _expecting("block"))
def test_a_meaningless_value_is_not_sent(vector: dict[str, Any], field: str) -> None:
    assert Sending().user(**{field: vector["input"]}) == {}


@pytest.mark.parametrize("field", PERSONAL)
@pytest.mark.parametrize("vector", _expecting("block"))
def test_the_digest_of_a_meaningless_value_is_refused(vector: dict[str, Any], field: str) -> None:
    digest = vector["sha256"].upper()

    assert digest.lower() in POISON
    assert Sending().flaws(user={field: digest}) == {f"user.{field}": "poison_digest"}
