"""Conversions as JSON, in the canonical shape: `POST /v1/events`, Kafka topics, files.

The shape is that of TikTok's own `data[]` item, with readable or hashed identifiers, and beside it
what TikTok has no place for: `order_id`, `consent`, `country`, `test_event_code`, `destination`.
Its senders show an API key, which the door checks before it knows the source; there is no
signature, so a webhook to a canonical source is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from relay.config.settings import Section
from relay.errors import PayloadRefused, SignatureRefused
from relay.sources import fields
from relay.sources.protocol import Conversions, Headers, PayloadReason, Reading, Recall, Source
from relay.sources.signature import SignatureReason

KIND = "canonical"


class Settings(Section):
    """A canonical source has no options."""


def build(name: str, secrets: Sequence[str], settings: Settings) -> Source:
    """Secrets are not used."""
    return Canonical(name)


@dataclass(frozen=True, slots=True)
class Canonical:
    """One sender that speaks our own language."""

    name: str
    kind: ClassVar[str] = KIND

    def is_ping(self, body: bytes, headers: Headers) -> bool:
        return False

    def verify(self, body: bytes, headers: Headers, *, now: float) -> None:
        raise SignatureRefused(SignatureReason.NO_SCHEME)

    def read(self, body: bytes, headers: Headers, *, now: float, recall: Recall) -> Reading:
        return Conversions(conversions_in(body))


def conversions_in(body: bytes) -> Sequence[object]:
    """One conversion, or each element of an array as it stands: validating is normalizing.

    Raises `PayloadRefused` where it is neither.
    """
    value = fields.parse(body)
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        raise PayloadRefused(PayloadReason.NOT_AN_OBJECT)
    return [value]
