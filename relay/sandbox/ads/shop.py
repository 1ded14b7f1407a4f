"""What the shop's server hands to the relay: conversions as `POST /v1/events` takes them.

Identifiers are readable, as the shop has them; the relay hashes.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import md5
from typing import Any, Final, NamedTuple

from relay.sandbox.ads.chance import Meter
from relay.sandbox.ads.money import digits_of
from relay.sandbox.ads.person import Person, Step
from relay.sandbox.ads.plan import WorldPlan
from relay.sandbox.ads.zone import DAY_S

Conversion = dict[str, Any]

#: From the event to the relay, at least, and how much it varies.
_DELAY_S: Final = 3.0
_DELAY_VARIES_S: Final = 25.0
#: From a click to the view of its page.
_LOADS_S: Final = 4.0
_PATHS: Final = {
    "ViewContent": "/p/42",
    "AddToCart": "/cart",
    "InitiateCheckout": "/checkout",
    "Purchase": "/checkout/thanks",
}
_TEST_CODE: Final = "TEST20260"


class Handed(NamedTuple):
    """One conversion, and when the shop sends it."""

    at: float
    conversion: Conversion


class Shop:
    """To be asked once for each person, in the order in which they come: shares are kept evenly."""

    def __init__(self, plan: WorldPlan) -> None:
        self._plan = plan
        self._digits = digits_of(plan.money)
        quirks = plan.quirks
        self._missing = Meter(quirks.missing_share)
        self._late = Meter(quirks.late_share)
        self._ahead = Meter(quirks.clock_share)
        self._two_ids = Meter(quirks.two_ids_share)
        self._bad_keys = Meter(quirks.bad_keys_share)
        self._without_value = Meter(quirks.without_value_share)
        self._in_cents = Meter(quirks.cents_share)
        self._test_code = Meter(quirks.test_code_share)

    def hands(self, person: Person) -> Iterator[Handed]:
        """What the relay gets of a person's steps, with all that is wrong with it."""
        if self._plan.landings and person.ttclid is not None:
            yield self._landing(person, person.touches[-1].at + _LOADS_S)
        for step in person.steps:
            if step.event not in self._plan.relayed or self._missing.picks(step.event):
                continue
            at = step.at + _DELAY_S + _DELAY_VARIES_S * person.roll
            if self._late.picks(step.event):
                at += self._plan.quirks.late_s
            if self._is_silent(at):
                continue
            conversion = self._conversion(person, step)
            yield Handed(at, conversion)
            if step.order_id is not None and self._two_ids.picks(step.event):
                yield Handed(at + 5, {**conversion, "event_id": f"again-{step.event_id}"})

    def _landing(self, person: Person, at: float) -> Handed:
        seen = Step("ViewContent", at, f"l{person.number}", 0)
        stranger = person._replace(email=None, phone=None)
        return Handed(at + _DELAY_S, self._conversion(stranger, seen))

    def tests(self, start: float) -> Iterator[Handed]:
        """What somebody tries out on a day that begins at `start`."""
        at = start + DAY_S / 2
        if self._plan.quirks.test_views and not self._is_silent(at):
            yield Handed(
                at,
                {
                    "event": "ViewContent",
                    "event_time": int(at),
                    "event_id": f"test-{int(at)}",
                    "user": {"external_id": "developer"},
                    "page": {"url": f"{self._plan.shop_url}/p/1"},
                    "test_event_code": _TEST_CODE,
                },
            )

    def _is_silent(self, at: float) -> bool:
        day = self._plan.quirks.silent_from_day
        return day is not None and at >= self._plan.started_at + DAY_S * day

    def _conversion(self, person: Person, step: Step) -> Conversion:
        quirks = self._plan.quirks
        ahead_s = quirks.clock_ahead_s if self._ahead.picks(step.event) else 0.0
        conversion: Conversion = {
            "event": step.event,
            "event_time": int(step.at + ahead_s),
            "event_id": step.event_id,
            "user": self._user(person, step),
            "properties": self._properties(step),
            "page": self._page(person, step),
            "country": self._plan.country,
            "consent": "denied" if person.denies else "granted",
        }
        if quirks.without_id:
            del conversion["event_id"]
        if step.order_id is not None:
            conversion["order_id"] = step.order_id
            if self._test_code.picks(step.event):
                conversion["test_event_code"] = _TEST_CODE
        return conversion

    def _user(self, person: Person, step: Step) -> dict[str, str]:
        user = {"external_id": person.external_id, "ip": person.ip, "user_agent": person.user_agent}
        if person.ttclid is not None:
            user["ttclid"] = person.ttclid
        if not person.blocks and not person.denies:
            user["ttp"] = person.ttp
        known = step.order_id is not None or person.knows_contact
        if known and not self._plan.quirks.without_contact:
            user |= {
                name: found
                for name, found in (("email", person.email), ("phone", person.phone))
                if found is not None
            }
        if self._bad_keys.picks(step.event):
            user |= {
                "email": md5((person.email or "").encode(), usedforsecurity=False).hexdigest(),
                "phone": "n/a",
                "ip": "10.0.0.7",
            }
        return user

    def _properties(self, step: Step) -> dict[str, Any]:
        properties: dict[str, Any] = {
            "content_type": "product",
            "contents": [{"content_id": f"sku-{step.value % 97}", "quantity": 1}],
            "currency": self._plan.money,
        }
        if step.order_id is None:
            return {**properties, "value": self._amount(step)}
        if self._without_value.picks(step.event):
            del properties["currency"]
        elif self._in_cents.picks(step.event):
            properties["value"] = str(step.value)
        else:
            properties["value"] = self._amount(step)
        return properties

    def _amount(self, step: Step) -> str:
        return f"{step.value / 10**self._digits:.{self._digits}f}"

    def _page(self, person: Person, step: Step) -> dict[str, str]:
        url = self._plan.shop_url + _PATHS.get(step.event, "/")
        if not person.clicked:
            return {"url": url}
        page = {"url": url, "referrer": "https://www.tiktok.com/"}
        if person.has_address:
            page["url"] += f"?utm_source=tiktok&utm_content={person.touches[-1].ad_id}"
            if person.ttclid is not None:
                page["url"] += f"&ttclid={person.ttclid}"
        return page
