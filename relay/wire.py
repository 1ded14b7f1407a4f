"""TikTok's request as it travels: `POST /open_api/v1.3/event/track/`, strictly typed.

These types are what the sandbox holds every request against, and what `schemas/event.schema.json`
is generated from. They describe dicts as `orjson` reads them; nothing is converted: a number where
a string belongs is a mistake, and so is `null` (leave the key out instead). Keys that are not
listed are allowed, because TikTok tolerates them (every public integration sends some).

Sources: TikTok docs, "Report App, Web, Offline, or CRM Events" (Events API 2.0) and "Events API
2.0 - Parameters"; the address keys of `WireUser` are in the latter only. Where the docs give words
but no shape (`currency`, `idfa`, `event_time` in seconds) the narrowest reading is taken.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Required

from pydantic import ConfigDict, Discriminator, Field, StringConstraints, Tag, TypeAdapter

# pydantic asks for the backport's TypedDict below Python 3.12, and brings the package itself.
from typing_extensions import TypedDict

#: One request carries at most so many events; with more the entire request is rejected.
MAX_EVENTS: Final = 1000

#: `user` fields that hold SHA-256 digests and nothing else.
HASHED_FIELDS: Final = frozenset(
    {"email", "phone", "external_id", "first_name", "last_name", "zip_code"}
)

#: The branches of `Digests`, as they appear in the location of a validation error.
DIGEST_BRANCHES: Final = frozenset({"one digest", "several digests"})

_STRICT: Final = ConfigDict(strict=True, extra="allow")


def _digest_branch(value: object) -> str:
    return "several digests" if isinstance(value, list) else "one digest"


Text = Annotated[str, StringConstraints(min_length=1)]
Amount = Annotated[float, Field(allow_inf_nan=False)]
Url = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9+.-]*://.")]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Digests = Annotated[
    Annotated[Digest, Tag("one digest")]
    | Annotated[list[Digest], Field(min_length=1), Tag("several digests")],
    Discriminator(_digest_branch),
]
#: Seconds. The bound is the year 5138: a larger number is milliseconds.
UnixSeconds = Annotated[int, Field(gt=0, lt=100_000_000_000)]


class WireUser(TypedDict, total=False):
    """Whom the event is about. Digests are SHA-256, 64 lowercase hex digits."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]  # pydantic's documented way for a TypedDict

    email: Annotated[Digests, Field(description="SHA-256 of the trimmed, lowercased address")]
    phone: Annotated[Digests, Field(description="SHA-256 of the E.164 number, `+` included")]
    external_id: Annotated[Digests, Field(description="SHA-256 of your own id of the person")]
    first_name: Digest
    last_name: Digest
    zip_code: Digest
    city: Text
    state: Text
    country: Annotated[Text, Field(description="ISO 3166-1 alpha-2, lowercase")]
    ttclid: Annotated[Text, Field(description="click id from the landing page's URL, whole")]
    ttp: Annotated[Text, Field(description="value of the pixel's `_ttp` cookie")]
    ip: Annotated[Text, Field(description="public IPv4 or IPv6 address of the person")]
    user_agent: Text
    idfa: Annotated[
        str,
        StringConstraints(pattern=r"^([0-9A-F-]+|[0-9a-f]{64})$"),
        Field(description="uppercase, or the SHA-256 of that"),
    ]
    idfv: Text
    gaid: Annotated[
        str,
        StringConstraints(pattern=r"^([0-9a-f-]+)$"),
        Field(description="lowercase, or the SHA-256 of that"),
    ]
    locale: Annotated[Text, Field(description="BCP 47, such as `en-US`")]
    att_status: Literal["AUTHORIZED", "DENIED", "NOT_DETERMINED", "RESTRICTED", "NOT_APPLICABLE"]


class WireContent(TypedDict, total=False):
    """One line of a cart or an order."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]  # as above

    content_id: Annotated[str, Field(description="`sku_id` or `item_group_id` of the catalog")]
    content_name: str
    content_category: str
    brand: str
    price: Annotated[Amount, Field(description="of one unit")]
    quantity: int


class WireProperties(TypedDict, total=False):
    """What happened. Custom keys are allowed."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]  # as above

    contents: list[WireContent]
    content_ids: list[str]
    content_type: Literal["product", "product_group"]
    currency: Annotated[
        str, StringConstraints(pattern=r"^[A-Z]{3}$"), Field(description="ISO 4217")
    ]
    value: Annotated[Amount, Field(description="total of the order")]
    num_items: int
    search_string: str
    query: str
    description: str
    order_id: str
    shop_id: str
    customer_type: Literal["new", "returning"]


class WirePage(TypedDict, total=False):
    """Where on the web it happened."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]  # as above

    url: Required[Annotated[Url, Field(description="full URL, scheme and parameters included")]]
    referrer: str


class WireApp(TypedDict, total=False):
    """In which app it happened."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]  # as above

    app_id: Required[Annotated[Text, Field(description="App Store id or Play package name")]]
    app_name: str
    app_version: str


class WireAd(TypedDict, total=False):
    """To which ad a measurement partner attributed it. `ad_id` is the ad *group*."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]  # as above

    callback: str
    campaign_id: str
    ad_id: str
    creative_id: str
    is_retargeting: bool
    attributed: bool
    attribution_type: str
    attribution_provider: str
    attribution_share: Annotated[float, Field(ge=0, le=1)]


class WireLead(TypedDict, total=False):
    """Which lead of TikTok's it moves on."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]  # as above

    lead_id: Required[Text]
    lead_event_source: Annotated[str, Field(description="name of the CRM")]


class WireEvent(TypedDict, total=False):
    """What every item of `data` has, whatever its event source."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]  # as above

    event: Required[Annotated[Text, Field(description="standard or custom name; case matters")]]
    event_time: Required[Annotated[UnixSeconds, Field(description="Unix seconds, UTC")]]
    event_id: Annotated[Text, Field(description="TikTok drops repeats of it within 48 hours")]
    user: WireUser
    properties: WireProperties
    ad: WireAd
    limited_data_use: bool


class WebEvent(WireEvent, total=False):
    """An event of a website."""

    page: Required[WirePage]


class AppEvent(WireEvent, total=False):
    """An event of a mobile app."""

    app: Required[WireApp]


class OfflineEvent(WireEvent, total=False):
    """An event of a physical shop. TikTok matches it by e-mail or phone only."""


class CrmEvent(WireEvent, total=False):
    """A step of a lead in a CRM."""

    lead: Required[WireLead]


class WireEnvelope(TypedDict, total=False):
    """What every request has beside `event_source` and `data`."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]  # as above

    event_source_id: Required[
        Annotated[Text, Field(description="pixel code, app id, offline or CRM event set id")]
    ]
    test_event_code: Annotated[Text, Field(description="shows the events as tests, uncounted")]
    partner_name: Text


class WebRequest(WireEnvelope, total=False):
    """Events of one pixel; `event_source_id` is the pixel code."""

    event_source: Required[Literal["web"]]
    data: Required[Annotated[list[WebEvent], Field(min_length=1, max_length=MAX_EVENTS)]]


class AppRequest(WireEnvelope, total=False):
    """Events of one app; `event_source_id` is TikTok's app id."""

    event_source: Required[Literal["app"]]
    data: Required[Annotated[list[AppEvent], Field(min_length=1, max_length=MAX_EVENTS)]]


class OfflineRequest(WireEnvelope, total=False):
    """Events of one offline event set."""

    event_source: Required[Literal["offline"]]
    data: Required[Annotated[list[OfflineEvent], Field(min_length=1, max_length=MAX_EVENTS)]]


class CrmRequest(WireEnvelope, total=False):
    """Events of one CRM event set."""

    event_source: Required[Literal["crm"]]
    data: Required[Annotated[list[CrmEvent], Field(min_length=1, max_length=MAX_EVENTS)]]


WireRequest = Annotated[
    WebRequest | AppRequest | OfflineRequest | CrmRequest, Field(discriminator="event_source")
]

#: Validates a request that `orjson` has read; raises pydantic's `ValidationError`,
#: whose text holds no value that was sent (its `errors()` do, unless told not to).
REQUEST: Final[TypeAdapter[Any]] = TypeAdapter(
    WireRequest, config=ConfigDict(hide_input_in_errors=True)
)


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a request, for `schemas/event.schema.json`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "TikTok Events API 2.0 request",
        "description": "Body of POST /open_api/v1.3/event/track/, as the relay sends it.",
        **REQUEST.json_schema(),
    }
