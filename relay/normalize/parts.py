"""The parts of an event: `user`, `properties` and the other objects, read and completed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from relay.model import EventSource, FieldIssue
from relay.normalize import tables
from relay.normalize.countries import country, country_code
from relay.normalize.fields import Flaw, Handler, shown, take, words
from relay.normalize.identity import click_id
from relay.normalize.policy import Policy
from relay.normalize.text import identifier
from relay.normalize.url import click_id_of, page_url

Parts = dict[str, Any]
Conversion = Mapping[str, Any]
Issues = list[FieldIssue]

#: Everything a conversion may have: the fields of TikTok's item, and ours.
KEYS: Final = words(
    """
    event event_time event_id user properties page app ad lead device limited_data_use
    order_id consent country test_event_code destination
    """
)
#: What most events have, and no more.
_USUAL: Final = words("event event_time event_id user properties page order_id country consent")


class PartsReader:
    """Reads the parts of a conversion for one destination."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._read_user = tables.user(policy, country_code(policy.default_country))
        self._read_user_of: dict[str, Handler] = {}
        self._read_page = tables.page(policy.event_source)
        self._objects = tables.objects(policy.event_source)
        self._page_url = None if policy.page_url is None else page_url(policy.page_url)
        self._is_web = policy.event_source is EventSource.WEB
        self._is_crm = policy.event_source is EventSource.CRM

    def read(self, conversion: Conversion, issues: Issues) -> Parts:
        """The parts that there are, by key, in the order of the wire; flaws go to `issues`.

        A part in which nothing changed is that of the conversion itself: it must not be changed.
        """
        if self._is_crm:
            conversion = _with_lead_id(conversion)
        user = self._user(conversion, issues)
        properties = _properties(conversion, issues)
        page = self._page(conversion, issues)
        if page is not None and "ttclid=" in page["url"]:
            user = _with_click_id(user, page["url"])
        parts: Parts = {}
        if user is not None:
            parts["user"] = user
        if properties is not None:
            parts["properties"] = properties
        if page is not None:
            parts["page"] = page
        if not _USUAL.issuperset(conversion):
            self._add_others(conversion, parts, issues)
        return parts

    def _add_others(self, conversion: Conversion, parts: Parts, issues: Issues) -> None:
        for key, handler in self._objects:
            part = take(handler, conversion.get(key), key, issues)
            if part is not None:
                parts[key] = part
        unknown = {shown(key): None for key in conversion if key not in KEYS}
        issues.extend(FieldIssue(key, Flaw.UNKNOWN_FIELD.value) for key in unknown)

    def _user(self, conversion: Conversion, issues: Issues) -> Parts | None:
        raw = conversion.get("user")
        if raw is None:
            return None
        code = None
        if "country" in conversion:
            code = country_code(take(country, conversion["country"], "country", issues))
        if code is None and isinstance(raw, dict) and "country" in raw:
            code = country_code(raw["country"])
        reader = self._read_user if code is None else self._reader_of(code)
        user: Parts | None = take(reader, raw, "user", issues)
        return user

    def _reader_of(self, country: str) -> Handler:
        reader = self._read_user_of.get(country)
        if reader is None:
            # At most one for each country there is.
            reader = self._read_user_of[country] = tables.user(self._policy, country)
        return reader

    def _page(self, conversion: Conversion, issues: Issues) -> Parts | None:
        """The page; without its URL it is none to TikTok, so the policy's stands in."""
        page: Parts | None = take(self._read_page, conversion.get("page"), "page", issues)
        if page is not None and "url" in page:
            return page
        return {"url": self._page_url, **(page or {})} if self._is_web and self._page_url else None


def _with_click_id(user: Parts | None, url: str) -> Parts | None:
    """The user of an event that has its click id in the URL only."""
    if user is not None and "ttclid" in user:
        return user
    found = click_id(click_id_of(url) or "")
    return {**(user or {}), "ttclid": found} if isinstance(found, str) else user


def _with_lead_id(conversion: Conversion) -> Conversion:
    """Some tools put the lead's id into `user`; TikTok documents it in `lead` only."""
    user, lead = conversion.get("user"), conversion.get("lead") or {}
    lead_id = user.get("lead_id") if isinstance(user, dict) else None
    if lead_id is None or not isinstance(lead, dict) or lead.get("lead_id") is not None:
        return conversion
    return {**conversion, "lead": {**lead, "lead_id": lead_id}}


def _properties(conversion: Conversion, issues: Issues) -> Parts | None:
    raw = conversion.get("properties")
    properties: Parts | None = None
    if raw is not None:
        handler = tables.properties(raw.get("currency") if isinstance(raw, dict) else None)
        properties = take(handler, raw, "properties", issues)
    order_id = conversion.get("order_id")
    if order_id is not None and (properties is None or "order_id" not in properties):
        order_id = take(identifier, order_id, "order_id", issues)
        if order_id is not None:
            properties = {**(properties or {}), "order_id": order_id}
    if properties is not None and "content_type" not in properties and "contents" in properties:
        # Events API 1.0 and tools made for it have it in each item, where 2.0 ignores it.
        content_type = properties["contents"][0].get("content_type")
        if content_type is not None:
            properties = {**properties, "content_type": content_type}
    return properties
