"""The configuration's shape: every key, its type, its default and what it means.

The docstrings below the keys are the descriptions in `schemas/config.schema.json`; that export
reads them from this file, because pydantic's own way adds 90 ms to every start. Durations are
seconds and sizes are bytes once read; `values.py` says how they are written.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints, model_validator

from relay.config.audit import Audit
from relay.config.kafka import Brokers, KafkaName, KafkaSecurity
from relay.config.management import Management
from relay.config.postgres import DatabaseRef
from relay.config.section import Section as Section  # noqa: PLC0414  # the sources look for it here
from relay.config.traces import Traces
from relay.config.values import (
    Address,
    Country,
    HttpUrl,
    ListenOn,
    Seconds,
    SecretRef,
    SizeBytes,
    between,
    seconds,
    size_bytes,
)
from relay.model import EventSource

#: What PostgreSQL takes as a schema's name without quotes; those with `pg` are its own.
_SCHEMA = r"^([a-oq-z_][a-z0-9_]{0,39}|p([a-fh-z0-9_][a-z0-9_]{0,38})?)$"

#: A name becomes a metric label and, for a source, part of its webhook's address.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]

#: TikTok wants a JSON string: a number is refused as "not a valid string" (code 40002).
Identifier = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,100}$")]


class Journal(Section):
    """Where accepted events wait: in a folder of this machine, or on Kafka and PostgreSQL."""

    path: Path = Path("./relay-data")
    """The journal's folder, relative to the working directory; made when it is missing."""

    max_bytes: Annotated[SizeBytes, between("1MiB", "100TiB")] = size_bytes("10GiB")
    """Waiting events may take this much; above it the door answers 503 until TikTok catches up."""

    min_free_bytes: Annotated[SizeBytes, between("1MiB", "1TiB")] = size_bytes("64MiB")
    """The disk keeps this much free: below it the door answers 503."""

    retention: Annotated[Seconds, between("1d", "760d")] = seconds("30d")
    """How long a settled arrival can be found; ledger sums stay 25 months."""

    kafka: Brokers | None = None
    """Brokers, `host:port` with commas between them: then events wait in topics there, and any
    number of processes take and deliver them. Needs `postgres`; `path` and the sizes are unused."""

    postgres: DatabaseRef | None = None
    """The database beside the topics: `env:NAME` or `file:PATH` of an address with its password,
    or an address without one."""

    database_schema: Annotated[str, StringConstraints(pattern=_SCHEMA)] = "relay"
    """The tables' schema; relays with schemas of their own can share a database."""

    topic_prefix: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,100}$")] = "relay"
    """A destination's topic is called `PREFIX.DESTINATION`."""

    group: KafkaName = "relay-deliver"
    """The consumer group of the processes that deliver."""

    partitions: Annotated[int, Field(ge=1, le=1000)] = 12
    """Of a topic that the relay makes: so many processes can deliver one destination."""

    replication: Annotated[int, Field(ge=1, le=9)] = 3
    """Of a topic that the relay makes: how many brokers hold each message."""

    security: KafkaSecurity = KafkaSecurity()
    """How the brokers are spoken to."""

    @property
    def is_distributed(self) -> bool:
        return self.kafka is not None


class Listen(Section):
    """The addresses the relay listens on."""

    public: ListenOn = Address("0.0.0.0", 8080)  # noqa: S104  # senders are on other machines
    """For senders: events and webhooks."""

    operator: ListenOn = Address("127.0.0.1", 8081)
    """For operators: metrics, health, `/api`."""

    operator_token: SecretRef | None = None
    """What the operator's listener asks for (`Authorization: Bearer`); needed off loopback."""


class Limits(Section):
    """What the public listener takes before it says no."""

    max_events: Annotated[int, Field(ge=1, le=100_000)] = 10_000
    """Events in one request."""

    max_body_bytes: Annotated[SizeBytes, between("1kB", "1GiB")] = size_bytes("16MB")
    """Bytes of one request's body, after decompression."""

    max_pending_bytes: Annotated[SizeBytes, between("1MB", "64GiB")] = size_bytes("64MB")
    """Bytes of all bodies being read or stored at once; above it the door answers 503."""

    max_connections: Annotated[int, Field(ge=1, le=1_000_000)] = 4096
    """Open connections."""

    header_timeout: Annotated[Seconds, between("100ms", "10m")] = seconds("10s")
    """From a connection's opening to the end of its request's headers."""

    body_timeout: Annotated[Seconds, between("100ms", "10m")] = seconds("30s")
    """From the end of the headers to the end of the body."""


class TikTok(Section):
    """The service the events go to."""

    base_url: HttpUrl = "https://business-api.tiktok.com/open_api/v1.3"
    """Without the closing `/event/track/`. The sandbox prints its own."""

    timeout: Annotated[Seconds, between("100ms", "10m")] = seconds("30s")
    """For one request, from connecting to the end of the answer."""


class Shutdown(Section):
    """How the relay leaves."""

    lame_duck: Annotated[Seconds, between("0s", "10m")] = seconds("0s")
    """How long after SIGTERM the door stays open: not ready, and every answer ends its connection,
    so that balancers and senders go elsewhere before anything is refused. For several replicas."""

    drain_deadline: Annotated[Seconds, between("0s", "1h")] = seconds("20s")
    """How long requests to TikTok may take to finish after SIGTERM; the rest stays journaled."""


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    AUTO = "auto"
    JSON = "json"
    TEXT = "text"


class Log(Section):
    """The log, on standard error."""

    level: LogLevel = LogLevel.INFO
    """The least level that is written."""

    format: LogFormat = LogFormat.AUTO
    """`auto` is `text` on a terminal and `json` anywhere else."""


class ConsentAction(StrEnum):
    """What to do with an event, given the person's consent."""

    SEND = "send"
    SEND_LIMITED = "send_limited"
    STRIP = "strip"
    WITHHOLD = "withhold"


class Consent(Section):
    """What each state of consent means: `send`, `send_limited` (with `limited_data_use`), `strip`
    (without anything about the person) or `withhold` (not at all)."""

    granted: ConsentAction = ConsentAction.SEND
    """The sender says that the person agreed."""

    denied: ConsentAction = ConsentAction.WITHHOLD
    """The sender says that the person refused."""

    unknown: ConsentAction = ConsentAction.SEND
    """The sender says nothing about consent, as most webhooks."""


class WithoutMatchKey(StrEnum):
    SEND = "send"
    WITHHOLD = "withhold"


class Destination(Section):
    """One event source of one TikTok account, with its token and policies."""

    name: Name
    """What sources, metrics and the command line call it."""

    event_source: EventSource
    """`web`, `app`, `offline` or `crm`."""

    event_source_id: Identifier
    """The pixel code, TikTok app id, offline event set id or CRM event set id; a string."""

    access_token: SecretRef
    """`env:NAME` or `file:PATH`; a changed file is read again without a restart."""

    partner_name: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    """Only where TikTok has registered one for you: unknown names may be refused (40063)."""

    default_country: Country | None = None
    """For phones without a country code: ISO 3166, two letters. None: such phones are dropped."""

    page_url: HttpUrl | None = None
    """For web events whose sender carries none: TikTok requires `page.url` of web events."""

    aliases: dict[str, str] = {}  # pydantic copies it
    """Event names to rename before sending: `CompletePayment = "Purchase"`. Repeats are recognised
    by event name: use here the name that the browser pixel sends."""

    consent: Consent = Consent()
    """What to do with events of people who agreed, refused or were not asked."""

    without_match_key: WithoutMatchKey = WithoutMatchKey.SEND
    """Events that carry nothing TikTok can match a person by: `send` or `withhold`."""

    cn_phone_without_country_code: bool = False
    """Hash Chinese phones as `13800000000`, not `+8613800000000`; TikTok's own pages differ."""

    hash_idfa: bool = False
    """Send the IDFA as a digest instead of as it is; TikTok takes both."""

    hash_gaid: bool = False
    """Send the GAID as a digest instead of as it is; TikTok takes both."""

    keep_unlisted_identifiers: bool = False
    """Send identifiers that TikTok's table does not list for this event source (offline: all but
    e-mail and phone) instead of dropping them."""

    dedupe_window: Annotated[Seconds, between("1h", "60d")] = seconds("7d")
    """How long a repeat of (event, event_id) is recognised as a duplicate."""

    max_event_age: Annotated[Seconds, between("1m", "760d")] = seconds("28d")
    """Older events end as `expired` instead of being sent; TikTok attributes at most 28 days."""

    max_future: Annotated[Seconds, between("0s", "1d")] = seconds("10m")
    """A sender's clock may be ahead by this much; events further in the future are invalid."""

    max_event_bytes: Annotated[SizeBytes, between("1kB", "1MB")] = size_bytes("256KiB")
    """Larger events are invalid: one request has to hold at least one."""

    linger: Annotated[Seconds, between("0ms", "1m")] = seconds("500ms")
    """How long an event waits for others to share its request."""

    max_batch_events: Annotated[int, Field(ge=1, le=1000)] = 1000
    """Events in one request; TikTok refuses requests of more than 1000."""

    max_batch_bytes: Annotated[SizeBytes, between("1kB", "10MB")] = size_bytes("1MB")
    """Bytes of one request."""

    requests_per_second: Annotated[float, Field(gt=0, le=1000)] = 10.0
    """The most the relay tries; it goes lower by itself when TikTok throttles. TikTok publishes no
    limit, and what others report differs by a factor of sixty: 10 is below the lowest."""

    concurrency: Annotated[int, Field(ge=1, le=64)] = 4
    """Requests under way at once."""

    probe_every: Annotated[Seconds, between("1s", "1h")] = seconds("30s")
    """How often a paused lane (token refused, right missing) tries whether it may go on."""

    test_event_code: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,64}$")] | None = None
    """Sends every event to the Test Events tab, where it does not count, until the time below."""

    test_event_code_until: AwareDatetime | None = None
    """When the test code ends by itself, with its zone: `2026-11-30T18:00:00+01:00`."""

    def test_code_at(self, now: float) -> str | None:
        """The test code, while it has not run out; `now` is Unix time."""
        until = self.test_event_code_until
        return self.test_event_code if until and now < until.timestamp() else None


class Source(Section):
    """One sender. Keys that are not listed here are options of its kind."""

    model_config = ConfigDict(json_schema_extra={"additionalProperties": True})

    name: Name
    """Part of the webhook's address, `/webhooks/NAME`, and what metrics call it."""

    kind: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,63}$")]
    """Who the sender is. Each kind has a file in `relay/sources/`, which knows its options."""

    destination: str | None = None
    """Where its events go; or `destinations`."""

    destinations: tuple[str, ...] = ()
    """Where its events go, when to several: each is delivered and accounted for on its own."""

    secrets: tuple[SecretRef, ...] = ()
    """What the sender's webhooks are signed with; several while one is being replaced."""

    keys: tuple[SecretRef, ...] = ()
    """What the sender shows as `Authorization: Bearer`; each belongs to one source."""

    options: dict[str, object] = {}  # pydantic copies it
    """The kind's own keys; written beside the others, gathered here."""

    @model_validator(mode="before")
    @classmethod
    def _gather_options(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        known = {key: value for key, value in given.items() if key in cls.model_fields}
        options = {key: value for key, value in given.items() if key not in known}
        if options and isinstance(known.get("options", {}), dict):
            known["options"] = {**known.get("options", {}), **options}
        return known

    @property
    def routes(self) -> tuple[str, ...]:
        """The names of its destinations, however they were written."""
        return self.destinations or ((self.destination,) if self.destination else ())


class Settings(Section):
    """The whole configuration."""

    journal: Journal = Journal()
    listen: Listen = Listen()
    limits: Limits = Limits()
    tiktok: TikTok = TikTok()
    shutdown: Shutdown = Shutdown()
    traces: Traces = Traces()
    management: Management = Management()
    audit: Audit = Audit()
    log: Log = Log()
    destinations: tuple[Destination, ...] = ()
    sources: tuple[Source, ...] = ()
