"""No raw identifier leaves the process: 10 000 known ones go in, all it wrote is searched."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from relay.journal.rocksdb import scan
from relay.journal.rocksdb.folder import Folder
from tests.acceptance.conftest import signed_order

EVENTS = 2000
PIXEL = "C0PIXELCODE0EXAMPLE0"
SHOP_SECRET = "shpss_of_the_test_shop"
SHOP = """
[[sources]]
name = "shop"
kind = "shopify"
destination = "web"
secrets = ["env:SHOP"]
"""

#: Every identifier below, whole or in part, in any case, and phones without their `+`.
CANARY = re.compile(rb"(?i)canary|4477[0-9]{8}")


def canaries(number: int) -> dict[str, str]:
    """Five identifiers of one person, unlike anything else."""
    return {
        "email": f"canary.mail{number:05d}@example.com",
        "phone": f"+4477{number:08d}",
        "external_id": f"canary-customer-{number:05d}",
        "first_name": f"canaryfirst{''.join(chr(97 + int(d)) for d in f'{number:05d}')}",
        "zip_code": f"canaryzip{number:05d}",
    }


async def test_no_raw_identifier_is_in_any_byte_the_relay_wrote(
    make_relay: Callable[..., Any], make_sender: Any, http: Any
) -> None:
    relay = make_relay(more=SHOP, environ={"SHOP": SHOP_SECRET})
    await relay.up()
    sender = make_sender(relay)
    sender.misbehave({"kind": "poison", "rule": {"event_id": "*99"}})
    events = [canary_event(sender, number) for number in range(EVENTS)]
    pages = [await sender.answer(events[start : start + 50]) for start in range(0, EVENTS, 50)]
    pages.append(await sender.answer(events[:50]))  # duplicates
    pages += [await webhook(http, relay, number) for number in range(20)]
    drop_in = {"event_source": "web", "event_source_id": PIXEL, "data": events[:50]}
    pages.append(await sender.raw("/open_api/v1.3/event/track/", orjson.dumps(drop_in)))
    broken = orjson.dumps(events)[:-20]
    pages += [await sender.raw("/v1/events", broken), await sender.raw("/webhooks/nobody", broken)]
    await relay.until_settled(60)
    await sender.raw("/v1/events", orjson.dumps(events[:50]), key="canary.mail00001@example.com")
    for path in ("/metrics", "/healthz", "/readyz", "/api/dead-letters", "/api/journal/stats"):
        async with http.get(relay.operator_url + path) as answer:
            pages.append(await answer.read())
    async with http.get(relay.operator_url + "/api/find", params={"id": "event-7"}) as answer:
        pages.append(await answer.read())
    await relay.terminate()

    written = b"\0".join([*pages, *await asyncio.to_thread(every_byte, relay.folder)])

    assert len(written) > 1_000_000
    assert CANARY.findall(written) == []


async def webhook(http: Any, relay: Any, number: int) -> bytes:
    """A signed order, full of a person."""
    person = canaries(number)
    order = {
        "id": number, "processed_at": "2026-11-20T10:00:00Z", "source_name": "web",
        "browser_ip": "8.8.8.8", "email": person["email"], "phone": person["phone"],
        "landing_site": f"/?email={person['email']}",
        "customer": {"id": number, "first_name": person["first_name"]},
        "total_price_set": {"presentment_money": {"amount": "1.00", "currency_code": "EUR"}},
    }  # fmt: skip
    body = orjson.dumps(order)
    headers = signed_order(body, SHOP_SECRET)
    url = relay.url + "/webhooks/shop"
    async with http.post(url, data=body, headers=headers) as answer:
        assert answer.status == 200
        page: bytes = await answer.read()
        return page


def canary_event(sender: Any, number: int) -> dict[str, object]:
    event: dict[str, Any] = sender.make(f"event-{number}")
    person = canaries(number)
    if number % 10 == 3:
        event["event_time"] = "not a time"  # invalid, with errors to tell
    if number % 10 == 4:
        person["phone"] = f"broken {person['phone']} {person['phone']}"
    if number % 10 == 5:
        event["page"] = {"url": f"https://shop.example/?email={person['email']}&x=1"}
    if number % 10 == 6:
        event["properties"] = {"description": f"for {person['email']}", "value": 1}
    event["user"] = {**event["user"], **person}
    return event


def every_byte(folder: Path) -> list[bytes]:
    """What is in the relay's folder: journal, log, configuration; and the journal's rows once
    more as RocksDB reads them, for its files are compressed."""
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    journal = Folder(folder / "journal", read_only=True)
    rows = [
        key + value
        for name in sorted(journal.names)
        for key, value in scan.rows(journal.family(name), b"", b"\xff" * 24)
    ]
    journal.close()
    return files + rows
