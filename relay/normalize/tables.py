"""The handlers of each object of an event, by key (TikTok docs, Events API 2.0)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from relay.model import EventSource
from relay.normalize import identity, money, network
from relay.normalize.consent import limited_data_use
from relay.normalize.countries import country
from relay.normalize.fields import (
    Flaw,
    Handler,
    dropped,
    list_of,
    not_for_source,
    record,
)
from relay.normalize.policy import Policy
from relay.normalize.requirements import REQUIREMENTS
from relay.normalize.text import boolean, choice, extra, free_text, identifier
from relay.normalize.url import page_url

#: More lines than any order has.
_MAX_CONTENTS: Final = 1000
#: Decimals of an amount without a currency: the most that ISO 4217 knows.
_WITHOUT_CURRENCY: Final = 4

_customer_type = choice("new", "returning")
_content_type = choice("product", "product_group")
_att_status = choice("AUTHORIZED", "DENIED", "NOT_DETERMINED", "RESTRICTED", "NOT_APPLICABLE")


def user(policy: Policy, region: str | None) -> Handler:
    """The handler of `user`, with national phone numbers read as those of `region`."""
    table: dict[str, Handler] = {
        "email": identity.email,
        "phone": identity.phone(region, drop_cn_code=policy.cn_phone_without_country_code),
        "external_id": identity.external_id,
        "ttclid": identity.click_id,
        "ttp": identity.click_id,
        "ip": network.ip,
        "user_agent": network.user_agent,
        "idfa": identity.device_id(upper=True, hashed=policy.hash_idfa),
        "idfv": identity.vendor_id,
        "gaid": identity.device_id(upper=False, hashed=policy.hash_gaid),
        "locale": identity.locale,
        "att_status": _att_status,
        "first_name": identity.name,
        "last_name": identity.name,
        "zip_code": identity.zip_code,
        "city": identity.place,
        "state": identity.place,
        "country": country,
        # On CRM events it has moved to `lead` when this is asked.
        "lead_id": _moved if policy.event_source is EventSource.CRM else identifier,
    }
    if policy.keep_unlisted_identifiers:
        return record(table)
    listed = REQUIREMENTS[policy.event_source].user
    return record({key: h if key in listed else not_for_source for key, h in table.items()})


def _moved(_: object) -> None:
    return None


def _contents(amount: Handler) -> Handler:
    item = record(
        {
            "content_id": identifier,
            "content_name": free_text,
            "content_category": free_text,
            "content_type": _content_type,
            "brand": free_text,
            "price": amount,
            "quantity": money.quantity,
        },
        extra,
    )
    return list_of(item, _MAX_CONTENTS)


def _properties(decimals: int) -> Handler:
    amount = money.amount(decimals)
    return record(
        {
            "currency": money.currency,
            "value": amount,
            "contents": _contents(amount),
            "content_ids": list_of(identifier, _MAX_CONTENTS),
            "content_type": _content_type,
            "content_name": free_text,
            "content_category": free_text,
            "num_items": money.quantity,
            "order_id": identifier,
            "shop_id": identifier,
            "search_string": free_text,
            "query": free_text,
            "description": free_text,
            "customer_type": _customer_type,
        },
        extra,
    )


#: The handler of `properties` by the number of decimals of its currency.
_BY_DECIMALS: Final = {decimals: _properties(decimals) for decimals in (0, 2, 3, 4)}
_BY_CURRENCY: Final[Mapping[object, Handler]] = {
    code: _BY_DECIMALS[money.exponent(code)] for code in money.LISTED
}


def properties(currency: object) -> Handler:
    """The handler of `properties`, with amounts read as those of this currency."""
    known = _BY_CURRENCY.get(currency) if isinstance(currency, str) else None
    if known is not None:
        return known
    code = money.currency_code(currency)
    return _BY_DECIMALS[_WITHOUT_CURRENCY if code is None else money.exponent(code)]


def _share(raw: object) -> object:
    """`attribution_share`: from 0 to 1."""
    share = _amount_4(raw)
    return dropped(Flaw.NOT_A_NUMBER) if isinstance(share, int | float) and share > 1 else share


_amount_4: Final = money.amount(4)
_AD: Final[Mapping[str, Handler]] = {
    "callback": identity.click_id,
    "campaign_id": identifier,
    "ad_id": identifier,
    "creative_id": identifier,
    "attribution_type": free_text,
    "attribution_provider": free_text,
    "is_retargeting": boolean,
    "attributed": boolean,
    "attribution_share": _share,
}
_OBJECTS: Final[Mapping[str, Mapping[str, Handler]]] = {
    "app": {"app_id": identifier, "app_name": free_text, "app_version": identifier},
    "ad": _AD,
    "lead": {"lead_id": identifier, "lead_event_source": free_text},
}


def page(source: EventSource) -> Handler:
    """The handler of `page`."""
    listed = "page" in REQUIREMENTS[source].objects
    return record({"url": page_url, "referrer": page_url}) if listed else not_for_source


def objects(source: EventSource) -> tuple[tuple[str, Handler], ...]:
    """The handlers of what follows `page`, in the order of the wire."""
    listed = REQUIREMENTS[source]
    ad = {key: h if key in listed.ad else not_for_source for key, h in _AD.items()}
    handlers = {key: record(table) for key, table in {**_OBJECTS, "ad": ad}.items()}
    handlers["device"] = extra
    for key in handlers:
        if key not in listed.objects:
            handlers[key] = not_for_source
    return (*handlers.items(), ("limited_data_use", limited_data_use))
