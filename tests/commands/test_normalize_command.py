"""`relay normalize`: a dry run of what TikTok would get."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

RELAY = Callable[..., Any]


def line(**changes: object) -> bytes:
    conversion = {
        "event": "Purchase",
        "event_time": int(time.time()) - 60,
        "event_id": "order-1",
        "user": {"email": " Ada@Example.com"},
        **changes,
    }
    return orjson.dumps(conversion) + b"\n"


def test_without_a_configuration_conversions_become_web_events(relay: RELAY, folder: Path) -> None:
    said = relay("normalize", stdin=line() + b"\n" + line(event=7) + b"nonsense\n")

    assert said.code == 0
    good, bad, unreadable = said.lines
    digest = hashlib.sha256(b"ada@example.com").hexdigest()
    assert good["line"] == 1
    assert good["event"]["user"] == {"email": digest}
    assert good["dropped"] == [{"field": "page.url", "reason": "missing"}]
    assert (bad["line"], bad["outcome"], bad["reason"]) == (3, "invalid", "bad_field")
    assert unreadable == {"line": 4, "outcome": "invalid", "reason": "not_json"}


def test_a_country_makes_national_phones_understood(relay: RELAY, folder: Path) -> None:
    body = line(user={"phone": "07700 900123"})

    said = relay("normalize", "--country", "GB", stdin=body)

    digest = hashlib.sha256(b"+447700900123").hexdigest()
    assert said.lines[0]["event"]["user"]["phone"] == digest


def test_an_event_source_decides_what_is_kept(relay: RELAY, folder: Path) -> None:
    body = line(user={"email": "ada@example.com", "ip": "8.8.8.8"})

    said = relay("normalize", "--event-source", "offline", stdin=body)

    assert set(said.lines[0]["event"]["user"]) == {"email"}


def test_a_json_document_over_several_lines_is_one_conversion_or_an_array(
    relay: RELAY, folder: Path
) -> None:
    one = orjson.dumps(orjson.loads(line()), option=orjson.OPT_INDENT_2)
    path = folder / "conversions.json"
    path.write_bytes(b"[\n" + one + b",\n" + one + b"]")

    assert [each["line"] for each in relay("normalize", path).lines] == [1, 2]
    assert [each["line"] for each in relay("normalize", stdin=one).lines] == [1]


def test_with_a_configuration_the_destination_s_policy_counts(relay: RELAY, config: Path) -> None:
    said = relay("normalize", "--source", "backend", stdin=line())

    assert said.lines[0]["destination"] == "web"
    assert said.lines[0]["event"]["page"] == {"url": "https://shop.example/"}


def test_a_mapping_is_tried_dry_and_needs_no_secret(
    relay: RELAY, config: Path, monkeypatch: Any
) -> None:
    for name in ("TEST_TOKEN", "TEST_SECRET", "TEST_KEY"):
        monkeypatch.delenv(name)
    body = {"kind": "sale", "receipt": 17, "sold": "2026-11-01T10:00:00Z", "mail": "a@b.de",
            "total": 12.5}  # fmt: skip

    sale = relay("normalize", "--source", "till", stdin=orjson.dumps(body))
    other = relay("normalize", "--source", "till", stdin=orjson.dumps(body | {"kind": "refund"}))
    broken = relay("normalize", "--source", "till", stdin=orjson.dumps(body | {"sold": "then"}))

    assert sale.code == 0
    assert sale.lines[0]["event"]["event_id"] == "17"
    assert sale.lines[0]["event"]["properties"] == {"value": 12.5, "currency": "EUR"}
    assert other.lines == [{"ignored": "condition"}]
    assert broken.lines[0]["reason"] == "unmappable"
    assert broken.lines[0]["errors"] == [{"field": "event_time", "reason": "not_computable"}]


def test_an_old_payload_is_shown_although_it_would_not_be_sent(relay: RELAY, config: Path) -> None:
    said = relay("normalize", stdin=line(event_time=1_700_000_000))

    assert said.lines[0]["outcome"] == "expired"
    assert said.lines[0]["event"]["event_time"] == 1_700_000_000


def test_a_webhook_s_headers_come_from_a_file_or_from_the_line(relay: RELAY, config: Path) -> None:
    order = Path(__file__).parents[1] / "vectors" / "fixtures" / "shopify" / "orders_create.json"
    headers = config.parent / "headers.txt"
    headers.write_text("X-Shopify-Topic: orders/create\n")
    as_json = config.parent / "headers.json"
    as_json.write_text('{"X-Shopify-Topic": "orders/create"}')

    told = [
        relay("normalize", "--source", "shop", *option, order)
        for option in (
            ("-H", "X-Shopify-Topic: orders/create"),
            ("--headers", headers),
            ("--headers", as_json),
        )
    ]
    untold = relay("normalize", "--source", "shop", order)

    assert {each.lines[0]["event"]["event"] for each in told} == {"Purchase"}
    assert untold.lines == [{"ignored": "topic"}]
    assert "told by a header" in untold.err


def test_what_is_not_configured_is_wrong_usage(relay: RELAY, config: Path) -> None:
    unknown = relay("normalize", "--source", "nobody", stdin=line())
    elsewhere = relay("normalize", "--destination", "nowhere", stdin=line())
    absent = relay("normalize", "no-such-file.ndjson")

    assert [unknown.code, elsewhere.code, absent.code] == [2, 2, 2]
    assert "shop, backend, till" in unknown.err
