"""What an audit needs of every journal: fuller sums, field issues, samples, notes."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from relay.journal.issues import IssueRow
from relay.journal.ledger import Sums
from relay.journal.protocol import Archive
from relay.journal.sample import Sample
from relay.model import Event, FieldIssue, MatchKey, Outcome, Reason, Settlement
from tests.contract.journals import (
    DAY,
    HOUR,
    NOW,
    OpenJournal,
    OwnClock,
    a_refusal,
    an_attempt,
    an_event,
    arriving,
    many,
    settle,
    take,
    upkeep,
)

NOW_HOUR = int(NOW // HOUR)
EVER = (0, 2**32 - 1)
ADA = hashlib.sha256(b"ada@example.com").hexdigest()


async def the_sums(journal: Archive) -> dict[str, Sums]:
    """Of destination web, by outcome."""
    return {row.outcome.value: row.sums async for row in journal.sums("web", *EVER)}


async def the_samples(journal: Archive, destination: str | None = None) -> list[Sample]:
    return [sample async for sample in journal.samples(destination, *EVER)]


async def the_notes(journal: Archive, prefix: str = "") -> list[tuple[str, bytes]]:
    return [note async for note in journal.notes(prefix)]


def a_purchase(number: str, *, click: str | None = None, **changes: Any) -> Event:
    """Of an order, with a page and maybe a click."""
    ttclid = "" if click is None else f',"ttclid":"{click}"'
    url = f"https://shop.example/thanks?utm_source={'TikTok_Ads' if click else 'mail'}"
    event = an_event(number, **changes)
    wire = f'{{"user":{{"external_id":["{ADA}"]{ttclid}}},"page":{{"url":"{url}"}}}}'.encode()
    keys = MatchKey.EXTERNAL_ID | (MatchKey.TTCLID if click else MatchKey(0))
    return event._replace(wire=wire, match_keys=keys.value, tokens=(number.encode(), ADA.encode()))


# --- sums -----------------------------------------------------------------------------------------


async def test_test_events_count_and_are_worth_nothing(open_journal: OpenJournal) -> None:
    journal = await open_journal()
    await journal.append(
        [
            arriving(an_event("real", value="10"), "http:1/0"),
            arriving(an_event("test", value="500", test_event_code="TEST1"), "http:1/1"),
            arriving(an_event("real"), "http:1/2"),
            arriving(an_event("test", test_event_code="TEST1"), "http:1/3"),
        ]
    )
    await settle(journal, take(journal))

    sums = await the_sums(journal)

    delivered = sums["delivered"]
    assert (delivered.count, delivered.tests) == (2, 1)
    assert delivered.value == delivered.click_value == {"EUR": Decimal(10)}
    assert delivered.keys == {"email": 1, "ttclid": 1}
    assert delivered.reasons == {"accepted": 1}
    assert sums["duplicate"] == Sums(2, tests=1, reasons=Counter({"same_event": 1}))


async def test_clicks_value_worthless_late_and_reasons_are_summed_over_settlements(
    open_journal: OpenJournal,
) -> None:
    journal = await open_journal()
    await journal.append(
        [
            arriving(a_purchase("1", click="E.C.P.1", value="0.1"), "http:1/0"),
            arriving(a_purchase("2", value="0.2"), "http:1/1"),
            arriving(a_purchase("3", value=None), "http:1/2"),
            arriving(a_purchase("4", click="E.C.P.2", value="0.00"), "http:1/3"),
            arriving(a_purchase("5", click="E.C.P.1", value="0.3"), "http:1/4"),
        ]
    )
    first, *others = take(journal)
    await settle(journal, [first])
    again = Settlement(others, Outcome.DELIVERED, Reason.ALREADY_RECEIVED)
    await journal.settle("web", an_attempt(), [again])

    delivered = (await the_sums(journal))["delivered"]

    assert delivered.count == 5
    assert delivered.value == {"EUR": Decimal("0.6")}
    assert delivered.click_value == {"EUR": Decimal("0.4")}
    assert delivered.worthless == 2
    assert delivered.late == {}
    assert delivered.reasons == {"accepted": 1, "already_received": 4}


async def test_how_late_is_counted_when_it_is_settled(
    open_journal: OpenJournal, clock: OwnClock
) -> None:
    journal = await open_journal()
    await journal.append(
        [
            arriving(an_event("a", at=NOW), "http:1/0"),
            arriving(an_event("b", at=NOW - 1), "http:1/1"),
            arriving(an_event("c", at=NOW - 8 * DAY), "http:1/2"),
            arriving(an_event("d", at=NOW - 28 * DAY), "http:1/3"),
        ]
    )
    clock.advance(HOUR)
    await settle(journal, take(journal))

    late: Counter[str] = Counter()
    async for row in journal.sums("web", *EVER):
        late.update(row.sums.late)

    assert late == {"1h": 3, "7d": 2, "28d": 1}


async def test_refusals_and_what_is_rejected_have_their_reasons(open_journal: OpenJournal) -> None:
    journal = await open_journal()
    await journal.append([arriving(a_refusal(), "http:1/0"), *many(3)])
    one, *others = take(journal)
    await settle(journal, [one], (Outcome.REJECTED, Reason.INVALID_PARAMS))
    await settle(journal, others, (Outcome.REJECTED, Reason.PII_NOT_HASHED))
    await journal.close()

    sums = await the_sums(await open_journal())

    assert sums["rejected"].reasons == {"invalid_params": 1, "pii_not_hashed": 2}
    assert sums["invalid"] == Sums(1, reasons=Counter({"missing_field": 1}))


# --- issues ---------------------------------------------------------------------------------------


async def test_issues_are_counted_by_hour_event_field_and_reason(
    open_journal: OpenJournal, clock: OwnClock
) -> None:
    journal = await open_journal()
    phone, page = FieldIssue("user.phone", "not_a_phone"), FieldIssue("page.url", "missing")
    large = FieldIssue("", Reason.TOO_LARGE)  # as reading a message gives it
    event = an_event("a")._replace(issues=(phone, page))
    older = an_event("b", at=NOW - HOUR)._replace(issues=(phone,))
    test = an_event("t", test_event_code="TEST1")._replace(issues=(phone,))
    await journal.append([arriving(event, "http:1/0"), arriving(older, "http:1/1")])
    await journal.append([arriving(event, "http:2/0"), arriving(test, "http:2/1")])
    more = an_event("c")._replace(issues=(phone,))
    await journal.append([arriving(more, "http:3/0"), arriving(a_refusal("r"), "http:3/1")])
    nameless = a_refusal(None, at=None)._replace(name=None, errors=[large])
    await journal.append([arriving(nameless, "http:4/0"), arriving(more, "http:4/1", "crm")])
    await journal.close()
    again = await open_journal()

    found = [row async for row in again.issues("web", NOW_HOUR - 1, NOW_HOUR + 1)]

    assert sorted(found, key=repr) == sorted(
        [
            IssueRow(NOW_HOUR - 1, "web", "Purchase", *phone, 1),
            IssueRow(NOW_HOUR, "web", "Purchase", *phone, 2),
            IssueRow(NOW_HOUR, "web", "Purchase", *page, 1),
            IssueRow(NOW_HOUR, "web", "Purchase", "event_time", "missing", 1),
            IssueRow(NOW_HOUR, "web", "", "", "too_large", 1),
        ],
        key=repr,
    )
    assert found[0].hour == NOW_HOUR - 1
    assert [row.count async for row in again.issues("crm", *EVER)] == [1]
    assert len([row async for row in again.issues(None, *EVER)]) == 6


async def test_issues_of_what_is_read_again_count_once(open_journal: OpenJournal) -> None:
    journal = await open_journal()
    event = an_event()._replace(issues=(FieldIssue("page.url", "missing"),))
    arrivals = [
        arriving(event, "kafka:orders/0@1"),
        arriving(a_refusal("r"), "kafka:orders/0@2"),
    ]
    await journal.append(arrivals)
    await journal.append(arrivals)

    assert [row.count async for row in journal.issues(None, *EVER)] == [1, 1]


async def test_issues_are_kept_as_long_as_sums(open_journal: OpenJournal, clock: OwnClock) -> None:
    journal = await open_journal(retention_s=DAY)
    await journal.append([arriving(a_refusal(), "http:1/0")])
    clock.advance(760 * DAY)
    await upkeep(journal)
    assert len([row async for row in journal.issues(None, *EVER)]) == 1
    clock.advance(20 * DAY)
    await upkeep(journal)
    assert [row async for row in journal.issues(None, *EVER)] == []


# --- samples --------------------------------------------------------------------------------------


async def test_what_is_delivered_is_sampled(open_journal: OpenJournal, clock: OwnClock) -> None:
    journal = await open_journal()
    clicked = a_purchase("1", click="E.C.P.1", value="12.50", at=NOW - 2 * HOUR)
    await journal.append(
        [
            arriving(clicked, "http:1/0"),
            arriving(a_purchase("2")._replace(order_id=None), "http:1/1"),
            arriving(a_purchase("3", click="E.C.P.1", test_event_code="TEST1"), "http:1/2"),
            arriving(clicked, "http:1/3", "crm"),
        ]
    )
    one, two, test = take(journal)
    clock.advance(5.5)
    await settle(journal, [one, test])
    await settle(journal, [two], (Outcome.REJECTED, Reason.REFUSED))
    await settle(journal, take(journal, destination="crm"), destination="crm")

    (sample,) = await the_samples(journal, "web")
    (other,) = await the_samples(journal, "crm")

    assert sample.event == "Purchase"
    assert sample.event_time == int(NOW - 2 * HOUR)
    assert sample.delivered_at == NOW + 5.5
    assert (sample.value, sample.currency) == (Decimal("12.50"), "EUR")
    assert sample.match_keys == MatchKey.EXTERNAL_ID | MatchKey.TTCLID
    assert sample.from_tiktok
    assert sample.share == 1
    digests = (sample.event_id, sample.order, sample.click, sample.buyer)
    assert len(set(digests)) == 4
    assert all(each is not None and 0 <= each < 2**64 for each in digests)
    assert other == sample._replace(destination="crm")


async def test_digests_mean_the_same_after_a_restart_and_nothing_elsewhere(
    open_journal: OpenJournal, clock: OwnClock
) -> None:
    journal = await open_journal()
    for number in "12":
        await journal.append([arriving(a_purchase(number, click="E.C.P.7"), f"http:{number}/0")])
        await settle(journal, take(journal))
        await journal.close()
        journal = await open_journal()

    one, two = await the_samples(journal)

    assert (one.click, one.buyer) == (two.click, two.buyer)
    assert one.order != two.order
    unsalted = hashlib.blake2b(b"E.C.P.7", digest_size=8).digest()
    assert one.click != int.from_bytes(unsalted, "big")


async def test_samples_come_by_hour_of_the_event_and_are_kept_for_retention(
    open_journal: OpenJournal, clock: OwnClock
) -> None:
    journal = await open_journal(retention_s=2 * DAY)
    ages = [0, 5, 30, 47]
    await journal.append(
        [arriving(a_purchase(str(age), at=NOW - age * HOUR), f"http:1/{age}") for age in ages]
    )
    await settle(journal, take(journal))

    assert hours(await the_samples(journal)) == [NOW_HOUR - age for age in (47, 30, 5, 0)]
    some = [each async for each in journal.samples("web", NOW_HOUR - 30, NOW_HOUR)]
    assert hours(some) == [NOW_HOUR - 30, NOW_HOUR - 5]
    assert [each async for each in journal.samples("crm", *EVER)] == []
    clock.advance(19 * HOUR)
    await upkeep(journal)
    assert hours(await the_samples(journal)) == [NOW_HOUR - 5, NOW_HOUR]


def hours(samples: Sequence[Sample]) -> list[int]:
    return [int(sample.event_time // HOUR) for sample in samples]


async def test_many_samples_are_read_to_the_end(open_journal: OpenJournal) -> None:
    journal = await open_journal()
    for part in range(6):
        await journal.append(many(1000, f"r{part}"))
        await settle(journal, take(journal))

    samples = await the_samples(journal)

    assert 3500 < len(samples) < 4500  # 2000 whole, then half of 4000
    assert len({sample.event_id for sample in samples}) == len(samples)
    assert {sample.share for sample in samples} == {1.0, 0.5}


async def test_an_event_that_is_given_up_or_waits_is_no_sample(open_journal: OpenJournal) -> None:
    journal = await open_journal()
    await journal.append(many(3))
    rejected, expired, _ = take(journal)
    await settle(journal, [rejected], (Outcome.REJECTED, Reason.REFUSED))
    await settle(journal, [expired], (Outcome.EXPIRED, Reason.WAITED_TOO_LONG))

    assert await the_samples(journal) == []


@pytest.mark.parametrize("known_by", ["buyer", "another identifier"])
async def test_erasing_a_person_forgets_the_samples(
    open_journal: OpenJournal, clock: OwnClock, known_by: str
) -> None:
    journal = await open_journal()
    email = hashlib.sha256(b"ada.l@example.com").hexdigest()
    theirs = a_purchase("1")
    theirs = theirs._replace(
        wire=theirs.wire.replace(b'{"external_id"', f'{{"email":"{email}","external_id"'.encode()),
        tokens=(*theirs.tokens, email.encode()),
    )
    await journal.append([arriving(theirs, "http:1/0"), *many(2, "r2", person="bob@example.com")])
    await settle(journal, take(journal))
    assert len(await the_samples(journal)) == 3
    clock.advance(1)

    await journal.erase([ADA if known_by == "buyer" else email])

    left = await the_samples(journal)
    assert len(left) == 2
    assert {sample.buyer for sample in left} == {left[0].buyer}


async def test_who_is_erased_while_on_the_way_leaves_no_sample(
    open_journal: OpenJournal, clock: OwnClock
) -> None:
    journal = await open_journal()
    await journal.append([arriving(a_purchase("1"), "http:1/0")])
    entries = take(journal)
    clock.advance(1)
    await journal.erase([ADA])
    await settle(journal, entries)
    await upkeep(journal)

    assert (await the_sums(journal))["delivered"].count == 1
    async with asyncio.timeout(10):
        while await the_samples(journal):  # noqa: ASYNC110  # a folder does it in a task
            await asyncio.sleep(0.001)


# --- notes ----------------------------------------------------------------------------------------


async def test_notes_are_kept_in_the_order_of_their_keys(open_journal: OpenJournal) -> None:
    journal = await open_journal()
    keys = ["audit/2026-05-02", "audit/2026-05-01", "audit/é", "audit/\U0001f600", "audit/\uffff"]
    for key in keys:
        await journal.put_note(key, key.encode())
    await journal.put_note("audit", b"\x00\xff" * 3)
    await journal.put_note("audiu", b"")
    await journal.put_note("audit/2026-05-01", b"anew")
    await journal.close()
    again = await open_journal()

    expected = [(key, key.encode()) for key in sorted(keys)]
    expected[0] = ("audit/2026-05-01", b"anew")
    assert await the_notes(again, "audit/") == expected
    assert await the_notes(again) == [("audit", b"\x00\xff" * 3), *expected, ("audiu", b"")]
    assert await the_notes(again, "audit/2027") == []


async def test_old_notes_are_dropped(open_journal: OpenJournal) -> None:
    journal = await open_journal()
    for key in ("a/1", "b/1", "b/2", "b/20", "b/3", "c/1"):
        await journal.put_note(key, b"")

    await journal.drop_notes("b/", "b/3")
    assert [key for key, _ in await the_notes(journal)] == ["a/1", "b/3", "c/1"]
    await journal.drop_notes("b/", "a")
    await journal.drop_notes("b/", "b")
    assert [key for key, _ in await the_notes(journal)] == ["a/1", "b/3", "c/1"]
    await journal.drop_notes("b/", "z")
    assert [key for key, _ in await the_notes(journal)] == ["a/1", "c/1"]
    await journal.drop_notes("", "b")
    assert [key for key, _ in await the_notes(journal)] == ["c/1"]


async def test_a_note_may_be_long_and_not_without_end(open_journal: OpenJournal) -> None:
    journal = await open_journal()
    longest = bytes(range(256)) * 2**16
    await journal.put_note("long", longest)
    await journal.put_note("longer", longest[1:])

    assert await the_notes(journal) == [("long", longest), ("longer", longest[1:])]
    for key, value in (
        ("", b""),
        ("a\0", b""),
        ("é" * 257, b""),
        ("\ud800", b""),
        ("a", longest + b"x"),
    ):
        with pytest.raises(ValueError, match="note"):
            await journal.put_note(key, value)


async def test_notes_outlive_the_records(open_journal: OpenJournal, clock: OwnClock) -> None:
    journal = await open_journal(retention_s=DAY)
    await journal.put_note("audit", b"kept")
    clock.advance(900 * DAY)
    await upkeep(journal)

    assert await the_notes(journal) == [("audit", b"kept")]
