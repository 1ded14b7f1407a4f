"""A conversion: what `POST /v1/events` takes, and what every source is mapped to.

It has the shape of an item of TikTok's `data[]` (TikTok docs, Events API 2.0), so that their
documentation applies, with identifiers readable or already hashed, and beside it what TikTok has no
place for: `order_id`, `consent`, `country`, `test_event_code`, `destination`.

These types are the documentation and `schemas/conversion.schema.json`. Events are not validated
with them: a bad optional field costs the field, not the event, and `relay.normalize` knows how to
read more than a schema can say (`"1.234,50"`, milliseconds, `en_US`). Whatever is valid here is
accepted there; a property test holds that.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Required

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter

# pydantic asks for the backport's TypedDict below Python 3.12, and brings the package itself.
from typing_extensions import TypedDict

_STRICT: Final = ConfigDict(strict=True)
_OPEN: Final = ConfigDict(strict=True, extra="allow")

#: Neither blank nor with control characters.
_EVENT_NAME: Final = r"^[^\x00-\x20\x7f]([^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?$"

#: An id; numbers become strings, because TikTok refuses them.
Id = Annotated[str, StringConstraints(min_length=1, max_length=255)] | int
Amount = (
    Annotated[int, Field(ge=0)]
    | Annotated[float, Field(ge=0, allow_inf_nan=False)]
    | Annotated[str, StringConstraints(pattern=r"^[0-9]{1,11}(\.[0-9]{1,4})?$")]
)
Count = Annotated[int, Field(ge=0)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://", max_length=8192)]
OneOrSeveral = str | list[str]
ContentType = Literal["product", "product_group"]
#: Time is seconds here; milliseconds are understood too.
Time = (
    Annotated[int, Field(ge=946_684_800)]
    | Annotated[float, Field(ge=946_684_800)]
    | Annotated[str, StringConstraints(min_length=8, max_length=64)]
)


class ConversionUser(TypedDict, total=False):
    """Whom the event is about. A SHA-256 in hex, in any field that is hashed, stays as it is."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]  # pydantic's documented way for a TypedDict

    email: Annotated[OneOrSeveral, Field(description="e-mail address; trimmed, lowered, hashed")]
    phone: Annotated[
        OneOrSeveral,
        Field(
            description="phone number; brought to E.164, hashed. National numbers are read as those"
            " of `country`, else of the user's country, else of the destination's"
        ),
    ]
    external_id: Annotated[
        str | int | list[str | int], Field(description="your own id of the person; hashed")
    ]
    first_name: Annotated[str, Field(description="letters only, lowered, hashed")]
    last_name: Annotated[str, Field(description="letters only, lowered, hashed")]
    zip_code: Annotated[str, Field(description="without spaces and dashes, lowered, hashed")]
    city: Annotated[str, Field(description="lowered, without spaces and punctuation; not hashed")]
    state: Annotated[str, Field(description="lowered, without spaces and punctuation; not hashed")]
    country: Annotated[str, Field(description="ISO 3166-1 alpha-2; not hashed")]
    ttclid: Annotated[
        str, Field(description="click id from the landing page's URL, whole; or it is in page.url")
    ]
    ttp: Annotated[str, Field(description="value of the `_ttp` cookie that the pixel sets")]
    ip: Annotated[
        str, Field(description="public address; of a list of proxies the first public one counts")
    ]
    user_agent: Annotated[str, Field(description="of the browser, as it is; send it with `ip`")]
    idfa: Annotated[str, Field(description="iOS advertising id")]
    idfv: Annotated[str, Field(description="iOS vendor id")]
    gaid: Annotated[str, Field(description="Android advertising id")]
    locale: Annotated[str, Field(description="BCP 47, such as `en-US`; `en_US` is understood")]
    att_status: Literal["AUTHORIZED", "DENIED", "NOT_DETERMINED", "RESTRICTED", "NOT_APPLICABLE"]
    lead_id: Annotated[Id, Field(description="for `lead.lead_id`, where a tool puts it here")]


class ConversionContent(TypedDict, total=False):
    """One line of a cart or an order; other keys pass as they are."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]  # as above

    content_id: Annotated[Id, Field(description="`sku_id` or `item_group_id` of your catalog")]
    content_name: str
    content_category: str
    brand: str
    price: Annotated[Amount, Field(description="of one unit")]
    quantity: Count


class ConversionProperties(TypedDict, total=False):
    """What happened. Other keys pass as they are, if they hold no e-mail address."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]  # as above

    value: Annotated[
        Amount,
        Field(
            description="total of the order, in major units; rounded half up to the currency's"
            ' minor unit. Text such as "1,234.00" is understood where it has one meaning'
        ),
    ]
    currency: Annotated[
        str, StringConstraints(pattern=r"^[A-Za-z]{3}$"), Field(description="ISO 4217")
    ]
    contents: list[ConversionContent]
    content_ids: list[Id]
    content_type: Annotated[
        ContentType,
        Field(description="`product`: ids are `sku_id`; `product_group`: they are `item_group_id`"),
    ]
    num_items: Annotated[Count, Field(description="pieces, not lines")]
    order_id: Id
    shop_id: Id
    search_string: Annotated[str, Field(description="what was typed; dropped if it is an e-mail")]
    query: Annotated[str, Field(description="older name of `search_string`")]
    description: str
    customer_type: Annotated[Literal["new", "returning"], Field(description="web and app only")]


class ConversionPage(TypedDict, total=False):
    """Where on the web it happened. Personal data and secrets in parameters are removed."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]  # as above

    url: Annotated[Url, Field(description="full URL with its parameters")]
    referrer: Annotated[str, Field(description="full URL of the page before")]


class ConversionApp(TypedDict, total=False):
    """In which app it happened."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]  # as above

    app_id: Annotated[Id, Field(description="App Store id or Play package name")]
    app_name: str
    app_version: str


class ConversionAd(TypedDict, total=False):
    """To which ad a measurement partner attributed it; on web events only `attribution_share`."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]  # as above

    callback: Annotated[str, Field(description="click id")]
    campaign_id: Id
    ad_id: Annotated[Id, Field(description="of the ad *group*")]
    creative_id: Annotated[Id, Field(description="of the ad")]
    is_retargeting: bool
    attributed: bool
    attribution_type: str
    attribution_provider: str
    attribution_share: Annotated[float, Field(ge=0, le=1)]


class ConversionLead(TypedDict, total=False):
    """Which lead of TikTok's it moves on."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]  # as above

    lead_id: Id
    lead_event_source: Annotated[str, Field(description="name of the CRM")]


class Conversion(TypedDict, total=False):
    """One event for TikTok, readable.

    Beside `event` and `event_time`, web events want `page.url`, app events need `app.app_id`,
    offline events `user.email` or `user.phone`, CRM events `lead.lead_id`.
    """

    __pydantic_config__ = _STRICT  # type: ignore[misc]  # as above

    event: Required[
        Annotated[
            str,
            StringConstraints(pattern=_EVENT_NAME, max_length=100),
            Field(
                description="standard or custom name; case matters. Custom: at most 50 letters,"
                " digits, `_` and `-`, a letter first; free on CRM events, not on offline events",
                examples=["Purchase", "AddToCart", "CompleteRegistration"],
            ),
        ]
    ]
    event_time: Required[
        Annotated[
            Time,
            Field(
                description="when it happened, not when it is sent: Unix seconds (or ms, µs, ns),"
                " ISO 8601 (without zone: UTC) or RFC 2822",
                examples=[1780000000, "2026-05-28T20:26:40Z"],
            ),
        ]
    ]
    event_id: Annotated[
        Id,
        Field(
            description="what repeats are recognised by, together with `event`: the id the browser"
            " pixel sends, if there is one. Without it: the order id, else a digest of the content"
        ),
    ]
    user: ConversionUser
    properties: ConversionProperties
    page: ConversionPage
    app: ConversionApp
    ad: ConversionAd
    lead: ConversionLead
    device: Annotated[
        dict[str, Any], Field(description="client hints, as Google Tag Manager sends them")
    ]
    limited_data_use: Annotated[
        bool, Field(description="true: TikTok limits what it does with the data, where it applies")
    ]
    order_id: Annotated[Id, Field(description="for `properties.order_id`, if that is missing")]
    consent: Annotated[
        Literal["granted", "denied", "unknown"],
        Field(description="what the person allowed; what follows is the destination's choice"),
    ]
    country: Annotated[
        str, Field(description="ISO 3166-1 alpha-2: whose national phone numbers are meant")
    ]
    test_event_code: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$"),
        Field(description="shows the event on TikTok's Test Events page, and counts it nowhere"),
    ]
    destination: Annotated[
        str, Field(description="one destination of the source; without it, all of them")
    ]


#: Validates a conversion that `orjson` has read; for tools and tests, not for the hot path. Its
#: errors show what was sent: personal data.
CONVERSION: Final = TypeAdapter(Conversion)


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a conversion, for `schemas/conversion.schema.json`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **CONVERSION.json_schema(),
    }
