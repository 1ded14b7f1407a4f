"""Every published signature vector, and hostile input to every scheme."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.errors import PayloadRefused, SignatureRefused
from relay.sources import registry, signature
from relay.sources.protocol import Source
from relay.sources.signature import SignatureReason

STANDARD_WEBHOOKS: dict[str, object] = {
    "header": "webhook-signature",
    "encoding": "base64",
    "prefix": "v1,",
    "separator": " ",
    "signed": "id.timestamp.body",
    "id_header": "Webhook-Id",
    "timestamp_header": "webhook-timestamp",
}
#: Schemes of other platforms, in the words of a custom source.
BY_CONFIGURATION: dict[str, dict[str, object]] = {
    "standard_webhooks": {
        **STANDARD_WEBHOOKS,
        "secret_prefix": "whsec_",
        "secret_encoding": "base64",
    },
    "bigcommerce": STANDARD_WEBHOOKS,
    "shopware": {"header": "shopware-shop-signature", "encoding": "hex"},
    "segment": {"header": "x-signature", "scheme": "hmac-sha1", "encoding": "hex"},
}
ANYTHING = {"mapping": {"event": "'Purchase'"}}
#: These are about more than the HMAC: an ed25519 key, one element of a batch, a time in the body.
BEYOND_HMAC = {
    "asymmetric v1a (ed25519)",
    "batch: only the FIRST element is signed",
    "NEG batch hashed whole",
    "NEG replay: body timestamp older than the configured window",
}


def _custom(scheme: dict[str, object], *secrets: str) -> Source:
    return registry.build("custom", "any", secrets, ANYTHING | {"signature": scheme})


def _accepts(source: Source, vector: Any) -> bool:
    """Verified, and read as JSON: a right signature over what is no JSON is no message either."""
    try:
        source.verify(vector.body, vector.headers, now=vector.now)
        source.read(vector.body, vector.headers, now=vector.now, recall=lambda key: None)
    except (SignatureRefused, PayloadRefused):
        return False
    return True


@pytest.mark.parametrize("kind", ["shopify", "woocommerce", "stripe"])
def test_every_vector_of_a_platform_is_judged_rightly(kind: str, vectors: Any) -> None:
    judged = {
        vector.name: _accepts(registry.build(kind, "shop", vector.secrets, {}), vector)
        for vector in vectors(kind)
    }

    assert judged
    assert judged == {vector.name: vector.valid for vector in vectors(kind)}


@pytest.mark.parametrize("platform", sorted(BY_CONFIGURATION))
def test_a_custom_source_reaches_the_schemes_of_other_platforms(
    platform: str, vectors: Any
) -> None:
    chosen = [vector for vector in vectors(platform) if vector.name not in BEYOND_HMAC]
    scheme = BY_CONFIGURATION[platform]

    judged = {v.name: _accepts(_custom(scheme, *v.secrets), v) for v in chosen}

    assert len(judged) >= 2
    assert judged == {vector.name: vector.valid for vector in chosen}


def test_any_of_several_secrets_verifies() -> None:
    body = b'{"id":1}'
    digest = base64.b64encode(hmac.digest(b"old", body, "sha256")).decode()
    headers = {"x-shopify-hmac-sha256": digest}

    registry.build("shopify", "shop", ["new", "old"], {}).verify(body, headers, now=0)

    with pytest.raises(SignatureRefused, match="mismatch"):
        registry.build("shopify", "shop", ["new", "other"], {}).verify(body, headers, now=0)


def test_a_secret_pasted_with_a_line_break_still_verifies() -> None:
    assert signature.keys_of(["abc\n", "abc\r\n"]) == (b"abc", b"abc")


def test_stripe_accepts_the_old_secrets_signature_beside_the_new_one() -> None:
    body = b"{}"
    old, new = (hmac.digest(key, b"1000." + body, "sha256").hex() for key in (b"old", b"new"))
    header = {"stripe-signature": f"t=1000,v1={new},v1={old},v0={old}"}

    registry.build("stripe", "s", ["old"], {}).verify(body, header, now=1000)


def test_stripes_fake_scheme_for_test_mode_is_not_believed() -> None:
    digest = hmac.digest(b"key", b"1000.{}", "sha256").hex()

    with pytest.raises(SignatureRefused, match="malformed"):
        registry.build("stripe", "s", ["key"], {}).verify(
            b"{}", {"stripe-signature": f"t=1000,v0={digest}"}, now=1000
        )


def test_stripes_tolerance_is_symmetric_and_configurable() -> None:
    digest = hmac.digest(b"key", b"1000.{}", "sha256").hex()
    header = {"stripe-signature": f"t=1000,v1={digest}"}
    strict = registry.build("stripe", "s", ["key"], {"tolerance": "10s"})

    strict.verify(b"{}", header, now=1010)
    strict.verify(b"{}", header, now=990)

    for now in (1010.5, 989.5):
        with pytest.raises(SignatureRefused, match="outside_tolerance"):
            strict.verify(b"{}", header, now=now)


def test_a_timestamp_in_milliseconds_is_understood() -> None:
    signature.check_recent("1700000000000", now=1_700_000_000, tolerance_s=1)


def test_a_token_in_a_header_can_be_the_whole_scheme() -> None:
    scheme = {"header": "Authorization", "scheme": "token", "prefix": "Bearer "}
    source = _custom(dict(scheme), "tok-OLD", "tok-NEW")

    source.verify(b"{}", {"authorization": "Bearer tok-NEW"}, now=0)

    for wrong in ("Bearer tok-new", "Bearer ", "tok-NEW", "Bearer tok-NEW "):
        with pytest.raises(SignatureRefused):
            source.verify(b"{}", {"authorization": wrong}, now=0)


@pytest.mark.parametrize(
    ("scheme", "algorithm"), [("hmac-sha512", "sha512"), ("hmac-sha1", "sha1")]
)
def test_a_prefixed_upper_case_hex_digest_is_read(scheme: str, algorithm: str) -> None:
    digest = hmac.digest(b"key", b"{}", algorithm).hex().upper()
    source = _custom({"header": "X-Sig", "scheme": scheme, "prefix": "sha="}, "key")

    source.verify(b"{}", {"x-sig": f"sha={digest}"}, now=0)


def test_a_source_without_a_scheme_refuses_every_webhook() -> None:
    unsigned = registry.build("custom", "topic", [], ANYTHING)
    canonical = registry.build("canonical", "backend", [], {})

    for source in (unsigned, canonical):
        with pytest.raises(SignatureRefused, match="no_scheme"):
            source.verify(b"{}", {"x-sig": "any"}, now=0)


def test_more_signatures_than_any_rotation_needs_are_not_compared() -> None:
    right = hmac.digest(b"key", b"{}", "sha256").hex()
    padding = " ".join("0" * 64 for _ in range(16))
    source = _custom({"header": "x-sig", "separator": " "}, "key")

    with pytest.raises(SignatureRefused, match="mismatch"):
        source.verify(b"{}", {"x-sig": f"{padding} {right}"}, now=0)


def test_no_secret_shows_in_a_representation() -> None:
    for kind in ("shopify", "woocommerce", "stripe"):
        assert "s3cr3t" not in repr(registry.build(kind, "shop", ["s3cr3t"], {}))
    assert "s3cr3t" not in repr(_custom({"header": "x-sig"}, "s3cr3t"))


SCHEMES = [
    registry.build("shopify", "shop", ["a"], {}),
    registry.build("woocommerce", "shop", ["a"], {}),
    registry.build("stripe", "shop", ["a"], {}),
    *(_custom(scheme, "YWJj") for scheme in BY_CONFIGURATION.values()),
    _custom({"header": "authorization", "scheme": "token"}, "correct horse battery staple"),
]
HEADERS = [
    "x-shopify-hmac-sha256",
    "x-wc-webhook-signature",
    "stripe-signature",
    "webhook-signature",
    "webhook-timestamp",
    "webhook-id",
    "shopware-shop-signature",
    "x-signature",
    "authorization",
]
#: With lone surrogates: that is how a server hands over bytes that are not UTF-8.
TEXT = st.text(st.characters(), max_size=40) | st.sampled_from(
    ["", "t=1,v1=", "t=,v1=a", "t=9" + "9" * 40 + ",v1=a", "t=\u0663,v1=a", "v1,", "v1,\udcff", ","]
)


@given(
    body=st.binary(max_size=40),
    headers=st.dictionaries(st.sampled_from(HEADERS), TEXT, max_size=9),
    now=st.floats(0, 1e12),
)
def test_hostile_requests_are_refused_and_raise_nothing_else(
    body: bytes, headers: dict[str, str], now: float
) -> None:
    for source in SCHEMES:
        with pytest.raises(SignatureRefused) as refused:
            source.verify(body, headers, now=now)

        assert refused.value.reason in set(SignatureReason)


@given(body=st.binary(min_size=1, max_size=200), secret=st.text(min_size=1).filter(str.strip))
def test_what_a_sender_signs_is_accepted_and_one_changed_byte_is_not(
    body: bytes, secret: str
) -> None:
    key = secret.rstrip("\r\n").encode("utf-8", "replace")
    digest = base64.b64encode(hmac.new(key, body, hashlib.sha256).digest()).decode()
    headers = {"x-wc-webhook-signature": digest}
    source = registry.build("woocommerce", "shop", [key.decode()], {})

    source.verify(body, headers, now=0)

    with pytest.raises(SignatureRefused):
        source.verify(body[:-1] + bytes([body[-1] ^ 1]), headers, now=0)
