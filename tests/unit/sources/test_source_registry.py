"""Building sources: kinds by name, and every mistake in their options."""

from __future__ import annotations

from typing import Any

import pytest

from relay.errors import ConfigError
from relay.sources import registry


def _mistakes(*arguments: Any, under: str = "sources[0]") -> dict[str, tuple[str, str]]:
    with pytest.raises(ConfigError) as caught:
        registry.build(*arguments, under=under)
    return {each.key: (each.problem, each.mend) for each in caught.value.mistakes}


def test_every_kind_can_be_built() -> None:
    kinds = {"shopify", "woocommerce", "stripe", "canonical", "custom", "kafka"}
    assert kinds <= set(registry.kinds())
    needed: dict[str, dict[str, object]] = {
        "custom": {"mapping": {"event": "'Lead'"}},
        "kafka": {"brokers": "kafka:9092", "topics": ["orders"], "group": "relay"},
    }
    for kind in registry.kinds():
        source = registry.build(kind, "mine", ["a-secret"], needed.get(kind, {}))

        assert (source.name, source.kind) == ("mine", kind)


@pytest.mark.parametrize(
    "kind", ["shopfy", "registry", "signature", "", "..errors", "os", "cloudevents"]
)
def test_an_unknown_kind_is_a_mistake_that_lists_the_kinds(kind: str) -> None:
    problem, mend = _mistakes(kind, "mine", [], {})["sources[0].kind"]

    assert problem == "no source is of this kind"
    assert all(known in mend for known in registry.kinds())


def test_every_mistake_in_the_options_is_told_at_once() -> None:
    options = {
        "purchase_on": "orders/updated",
        "chanels": ["web"],
        "shop_url": "shop",
        "purchase": 5,
    }

    mistakes = _mistakes("shopify", "mine", ["s"], options)

    assert mistakes.keys() == {
        "sources[0].purchase_on",
        "sources[0].chanels",
        "sources[0].shop_url",
        "sources[0].purchase",
    }
    assert "orders/paid" in mistakes["sources[0].purchase_on"][1]
    assert "`channels`" in mistakes["sources[0].chanels"][1]


def test_mistakes_inside_a_mapping_stand_beside_those_of_other_options() -> None:
    options = {
        "mapping": {"event": "'Lead'", "user": {"email": "lowr(a)", "phone": "a b"}},
        "signature": {"header": "x sig"},
        "max_bytes": "1TB",
    }

    assert _mistakes("custom", "mine", ["s"], options).keys() == {
        "sources[0].mapping.user.email",
        "sources[0].mapping.user.phone",
        "sources[0].signature.header",
        "sources[0].max_bytes",
    }


@pytest.mark.parametrize(
    "scheme",
    [
        {"header": "x", "signed": "timestamp.body"},
        {"header": "x", "signed": "id.timestamp.body", "timestamp_header": "t"},
    ],
)
def test_a_scheme_must_name_where_its_signed_parts_are(scheme: dict[str, object]) -> None:
    options = {"mapping": {"event": "'Lead'"}, "signature": scheme}

    assert _mistakes("custom", "mine", ["s"], options).keys() == {"sources[0].signature"}


@pytest.mark.parametrize("kind", ["shopify", "woocommerce", "stripe"])
@pytest.mark.parametrize("secrets", [[], [""], ["good", "\n"]])
def test_a_signing_source_needs_usable_secrets(kind: str, secrets: list[str]) -> None:
    assert _mistakes(kind, "mine", secrets, {}).keys() == {"sources[0].secrets"}


def test_a_secret_that_should_be_base64_and_is_not_is_a_mistake_that_does_not_show_it() -> None:
    scheme = {"header": "x", "secret_encoding": "base64", "secret_prefix": "whsec_"}
    options = {"mapping": {"event": "'Lead'"}, "signature": scheme}

    mistakes = _mistakes("custom", "mine", ["whsec_@@@@"], options)

    assert mistakes.keys() == {"sources[0].secrets"}
    assert "@@@@" not in str(mistakes)


def test_options_can_be_checked_without_secrets() -> None:
    assert registry.check("shopify", {"content_id": "sku"}) == []

    (mistake,) = registry.check("stripe", {"tolerance": 300}, under="sources[2]")

    assert mistake.key == "sources[2].tolerance"


def test_a_canonical_source_has_no_options() -> None:
    assert _mistakes("canonical", "mine", [], {"mapping": {}}).keys() == {"sources[0].mapping"}
