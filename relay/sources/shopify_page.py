"""The page that a Shopify visit began on.

Shopify gives its path only (`landing_site`). The order's own URL is never the page: its path and
query hold an access key. But its origin is the shop's address, so that nothing need be configured.
"""

from __future__ import annotations

import re

from relay.sources import fields
from relay.sources.fields import JsonObject, compact, text
from relay.sources.protocol import Conversion, Headers

_ORIGIN = re.compile(r"(https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?)(?:[/?#]|$)").match
_DOMAIN = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+").fullmatch


def landing_page(
    order: JsonObject, own_url: object, headers: Headers, shop_url: str | None
) -> Conversion:
    """`page` of an order or a checkout: the landing page and what led there.

    The shop is the configured one, else the origin of `own_url`, else the domain in the header.
    """
    landing = text(order.get("landing_site"))
    if landing is None or not landing.startswith("/") or landing.startswith("//"):
        url = fields.web_url(landing)
    else:
        shop = shop_url or _origin(own_url) or _domain(headers)
        url = shop.rstrip("/") + landing if shop else None
    return compact({"url": url, "referrer": fields.web_url(order.get("referring_site"))})


def _origin(url: object) -> str | None:
    found = _ORIGIN(url) if isinstance(url, str) else None
    # Order pages of newer customer accounts live on Shopify's own domain, which is no shop's.
    return None if found is None or found[1].endswith("//shopify.com") else found[1]


def _domain(headers: Headers) -> str | None:
    domain = headers.get("x-shopify-shop-domain", "")
    return f"https://{domain}" if _DOMAIN(domain) else None
