"""What the demo's senders send: real shapes, made-up people.

The shops' payloads are recorded ones from `data/`, with times moved to now and another buyer in
each. The JSON events and the file carry what real data carries: addresses with blanks and capitals,
national phone numbers, ready-made digests, times in milliseconds, and some that cannot be used.
Everybody lives at example.com and has a phone number that is kept free for fiction (Ofcom,
"Telephone numbers for use in TV and radio drama").
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any, NamedTuple

import orjson

_ISO = re.compile(r'"(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?)"')
_UNIX = re.compile(r"(?<=:)(1[78]\d{8})\b")

_FIRST = ("Ada", "Grace", "Alan", "Edith", "Katherine", "Linus", "Radia", "Barbara", "Hedy", "Ken")
_LAST = ("Mustermann", "Specimen", "Placeholder", "Quidam", "Loremson", "Ipsumsky")
_AGENT = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)

#: Each identifier of each person here, and of those in the recordings, holds one of these; nothing
#: else does.
FRAGMENTS = (
    "@example.com",
    "07700 900",
    "7700900",
    "customer-735822",
    "Ada Example",
    "Fixture Street",
    *(f" {last}" for last in _LAST),
    *(f'"{last}"' for last in _LAST),
)

Json = dict[str, Any]


class Person(NamedTuple):
    """Somebody who buys. E-mail, phone, customer id and names must never be found in anything that
    the relay writes."""

    number: int
    first: str
    last: str

    @property
    def email(self) -> str:
        return f"{self.first}.{self.last}.{self.number}@example.com".lower()

    @property
    def national_phone(self) -> str:
        return f"07700 900{self.number % 1000:03d}"

    @property
    def phone(self) -> str:
        return "+44" + self.national_phone[1:].replace(" ", "")

    @property
    def customer_id(self) -> int:
        return 735_822_000_000 + self.number


def person(number: int) -> Person:
    return Person(number, _FIRST[number % len(_FIRST)], _LAST[number // 7 % len(_LAST)])


# --- shops ----------------------------------------------------------------------------------------


def recorded(name: str, *, happened: str | int, now: float) -> Json:
    """A recorded payload, as if what `happened` then (ISO text or Unix time) happened just now."""
    text = resources.files("relay.demo").joinpath("data", f"{name}.json").read_text("utf-8")
    then = happened if isinstance(happened, int) else _unix(happened)
    shift = int(now) - 30 - then
    text = _ISO.sub(lambda found: f'"{_moved(found[1], shift)}"', text)
    moved: Json = orjson.loads(_UNIX.sub(lambda found: str(int(found[1]) + shift), text))
    return moved


def _unix(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _moved(text: str, seconds: int) -> str:
    return (datetime.fromisoformat(text) + timedelta(seconds=seconds)).isoformat()


def shopify_order(buyer: Person, *, now: float, kind: str = "orders_create") -> Json:
    """An order of a Shopify shop; `orders_paid` tells of the same one later."""
    order = recorded(f"shopify/{kind}", happened="2026-08-20T14:03:19+02:00", now=now)
    token = hashlib.md5(f"checkout {buyer.number}".encode()).hexdigest()  # noqa: S324  # an id
    order |= {
        "id": 5_778_367_000_000 + buyer.number,
        "name": f"#{2000 + buyer.number}",
        "checkout_token": token,
        "email": buyer.email,
        "contact_email": buyer.email,
    }
    for part in ("shipping_address", "billing_address"):
        order[part] |= {
            "first_name": buyer.first,
            "last_name": buyer.last,
            "name": f"{buyer.first} {buyer.last}",
            "phone": buyer.national_phone,
        }
    order["customer"] |= {
        "id": buyer.customer_id,
        "email": buyer.email,
        "first_name": buyer.first,
        "last_name": buyer.last,
        "phone": None,
    }
    return order


def shopify_checkout(buyer: Person, *, now: float) -> Json:
    checkout = recorded("shopify/checkouts_create", happened="2026-08-20T11:58:00+00:00", now=now)
    return checkout | {"token": f"c0ffee{buyer.number:026d}", "id": 9_000_000 + buyer.number}


def shopify_customer(buyer: Person, *, now: float) -> Json:
    customer = recorded("shopify/customers_create", happened="2026-05-02T09:11:20+02:00", now=now)
    return customer | {
        "id": buyer.customer_id,
        "email": buyer.email,
        "phone": buyer.phone,
        "first_name": buyer.first,
        "last_name": buyer.last,
    }


def woocommerce_order(buyer: Person, *, now: float, kind: str = "order_updated_paid") -> Json:
    order = recorded(f"woocommerce/{kind}", happened="2026-08-20T12:03:40", now=now)
    number = _woocommerce_number(buyer)
    order |= {"id": number, "number": str(number), "customer_id": buyer.number}
    order["billing"] |= {
        "first_name": buyer.first,
        "last_name": buyer.last,
        "email": f" {buyer.email.title()} ",  # as people type it
        "phone": buyer.national_phone,
    }
    for entry in order["meta_data"]:
        if entry["key"] == "_tt_event_id":
            entry["value"] = str(number)
    return order


def _woocommerce_number(buyer: Person) -> int:
    return 100_000 + buyer.number


def stripe_session(buyer: Person, *, now: float, pays_woocommerce: bool = False) -> Json:
    """A paid Checkout Session; of a WooCommerce order where it `pays_woocommerce`, whose event id
    it then carries."""
    event = recorded("stripe/checkout.session.completed", happened=1787227420, now=now)
    session = event["data"]["object"]
    number = _woocommerce_number(buyer) if pays_woocommerce else 700_000 + buyer.number
    session |= {"id": f"cs_live_demo{buyer.number:08d}", "client_reference_id": f"order-{number}"}
    session["customer_details"] |= {
        "email": buyer.email,
        "phone": buyer.phone,
        "name": f"{buyer.first} {buyer.last}",
    }
    session["metadata"] |= {"order_id": str(number), "tt_event_id": str(number)}
    return event


# --- a backend ------------------------------------------------------------------------------------


def purchase(buyer: Person, event_id: str, *, now: float) -> Json:
    """A purchase in canonical JSON, with what the sender happens to know, as it knows it."""
    style = buyer.number % 4
    email: Any = buyer.email
    phone: Any = buyer.phone
    if style == 1:
        email, phone = f"  {buyer.email.upper()} ", buyer.national_phone
    elif style == 2:
        email = hashlib.sha256(buyer.email.encode()).hexdigest().upper()  # hashed by the sender
        phone = None
    elif style == 3:
        email, phone = (
            [buyer.email, f"work.{buyer.email}"],
            buyer.phone[1:].replace("44", "0044", 1),
        )
    seconds = int(now) - buyer.number % 600
    return {
        "event": "CompletePayment" if style == 3 else "Purchase",
        "event_id": event_id,
        "event_time": seconds * 1000 if style == 2 else seconds,
        "country": "GB",
        "user": {
            "email": email,
            "phone": phone,
            "external_id": f"customer-{buyer.customer_id}",
            "first_name": buyer.first,
            "last_name": buyer.last,
            "ip": f"81.2.{buyer.number % 200}.{buyer.number % 250 + 1}",
            "user_agent": _AGENT,
        },
        "properties": {
            "value": f"{10 + buyer.number % 90}.90",
            "currency": "EUR",
            "contents": [{"content_id": "TR-42-BLK", "price": "129.00", "quantity": 1}],
        },
        "page": {"url": "https://shop.example/thanks"},
    }


class Broken(NamedTuple):
    """Events that cannot be delivered, and how each kind of them has to end."""

    invalid: Sequence[object]
    withheld: Sequence[Json]
    expired: Sequence[Json]


def broken(people: Sequence[Person], *, now: float) -> Broken:
    """Needs eleven people."""
    made = [purchase(each, f"broken-{each.number}", now=now) for each in people]
    nameless, timeless, future = made[0], made[1], made[2]
    del nameless["event"]
    timeless["event_time"] = "last Tuesday"
    future["event_time"] = int(now) + 90_000
    denied = [each | {"consent": "denied"} for each in made[3:7]]
    old = [each | {"event_time": int(now) - 40 * 86_400} for each in made[7:10]]
    return Broken((nameless, timeless, future, "not an object"), denied, old)


# --- a file ---------------------------------------------------------------------------------------

_COLUMNS = (
    "event", "event_time", "event_id", "email", "phone", "country", "value", "currency",
    "contents.0.content_id", "contents.0.quantity",
)  # fmt: skip


def sales_of_stores(people: Sequence[Person], nobodies: Sequence[Person], *, now: float) -> bytes:
    """A CSV file of sales in stores, as a till exports it; those to `nobodies` have neither e-mail
    nor phone, so that TikTok could match them to no one."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    writer.writerow(_COLUMNS)
    for buyer in (*people, *nobodies):
        known = buyer in people
        at = datetime.fromtimestamp(int(now) - 60 * (buyer.number % 500), UTC)
        writer.writerow(
            (
                "Purchase",
                f"{at:%Y-%m-%d %H:%M:%S UTC}",
                f"till-{buyer.number}",
                buyer.email.title() if known else "",
                buyer.national_phone if known else "n/a",
                "GB",
                f"{5 + buyer.number % 70},50",
                "EUR",
                "SOCK-3PK",
                "2",
            )
        )
    return text.getvalue().encode()
