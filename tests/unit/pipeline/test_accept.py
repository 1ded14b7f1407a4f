"""From a sender's bytes to a durable receipt."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from relay.errors import PayloadRefused, SignatureRefused, UnknownSource
from relay.ingest.protocol import Mismatch, Nothing, Taken
from relay.model import Outcome, Reason

Make = Callable[..., dict[str, Any]]


async def test_events_wait_once_they_are_accepted(house: Any, event: Make) -> None:
    body = orjson.dumps([event("a"), event("b")])

    taken = await house.acceptor.conversions("backend", body)

    assert (taken.total, taken.accepted, taken.invalid) == (2, 2, ())
    assert house.journal.counts()["web"].waiting == 2


async def test_the_second_receipt_of_an_event_is_a_duplicate(house: Any, event: Make) -> None:
    body = orjson.dumps(event())
    await house.acceptor.conversions("backend", body)

    again = await house.acceptor.conversions("backend", body)

    assert (again.accepted, again.duplicates) == (0, 1)
    assert (
        house.samples()[
            'relay_outcomes_total{destination="web",event="Purchase",outcome="duplicate",reason="same_event"}'
        ]
        == 1
    )


async def test_an_invalid_event_is_named_by_its_place_and_recorded(house: Any, event: Make) -> None:
    body = orjson.dumps([event("good"), {"event": "Purchase"}, "no object"])

    taken = await house.acceptor.conversions("backend", body)

    assert taken.accepted == 1
    assert [item.index for item in taken.invalid] == [1, 2]
    assert ("event_time", "missing") in taken.invalid[0].errors
    assert house.journal.counts()["web"].settled == 2


async def test_each_destination_has_its_own_entry_and_outcome(house: Any, event: Make) -> None:
    body = orjson.dumps(event(lead={"lead_id": "7400000000000000001"}))

    taken = await house.acceptor.conversions("both", body)

    assert (taken.total, taken.accepted) == (1, 1)
    assert {name: counts.waiting for name, counts in house.journal.counts().items()} == {
        "web": 1,
        "crm": 1,
    }


async def test_an_event_that_is_invalid_for_one_destination_still_goes_to_the_other(
    house: Any, event: Make
) -> None:
    taken = await house.acceptor.conversions("both", orjson.dumps(event()))  # no lead id: no crm

    assert (taken.accepted, list(taken.invalid)) == (1, [])
    assert house.journal.counts()["crm"].settled == 1


async def test_an_event_may_name_one_of_its_destinations(house: Any, event: Make) -> None:
    taken = await house.acceptor.conversions("both", orjson.dumps(event(destination="web")))

    assert taken.accepted == 1
    assert "crm" not in house.journal.counts()


async def test_an_event_for_a_stranger_is_invalid(house: Any, event: Make) -> None:
    taken = await house.acceptor.conversions("backend", orjson.dumps(event(destination="crm")))

    assert taken.invalid[0].errors == [("destination", "unknown_destination")]


async def test_more_events_than_allowed_are_refused_whole(house: Any, event: Make) -> None:
    with pytest.raises(PayloadRefused, match="too_many"):
        await house.acceptor.conversions("backend", orjson.dumps([event()] * 101))


async def test_a_drop_in_request_for_another_pixel_is_a_mismatch(house: Any, event: Make) -> None:
    request = {"event_source": "web", "event_source_id": "PIXEL2", "data": [event()]}

    answer = await house.acceptor.event_track("backend", orjson.dumps(request))

    assert answer == Mismatch("event_source_id")


async def test_a_drop_in_request_is_accepted_like_any_other(house: Any, event: Make) -> None:
    request = {"event_source": "web", "event_source_id": "PIXEL1", "data": [event()]}

    answer = await house.acceptor.event_track("backend", orjson.dumps(request))

    assert isinstance(answer, Taken)
    assert answer.accepted == 1


def signed(body: bytes, topic: str) -> dict[str, str]:
    digest = hmac.new(b"shpss_secret", body, hashlib.sha256).digest()
    return {
        "x-shopify-topic": topic,
        "x-shopify-hmac-sha256": base64.b64encode(digest).decode(),
        "x-shopify-shop-domain": "fixture-goods.myshopify.com",
    }


async def test_an_unsigned_webhook_is_refused_and_counted(house: Any) -> None:
    with pytest.raises(SignatureRefused):
        await house.acceptor.webhook("shop", b"{}", {"x-shopify-topic": "orders/create"})

    counted = [name for name in house.samples() if "signature_failures" in name]
    assert len(counted) == 1


async def test_an_unmapped_topic_is_nothing_and_counted(house: Any) -> None:
    body = b'{"id": 1}'

    answer = await house.acceptor.webhook("shop", body, signed(body, "products/update"))

    assert answer == Nothing("topic")
    assert house.samples()['relay_ignored_total{reason="topic",source="shop"}'] == 1


async def test_a_webhook_of_an_unknown_source_is_told_so(house: Any) -> None:
    with pytest.raises(UnknownSource):
        await house.acceptor.webhook("nobody", b"{}", {})


async def test_a_customer_who_asked_to_be_forgotten_is_erased(house: Any, event: Make) -> None:
    await house.acceptor.conversions("backend", orjson.dumps(event("order-7")))
    body = orjson.dumps({"shop_id": 1, "customer": {"id": 5, "email": " Ada@Example.com"}})

    await house.acceptor.webhook("shop", body, signed(body, "customers/redact"))

    (trace,) = house.journal.records.find("order-7")
    assert (trace.outcome, trace.reason) == (Outcome.WITHHELD, Reason.ERASED)
    assert b"user" not in (trace.wire or b"")
    assert house.journal.counts()["web"].gap == 0


async def test_an_empty_destination_is_none(house: Any, event: Make) -> None:
    body = orjson.dumps([event("a", destination=None), event("b", destination="")])

    taken = await house.acceptor.conversions("backend", body)

    assert taken.accepted == 2


async def test_an_event_for_a_stranger_can_be_found(house: Any, event: Make) -> None:
    await house.acceptor.conversions("backend", orjson.dumps(event("lost", destination="crm")))

    (trace,) = await house.journal.find("lost")
    assert trace.reason is Reason.UNKNOWN_DESTINATION
