"""Topics that a shop's backend fills: our own JSON, CloudEvents, or any JSON by a mapping.

A source of this kind asks nobody for a signature: who may write to the topic is decided by the
brokers. It is read by `relay.ingest.kafka`, and no webhook leads to it.

A mapping sees the message's JSON, of a CloudEvent the whole event (`id`, `time`, `data.order.id`).
Its `header('name')` gives the message's headers, and beside them `kafka_key`, `kafka_topic` and
`kafka_timestamp` (milliseconds), for what stands in a message's key or nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from pydantic import AfterValidator, Field, model_validator

from relay.config.kafka import Brokers, KafkaName, KafkaSecurity
from relay.config.settings import Section
from relay.config.values import Seconds, SizeBytes, between, refusal, seconds, size_bytes
from relay.errors import PayloadRefused, SignatureRefused
from relay.model import Refusal
from relay.sources import cloudevents, fields
from relay.sources.custom import CompiledFromOptions
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
from relay.sources.signature import SignatureReason

KIND = "kafka"

#: Conversions in one message that is an array.
MAX_CONVERSIONS: Final = 10_000

#: Headers of one message; the others are as if they were not there.
MAX_HEADERS: Final = 100


class Format(StrEnum):
    CANONICAL = "canonical"
    CLOUDEVENTS = "cloudevents"
    CUSTOM = "custom"


class Start(StrEnum):
    EARLIEST = "earliest"
    LATEST = "latest"


def _at_least_one(topics: tuple[str, ...]) -> tuple[str, ...]:
    if not topics or len(set(topics)) < len(topics):
        raise refusal("topics", "names no topic, or one twice", 'Write topics = ["orders"]')
    return topics


class Settings(Section):
    """Options of a Kafka source."""

    brokers: Brokers
    """The brokers to begin with: `host:9092`, several with commas."""

    topics: Annotated[tuple[KafkaName, ...], AfterValidator(_at_least_one)]
    """The topics to read."""

    group: KafkaName
    """The consumer group: its committed offsets say where to go on. Relays of one group share the
    partitions."""

    format: Format = Format.CANONICAL
    """`canonical` (our JSON), `cloudevents` or `custom`."""

    mapping: CompiledFromOptions | None = None
    """From a message's JSON to conversions, as of a `custom` source; not for `canonical`."""

    start: Start = Start.EARLIEST
    """Where a group without offsets begins: `earliest` or `latest`."""

    max_bytes: Annotated[SizeBytes, between("1kB", "16MB")] = size_bytes("1MB")
    """Larger messages are invalid."""

    max_invalid_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """When more than this share of a partition's last 200 messages (at least 50) is invalid, the
    source stops and says so, until the relay is started again; 1 never stops."""

    session_timeout: Annotated[Seconds, between("1s", "30m")] = seconds("10s")
    """How long the group waits for a relay that died before others get its partitions; the brokers
    bound it, as a rule to 6 s and more."""

    security: KafkaSecurity = KafkaSecurity()
    """How the brokers are spoken to, and who we are."""

    @model_validator(mode="after")
    def _mapping_fits_the_format(self) -> Settings:
        if self.format is Format.CUSTOM and self.mapping is None:
            problem = "says custom, but there is no mapping"
            raise refusal("mapping", problem, "Add a table `mapping`, as for kind custom")
        if self.format is Format.CANONICAL and self.mapping is not None:
            problem = "holds a mapping that a canonical topic does not use"
            raise refusal("mapping", problem, 'Write format = "custom", or remove it')
        return self


def build(name: str, secrets: Sequence[str], settings: Settings) -> Source:
    """Secrets are not used."""
    return Topics(name, settings)


@dataclass(frozen=True, slots=True)
class Topics:
    """The messages of one source."""

    name: str
    settings: Settings = field(repr=False)
    kind: ClassVar[str] = KIND

    @property
    def looks_at_headers(self) -> bool:
        """Whether `read` makes any use of headers."""
        return self.settings.format is not Format.CANONICAL

    def is_ping(self, body: bytes, headers: Headers) -> bool:
        return False

    def verify(self, body: bytes, headers: Headers, *, now: float) -> None:
        raise SignatureRefused(SignatureReason.NO_SCHEME)

    def read(self, body: bytes, headers: Headers, *, now: float, recall: Recall) -> Reading:
        """The conversions of a message's value."""
        if len(body) > self.settings.max_bytes:
            raise PayloadRefused(PayloadReason.TOO_LARGE)
        match self.settings.format:
            case Format.CANONICAL:
                return _canonical(body)
            case Format.CLOUDEVENTS:
                return self._cloud_event(body, headers)
            case Format.CUSTOM:
                value = fields.parse(body)
                if not isinstance(value, dict | list):
                    raise PayloadRefused(PayloadReason.NOT_AN_OBJECT)
                return self._mapped(value, headers)

    def _cloud_event(self, body: bytes, headers: Headers) -> Reading:
        event = cloudevents.read(body, headers)
        if isinstance(event, Refusal):
            return Conversions([event])
        if self.settings.mapping is not None:
            return self._mapped(event, headers)
        return Conversions([cloudevents.conversion(event)])

    def _mapped(self, value: object, headers: Headers) -> Reading:
        mapping = self.settings.mapping
        items = [] if mapping is None else mapping.conversions(value, headers)
        return Conversions(items) if items else Ignored(IgnoredReason.CONDITION)


def headers_of(
    headers: Iterable[tuple[str, bytes | None]],
    *,
    key: bytes | None,
    topic: str,
    timestamp_ms: int | None,
) -> Headers:
    """A message's headers by name in lower case, with what stands beside its value.

    What is not UTF-8 is left out; of headers with one name the last counts.
    """
    found: dict[str, str] = {}
    for name, value in [*headers][:MAX_HEADERS]:
        text = _text(value)
        if text is not None:
            found[name.lower()] = text
    found["kafka_topic"] = topic
    beside = (("kafka_key", _text(key)), ("kafka_timestamp", _number(timestamp_ms)))
    for name, text in beside:
        found.pop(name, None)  # a producer's header of our name
        if text is not None:
            found[name] = text
    return found


def _text(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None


def _number(value: int | None) -> str | None:
    return None if value is None or value < 0 else str(value)


def _canonical(body: bytes) -> Reading:
    value = fields.parse(body)
    if isinstance(value, dict):
        return Conversions([value])
    if not isinstance(value, list):
        raise PayloadRefused(PayloadReason.NOT_AN_OBJECT)
    if len(value) > MAX_CONVERSIONS:
        raise PayloadRefused(PayloadReason.TOO_MANY)
    return Conversions(value) if value else Ignored(IgnoredReason.NO_DATA)
