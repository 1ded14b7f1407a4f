"""Business Centers, advertisers, and what belongs to whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal

from relay.management.errors import About, AnswerUnreadable
from relay.management.fields import Record
from relay.management.zones import zone_named


@dataclass(frozen=True, slots=True)
class GrantedAccount:
    """An ad account that the token may read, of `/oauth2/advertiser/get/`."""

    advertiser_id: str
    advertiser_name: str


def read_granted_account(record: Record) -> GrantedAccount:
    return GrantedAccount(record.id("advertiser_id"), record.text("advertiser_name"))


@dataclass(frozen=True, slots=True)
class Advertiser:
    """An ad account, of `/advertiser/info/`. `timezone` is TikTok's word for the zone that its days
    are in; `zone` is that zone."""

    advertiser_id: str
    name: str
    currency: str
    timezone: str
    display_timezone: str | None
    status: str
    balance: Decimal | None
    create_time: datetime | None
    company: str | None
    country: str | None
    role: str | None
    rejection_reason: str | None
    owner_bc_id: str | None
    advertiser_account_type: str | None

    @property
    def zone(self) -> tzinfo:
        """The zone by TikTok's `timezone`: `Etc/GMT-1` is UTC+1. Raises `AnswerUnreadable` for a
        name that this machine's time zone data does not know."""
        found = zone_named(self.timezone)
        if found is None:
            about = About("/advertiser/info/", self.advertiser_id)
            raise AnswerUnreadable(
                f"timezone {self.timezone!r} is not known here; install newer time zone data",
                about,
                field="timezone",
            )
        return found


def read_advertiser(record: Record) -> Advertiser:
    return Advertiser(
        advertiser_id=record.id("advertiser_id"),
        name=record.text("name"),
        currency=record.text("currency"),
        timezone=record.text("timezone"),
        display_timezone=record.text_or_none("display_timezone"),
        status=record.text("status"),
        balance=record.money("balance"),
        create_time=record.moment("create_time"),
        company=record.text_or_none("company"),
        country=record.text_or_none("country"),
        role=record.text_or_none("role"),
        rejection_reason=record.text_or_none("rejection_reason"),
        owner_bc_id=record.id_or_none("owner_bc_id"),
        advertiser_account_type=record.text_or_none("advertiser_account_type"),
    )


#: What is asked of `/advertiser/info/`. Not `company_name_editable`: it suppresses the rest; not
#: telephone, e-mail and address: nobody here needs them.
ADVERTISER_FIELDS = (
    "advertiser_id",
    "name",
    "currency",
    "timezone",
    "display_timezone",
    "status",
    "balance",
    "create_time",
    "company",
    "country",
    "role",
    "rejection_reason",
    "owner_bc_id",
    "advertiser_account_type",
)


@dataclass(frozen=True, slots=True)
class BusinessCenter:
    """Of `/bc/get/`, with what the token's owner is in it."""

    bc_id: str
    name: str
    company: str | None
    currency: str | None
    registered_area: str | None
    status: str | None
    timezone: str | None
    type: str | None
    verification_status: str | None
    user_role: str | None
    finance_role: str | None


def read_business_center(record: Record) -> BusinessCenter:
    info = record.record("bc_info") or record
    extra = record.record("ext_user_role")
    return BusinessCenter(
        bc_id=info.id("bc_id"),
        name=info.text("name"),
        company=info.text_or_none("company"),
        currency=info.text_or_none("currency"),
        registered_area=info.text_or_none("registered_area"),
        status=info.text_or_none("status"),
        timezone=info.text_or_none("timezone"),
        type=info.text_or_none("type"),
        verification_status=info.text_or_none("verification_status"),
        user_role=record.text_or_none("user_role"),
        finance_role=extra.text_or_none("finance_role") if extra else None,
    )


@dataclass(frozen=True, slots=True)
class Asset:
    """Something that a Business Center owns or shares; of a pixel, `asset_id` is its id."""

    asset_id: str
    asset_type: str
    asset_name: str
    pixel_code: str | None
    relation_type: str | None
    relation_status: str | None
    owner_bc_name: str | None


def read_asset(record: Record) -> Asset:
    return Asset(
        asset_id=record.id("asset_id"),
        asset_type=record.text("asset_type"),
        asset_name=record.text("asset_name"),
        pixel_code=record.text_or_none("pixel_code"),
        relation_type=record.text_or_none("relation_type"),
        relation_status=record.text_or_none("relation_status"),
        owner_bc_name=record.text_or_none("owner_bc_name"),
    )


@dataclass(frozen=True, slots=True)
class PixelLink:
    """An ad account that may use a pixel of a Business Center."""

    advertiser_id: str
    advertiser_name: str


def read_pixel_link(record: Record) -> PixelLink:
    return PixelLink(record.id("advertiser_id"), record.text("advertiser_name"))


@dataclass(frozen=True, slots=True)
class User:
    """Whose token it is. The e-mail address that TikTok sends along is not kept."""

    core_user_id: str | None
    display_name: str


def read_user(record: Record) -> User:
    return User(record.id_or_none("core_user_id"), record.text("display_name"))


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone that accounts may have; `gmt_offset` as TikTok writes it."""

    timezone: str
    gmt_offset: str


def read_zone(record: Record) -> Zone:
    return Zone(record.text("timezone"), record.text("gmt_offset"))
