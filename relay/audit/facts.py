"""The facts of one audit: what the relay delivered, what TikTok counted, reported and charged.

Values only, gathered by `relay.audit.collect`; checks are functions of them. Days of reports are
days of the account's zone, days of event statistics are days of UTC, hours of the ledger are hours
of UTC since 1970: whoever compares two of them says how. Money of reports is in the account's
currency; money of the ledger is by the currency of the events. What TikTok did not say (`-`, null,
a metric that a level does not have) is None, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum

from relay.journal.issues import IssueRow
from relay.journal.ledger import LedgerRow
from relay.journal.sample import Sample
from relay.model import EventSource


class Part(StrEnum):
    """What is gathered apart, and may be missing apart."""

    LEDGER = "ledger"
    SAMPLES = "samples"
    LETTERS = "dead letters"
    SNAPSHOTS = "snapshots"
    ADVERTISER = "advertiser"
    CAMPAIGNS = "campaigns"
    ADGROUPS = "ad groups"
    ADS = "ads"
    PIXELS = "pixels"
    PIXEL_LINKS = "pixel links"
    PIXEL_STATS = "event statistics"
    CUSTOM_CONVERSIONS = "custom conversions"
    DIAGNOSIS = "diagnosis"
    CHANGES = "change log"
    ACCOUNT_REPORT = "account report"
    CAMPAIGN_REPORT = "campaign report"
    ADGROUP_REPORT = "ad group report"
    AD_REPORT = "ad report"
    HOURLY_REPORT = "hourly report"


@dataclass(frozen=True, slots=True)
class Gathered:
    """When a part was gathered, how many rows it has, and what is missing of it: `problem` is None
    when it is complete, else a sentence; `code` is TikTok's where it said one."""

    part: Part
    at: float
    rows: int = 0
    problem: str | None = None
    code: int | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """Days looked at, both included; of the account's zone."""

    first: date
    last: date


# --- the ad account ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Advertiser:
    """`zone` is what days of its reports are in; `timezone` and `display_timezone` are TikTok's
    words for it (`Etc/GMT-1` is an hour *before* UTC's clock: one hour east)."""

    id: str
    name: str
    currency: str
    timezone: str
    display_timezone: str | None
    zone: tzinfo
    status: str
    balance: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Campaign:
    """Budgets are in the account's currency; times are UTC."""

    id: str
    name: str
    objective: str
    operation_status: str
    secondary_status: str | None
    budget_mode: str | None
    budget: Decimal | None
    roas_bid: Decimal | None
    automation: str | None = None
    created_at: datetime | None = None
    modified_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AdGroup:
    """What TikTok attributes by. Windows are in days: 0 is off, None is unknown. `pixel_id` is the
    numeric id, never the pixel code."""

    id: str
    name: str
    campaign_id: str
    promotion_type: str | None
    pixel_id: str | None
    optimization_goal: str | None
    optimization_event: str | None
    deep_event: str | None
    custom_conversion_id: str | None
    click_window: int | None
    engaged_view_window: int | None
    view_window: int | None
    counting: str | None
    operation_status: str
    secondary_status: str | None
    budget_mode: str | None
    budget: Decimal | None
    roas_bid: Decimal | None
    bid_type: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    created_at: datetime | None = None
    modified_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ad:
    id: str
    name: str
    adgroup_id: str
    campaign_id: str
    operation_status: str
    secondary_status: str | None
    landing_page_url: str | None = None
    utm_params: Mapping[str, str] = field(default_factory=dict)
    modified_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PixelEvent:
    """An event of a pixel under the ad side's code (`SHOPPING`), or its own name if custom."""

    optimization_event: str | None
    name: str
    statistic_type: str | None
    deprecated: bool = False


@dataclass(frozen=True, slots=True)
class Pixel:
    """`code` is what the Events API calls `event_source_id`; `linked` says whether the account may
    use it: None where nobody could be asked."""

    id: str
    code: str
    name: str
    relation_status: str | None
    linked: bool | None
    advanced_matching: Mapping[str, bool]
    first_party_cookies: bool | None
    events: Sequence[PixelEvent] = ()


@dataclass(frozen=True, slots=True)
class CustomConversion:
    id: str
    name: str
    event_source_id: str
    active_status: str


@dataclass(frozen=True, slots=True)
class Advice:
    """TikTok's own diagnosis of an ad group: `issue` is its word (`PIXEL`: silent for 7 days)."""

    adgroup_id: str
    category: str
    issue: str
    pixel_code: str | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """Somebody changed something in the ad account; `at` is UTC, `what` names it in words."""

    at: datetime
    kind: str
    object_id: str
    what: str


# --- what TikTok counted and reported ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EventCount:
    """What a pixel's statistics say of one event on one day of UTC. `event` is the ad side's code
    (`SHOPPING`), or a custom event's own name."""

    pixel_code: str
    event: str
    day: date
    total: int
    browser: int
    server: int
    attributed: int


class Level(StrEnum):
    ACCOUNT = "account"
    CAMPAIGN = "campaign"
    ADGROUP = "adgroup"
    AD = "ad"


@dataclass(frozen=True, slots=True)
class Day:
    """One row of a report: one object on one day of the account's zone; an ad over all days of the
    period, on the last of them.

    `conversions` and the splits are by the day of the ad's click or view, and so are `counts` and
    `values`, which are by the ad side's code (`{"SHOPPING": 12}`); `conversions_by_event_day` is
    the one that is by the day of the event.
    """

    level: Level
    id: str
    day: date
    spend: Decimal | None = None
    impressions: int | None = None
    clicks: int | None = None
    conversions: int | None = None
    conversions_by_event_day: int | None = None
    click_through: int | None = None
    view_through: int | None = None
    engaged_view_through: int | None = None
    landing_page_views: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    values: Mapping[str, Decimal] = field(default_factory=dict)
    value_per_purchase: Decimal | None = None
    purchase_roas: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Hour:
    """The account in one hour of its zone; `at` has no offset, as TikTok gives it."""

    at: datetime
    spend: Decimal | None
    conversions_by_event_day: int | None


# --- what the relay knows ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Target:
    """A destination of the relay that belongs to this account, or to none that could be read."""

    name: str
    event_source: EventSource
    event_source_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Dead letters of one code: `code` is None where TikTok gave none."""

    destination: str
    code: int | None
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What an earlier audit read of one day of one object: `seen_at` is when."""

    level: Level
    id: str
    day: date
    seen_at: float
    spend: Decimal | None
    conversions: int | None


@dataclass(frozen=True, slots=True)
class Facts:
    """All of it, of one advertiser. `rates` turn one unit of a currency into the account's:
    `{"USD": Decimal("0.92")}`; the account's own is 1, one that is not there cannot be converted.
    `gathered` has an entry for every `Part` that was asked for."""

    now: float
    period: Period
    advertiser: Advertiser
    gathered: Mapping[Part, Gathered]
    rates: Mapping[str, Decimal] = field(default_factory=dict)
    campaigns: Sequence[Campaign] = ()
    adgroups: Sequence[AdGroup] = ()
    ads: Sequence[Ad] = ()
    pixels: Sequence[Pixel] = ()
    custom_conversions: Sequence[CustomConversion] = ()
    advice: Sequence[Advice] = ()
    edits: Sequence[Edit] = ()
    event_counts: Sequence[EventCount] = ()
    days: Sequence[Day] = ()
    hours: Sequence[Hour] = ()
    targets: Sequence[Target] = ()
    ledger: Sequence[LedgerRow] = ()
    issues: Sequence[IssueRow] = ()
    samples: Sequence[Sample] = ()
    refused: Sequence[Refused] = ()
    snapshots: Sequence[Snapshot] = ()
