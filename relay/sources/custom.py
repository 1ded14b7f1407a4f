"""Any sender, by configuration: how it signs, and a mapping from its JSON to conversions.

Most senders sign with one of three HMAC families, and these options reach all of them:

    Shopware            header = "shopware-shop-signature", encoding = "hex"
    GitHub and kin      header = "x-hub-signature-256", encoding = "hex", prefix = "sha256="
    Standard Webhooks   header = "webhook-signature", encoding = "base64", prefix = "v1,",
                        separator = " ", signed = "id.timestamp.body", id_header = "webhook-id",
                        timestamp_header = "webhook-timestamp", secret_prefix = "whsec_",
                        secret_encoding = "base64"
    a shared token      header = "authorization", scheme = "token", prefix = "Bearer "

Without `signature` a source verifies nobody: it is for Kafka topics and files, and a webhook to it
is refused. The mapping is in `relay.sources.mapping`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import (
    PlainValidator,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import InitErrorDetails

from relay.config.settings import Section
from relay.config.values import Seconds, SizeBytes, between, refusal, seconds, size_bytes
from relay.errors import ConfigError, Mistake, PayloadRefused, SignatureRefused
from relay.sources import fields, signature
from relay.sources.mapping import CompiledMapping
from relay.sources.protocol import (
    Conversions,
    Headers,
    Ignored,
    IgnoredReason,
    PayloadReason,
    Reading,
    Recall,
    Source,
)
from relay.sources.signature import Algorithm, Encoding, SignatureReason

KIND = "custom"

HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,100}$", to_lower=True)]


class SchemeName(StrEnum):
    """An HMAC over the body, or the secret itself as a token."""

    HMAC_SHA256 = "hmac-sha256"
    HMAC_SHA1 = "hmac-sha1"
    HMAC_SHA512 = "hmac-sha512"
    TOKEN = "token"  # noqa: S105  # the word for a scheme, no token


_ALGORITHMS = {
    SchemeName.HMAC_SHA256: Algorithm.SHA256,
    SchemeName.HMAC_SHA1: Algorithm.SHA1,
    SchemeName.HMAC_SHA512: Algorithm.SHA512,
}


class Signed(StrEnum):
    """What the HMAC is over; the parts are joined with dots."""

    BODY = "body"
    TIMESTAMP_BODY = "timestamp.body"
    ID_TIMESTAMP_BODY = "id.timestamp.body"


class SecretText(StrEnum):
    """How the key is written in the secret."""

    TEXT = "text"
    BASE64 = "base64"


class Signature(Section):
    """How the sender signs."""

    header: HeaderName
    """Where the signature (or the token) is."""

    scheme: SchemeName = SchemeName.HMAC_SHA256
    """An HMAC, or `token`: the header holds the secret itself."""

    encoding: Encoding = Encoding.HEX
    """How the digest is written."""

    prefix: str = ""
    """What stands before each signature."""

    separator: Annotated[str, StringConstraints(min_length=1)] | None = None
    """Between several signatures in one header; those without the prefix are passed over."""

    signed: Signed = Signed.BODY
    """What the HMAC is over."""

    timestamp_header: HeaderName | None = None
    """Where the signed timestamp is: Unix time in seconds or milliseconds."""

    id_header: HeaderName | None = None
    """Where the signed id is."""

    tolerance: Annotated[Seconds, between("1s", "7d")] = seconds("300s")
    """How far a signed timestamp may be from our clock."""

    secret_prefix: str = ""
    """What stands before the key in the secret, as `whsec_`."""

    secret_encoding: SecretText = SecretText.TEXT
    """How the key is written in the secret."""

    @model_validator(mode="after")
    def _names_what_is_signed(self) -> Signature:
        if self.signed is not Signed.BODY and self.timestamp_header is None:
            problem = "says that a timestamp is signed, but not where it is"
            raise refusal("signed", problem, "Add timestamp_header")
        if self.signed is Signed.ID_TIMESTAMP_BODY and self.id_header is None:
            raise refusal(
                "signed", "says that an id is signed, but not where it is", "Add id_header"
            )
        return self


def _compile(spec: object) -> CompiledMapping:
    """The mapping, or all of its mistakes as validation errors at their leaves."""
    try:
        return CompiledMapping(spec)
    except ConfigError as exc:
        errors = [
            InitErrorDetails(
                type=refusal("mapping", mistake.problem, mistake.mend),
                loc=tuple(mistake.key.split(".")) if mistake.key else (),
                input=None,
            )
            for mistake in exc.mistakes
        ]
    raise ValidationError.from_exception_data("mapping", errors)


CompiledFromOptions = Annotated[
    CompiledMapping, PlainValidator(_compile), WithJsonSchema({"type": ["object", "string"]})
]


class Settings(Section):
    """Options of a custom source."""

    mapping: CompiledFromOptions
    """From the body to conversions: an object (or JSON text of one) whose leaves are JMESPath."""

    signature: Signature | None = None
    """How the sender signs; without it no webhook is accepted."""

    max_bytes: Annotated[SizeBytes, between("1kB", "16MB")] = size_bytes("1MB")
    """Larger bodies are refused."""


def build(name: str, secrets: Sequence[str], settings: Settings) -> Source:
    """Raises `ConfigError` when the signature scheme needs a secret and none is usable."""
    keys = () if settings.signature is None else _keys(secrets, settings.signature)
    return Custom(name, keys, settings)


@dataclass(frozen=True, slots=True)
class Custom:
    """One sender that has no file of its own."""

    name: str
    keys: Sequence[bytes] = field(repr=False)
    settings: Settings = field(repr=False)
    kind: ClassVar[str] = KIND

    def is_ping(self, body: bytes, headers: Headers) -> bool:
        return False

    def verify(self, body: bytes, headers: Headers, *, now: float) -> None:
        scheme = self.settings.signature
        if scheme is None:
            raise SignatureRefused(SignatureReason.NO_SCHEME)
        signature.refuse_empty(body)
        candidates = _candidates(signature.presented(headers, scheme.header), scheme)
        if scheme.scheme is SchemeName.TOKEN:
            signature.check_equal(self.keys, candidates)
            return
        signed = _signed_bytes(body, headers, scheme, now)
        made_with = signature.Scheme(_ALGORITHMS[scheme.scheme], scheme.encoding)
        signature.check_hmac(signed, candidates, self.keys, made_with)

    def read(self, body: bytes, headers: Headers, *, now: float, recall: Recall) -> Reading:
        """One conversion, or one of each element of the mapping's top `for_each`."""
        if len(body) > self.settings.max_bytes:
            raise PayloadRefused(PayloadReason.TOO_LARGE)
        payload = fields.parse(body)
        if not isinstance(payload, dict | list):
            raise PayloadRefused(PayloadReason.NOT_AN_OBJECT)
        items = self.settings.mapping.conversions(payload, headers)
        return Conversions(items) if items else Ignored(IgnoredReason.CONDITION)


def _keys(secrets: Sequence[str], scheme: Signature) -> tuple[bytes, ...]:
    bare = [secret.removeprefix(scheme.secret_prefix) for secret in secrets]
    keys = signature.keys_of(bare)
    if scheme.secret_encoding is SecretText.TEXT:
        return keys
    try:
        decoded = tuple(
            base64.b64decode(key + b"=" * (-len(key) % 4), validate=True) for key in keys
        )
    except binascii.Error:
        mend = "Correct it, or remove secret_encoding"
        # Not `from exc`: nothing of a secret may travel in an exception.
        raise ConfigError([Mistake("secrets", "holds one that is not base64", mend)]) from None
    return decoded


def _candidates(header: str, scheme: Signature) -> list[str]:
    """The signatures in a header, without their prefix; hex digests in lower case.

    Raises `SignatureRefused` when none has the prefix.
    """
    parts = [header] if scheme.separator is None else header.split(scheme.separator)
    found = [part.removeprefix(scheme.prefix) for part in parts if part.startswith(scheme.prefix)]
    if not found:
        raise SignatureRefused(SignatureReason.MALFORMED)
    hexadecimal = scheme.encoding is Encoding.HEX and scheme.scheme is not SchemeName.TOKEN
    return [text.lower() for text in found] if hexadecimal else found


def _signed_bytes(body: bytes, headers: Headers, scheme: Signature, now: float) -> bytes:
    if scheme.signed is Signed.BODY or scheme.timestamp_header is None:
        return body
    timestamp = signature.presented(headers, scheme.timestamp_header)
    signature.check_recent(timestamp, now=now, tolerance_s=scheme.tolerance)
    parts = [timestamp]
    if scheme.signed is Signed.ID_TIMESTAMP_BODY and scheme.id_header is not None:
        parts.insert(0, signature.presented(headers, scheme.id_header))
    return b".".join([*(part.encode("utf-8", "surrogatepass") for part in parts), body])
