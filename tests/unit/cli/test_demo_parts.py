"""The demo's parts: what its senders send, and how it is decided whether it adds up."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace

import orjson
import pytest

from relay.demo import payloads, signing
from relay.demo.accounts import Accounts
from relay.demo.sums import Promised, Received, Searched, equations, unanswered
from relay.errors import SignatureRefused
from relay.model import Counts, Event, EventSource, Outcome, Reason
from relay.normalize.event import Normalizer
from relay.normalize.policy import Policy
from relay.sources import registry
from relay.sources.protocol import Conversions, Ignored

NOW = time.time()
BUYER = payloads.person(17)

WEB = Normalizer(Policy("web", EventSource.WEB, default_country="GB"))
STORES = Normalizer(Policy("stores", EventSource.OFFLINE, default_country="GB"))


# --- what is sent ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "topic", "event"),
    [
        (payloads.shopify_order(BUYER, now=NOW), "orders/create", "Purchase"),
        (payloads.shopify_checkout(BUYER, now=NOW), "checkouts/create", "InitiateCheckout"),
        (payloads.shopify_customer(BUYER, now=NOW), "customers/create", "CompleteRegistration"),
    ],
)
def test_shopify_s_webhooks_are_recent_signed_and_understood(
    payload: payloads.Json, topic: str, event: str
) -> None:
    source = registry.build("shopify", "shop", ["secret"], {})
    body = orjson.dumps(payload)
    headers = {
        name.lower(): value for name, value in signing.shopify(body, topic, "secret").items()
    }

    source.verify(body, headers, now=NOW)
    reading = source.read(body, headers, now=NOW, recall=lambda key: None)
    assert isinstance(reading, Conversions)
    (made,) = [WEB(item, now=NOW) for item in reading.items]
    assert isinstance(made, Event)
    assert made.name == event
    assert 0 <= NOW - made.event_time < 3600
    with pytest.raises(SignatureRefused):
        source.verify(body + b" ", headers, now=NOW)


def test_an_order_of_woocommerce_and_its_payment_by_stripe_are_one_event() -> None:
    woo = registry.build("woocommerce", "shop", ["secret"], {})
    stripe = registry.build("stripe", "pay", ["secret"], {})
    order = orjson.dumps(payloads.woocommerce_order(BUYER, now=NOW))
    paid = orjson.dumps(payloads.stripe_session(BUYER, now=NOW, pays_woocommerce=True))
    signed = signing.stripe(paid, int(NOW), "secret")
    stripe.verify(paid, {name.lower(): value for name, value in signed.items()}, now=NOW)

    readings = [
        woo.read(order, {"x-wc-webhook-topic": "order.updated"}, now=NOW, recall=lambda key: None),
        stripe.read(paid, {}, now=NOW, recall=lambda key: None),
    ]
    made = [WEB(item, now=NOW) for each in readings if isinstance(each, Conversions)
            for item in each.items]  # fmt: skip
    claims = {each.claim for each in made if isinstance(each, Event)}

    assert len(made) == 2
    assert len(claims) == 1


def test_an_unpaid_order_is_no_sale_yet() -> None:
    source = registry.build("woocommerce", "shop", ["secret"], {})
    body = orjson.dumps(payloads.woocommerce_order(BUYER, now=NOW, kind="order_created"))

    reading = source.read(
        body, {"x-wc-webhook-topic": "order.created"}, now=NOW, recall=lambda key: None
    )

    assert isinstance(reading, Ignored)


@pytest.mark.parametrize("number", range(8))
def test_the_backend_s_events_are_dirty_and_can_be_used(number: int) -> None:
    buyer = payloads.person(number)

    made = WEB(payloads.purchase(buyer, f"order-{number}", now=NOW), now=NOW)

    assert isinstance(made, Event)
    assert made.name == "Purchase"
    assert [issue for issue in made.issues if issue.field.startswith("user")] == []


def test_what_is_broken_ends_as_it_is_meant_to() -> None:
    broken = payloads.broken([payloads.person(number) for number in range(10)], now=NOW)

    for outcome, events in (
        (Outcome.INVALID, broken.invalid),
        (Outcome.WITHHELD, broken.withheld),
        (Outcome.EXPIRED, broken.expired),
    ):
        made = [WEB(event, now=NOW) for event in events]
        assert [getattr(each, "outcome", None) for each in made] == [outcome] * len(events)


def test_the_file_has_sales_to_somebody_and_to_nobody() -> None:
    from relay.cli.columns import Columns  # noqa: PLC0415  # the demo itself sits below the cli

    file = payloads.sales_of_stores([payloads.person(1)], [payloads.person(2)], now=NOW)
    header, known, unknown = (line.split(";") for line in file.decode().splitlines())
    columns = Columns(header)

    somebody, nobody = (STORES(columns.conversion(row), now=NOW) for row in (known, unknown))

    assert columns.unknown == columns.missing == []
    assert isinstance(somebody, Event)
    assert getattr(nobody, "reason", None) == Reason.BAD_FIELD


@pytest.mark.parametrize("number", range(60))
def test_the_search_knows_a_part_of_every_identifier(number: int) -> None:
    buyer = payloads.person(number)
    identifiers = (
        buyer.email, buyer.national_phone, buyer.phone, f"{buyer.first} {buyer.last}",
        f"customer-{buyer.customer_id}",
    )  # fmt: skip

    for identifier in identifiers:
        assert any(part.lower() in identifier.lower() for part in payloads.FRAGMENTS)


# --- whether it adds up ---------------------------------------------------------------------------


PROMISED = Promised(
    sent={"backend": 10, "shop": 5},
    acknowledged={"backend": 10, "shop": 5},
    request_ids=frozenset({"r1"}),
    planted=Counter({Outcome.INVALID: 1, Outcome.REJECTED: 1, Outcome.DUPLICATE: 2}),
)
ACCOUNTS = Accounts(
    outcomes=Counter(
        {
            ("backend", "delivered"): 7,
            ("backend", "rejected"): 1,
            ("backend", "duplicate"): 4,
            ("shop", "delivered"): 4,
            ("shop", "invalid"): 1,
        }
    ),
    receipts=Counter(
        {("backend", "http:r1"): 10, ("backend", "http:r2"): 2, ("shop", "http:s"): 5}
    ),
    counts=[Counts(accepted=17, settled=17, waiting=0)],
)
RECEIVED = Received(effects=11)
SEARCHED = Searched(identifiers=40, found=0, size_bytes=1_000_000)


def failing(
    promised: Promised = PROMISED,
    accounts: Accounts = ACCOUNTS,
    received: Received = RECEIVED,
    searched: Searched = SEARCHED,
) -> list[str]:
    every = equations(promised, accounts, received, searched, json="backend")
    return [each.says for each in every if not each.holds]


def test_it_adds_up() -> None:
    assert failing() == []
    assert unanswered(PROMISED, ACCOUNTS, "backend") == 2


def test_an_event_without_an_answer_is_missed() -> None:
    wrong = failing(promised=replace(PROMISED, acknowledged={"backend": 9, "shop": 5}))

    assert wrong[0] == "events sent = acknowledged with a 2xx"


def test_a_lost_event_is_missed() -> None:
    outcomes = ACCOUNTS.outcomes - Counter({("shop", "delivered"): 1})

    wrong = failing(accounts=replace(ACCOUNTS, outcomes=outcomes))

    assert "acknowledged + stored, but killed before the answer = in the journal" in wrong
    assert "counted by the journal = found in its rows" in wrong
    assert "delivered = had an effect at TikTok" in wrong


def test_an_event_that_tiktok_did_not_get_is_missed() -> None:
    assert failing(received=Received(effects=10)) == ["delivered = had an effect at TikTok"]


def test_an_event_that_waits_still_is_missed() -> None:
    outcomes = ACCOUNTS.outcomes + Counter({("shop", "waiting"): 1})
    outcomes[("shop", "delivered")] -= 1

    assert "waiting = 0" in failing(accounts=replace(ACCOUNTS, outcomes=outcomes))


def test_a_refusal_that_nobody_planned_is_missed() -> None:
    outcomes = Counter(ACCOUNTS.outcomes)
    outcomes[("shop", "delivered")] -= 1
    outcomes[("shop", "rejected")] += 1

    wrong = failing(accounts=replace(ACCOUNTS, outcomes=outcomes), received=Received(effects=10))

    assert wrong == ["refused = made wrong on purpose"]


def test_counters_that_do_not_agree_are_noticed() -> None:
    counts = [Counts(accepted=17, settled=16, waiting=0)]

    assert failing(accounts=replace(ACCOUNTS, counts=counts)) == ["accepted = settled + waiting"]


def test_a_raw_identifier_on_disk_is_noticed() -> None:
    (wrong,) = failing(searched=replace(SEARCHED, found=1))

    assert wrong.startswith("raw identifiers")
