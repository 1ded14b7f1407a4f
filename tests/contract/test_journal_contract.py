"""What every journal promises, see `relay.journal.protocol`."""

from __future__ import annotations

import asyncio
import hashlib
from decimal import Decimal

import pytest

from relay.errors import JournalUnavailable
from relay.journal.protocol import End
from relay.model import Answer, Counts, Outcome, Reason, Settlement
from tests.contract.journals import (
    DAY,
    DELIVERED,
    EXPIRED,
    HOUR,
    NOW,
    REJECTED,
    OpenJournal,
    OwnClock,
    a_refusal,
    an_attempt,
    an_event,
    arriving,
    many,
    settle,
    take,
    until,
    until_found,
    upkeep,
)

WAITS = Answer(None, None)
KNOWN = Answer(None, None, known=True)
DUPLICATE = Answer(Outcome.DUPLICATE, Reason.SAME_EVENT)


# --- claims ---------------------------------------------------------------------------------------


async def test_the_first_receipt_owns_an_event_and_any_other_is_a_duplicate(
    open_journal: OpenJournal,
) -> None:
    journal = await open_journal()

    assert await journal.append([arriving(an_event(), "http:a/0")]) == [WAITS]
    assert await journal.append([arriving(an_event(), "http:b/0")]) == [DUPLICATE]


async def test_the_same_receipt_again_is_known_and_nothing_is_written_again(
    open_journal: OpenJournal,
) -> None:
    journal = await open_journal()
    arrival = arriving(an_event(), "kafka:orders/0@17")
    await journal.append([arrival])

    assert await journal.append([arrival]) == [KNOWN]
    assert journal.counts()["web"] == Counts(1, 0, 1)


async def test_one_request_may_bring_an_event_twice(open_journal: OpenJournal) -> None:
    journal = await open_journal()
    arrivals = [arriving(an_event(), f"http:a/{index}") for index in range(3)]

    assert await journal.append(arrivals) == [WAITS, DUPLICATE, DUPLICATE]


async def test_requests_that_are_stored_together_are_told_apart(open_journal: OpenJournal) -> None:
    journal = await open_journal()

    answers = await asyncio.gather(
        *[journal.append([arriving(an_event(), f"http:{name}/0")]) for name in "abc"],
        journal.append([arriving(an_event(), "kafka:orders/0@1")]),
        journal.append([arriving(an_event(), "kafka:orders/0@1")]),
    )

    assert answers[:3] == [[WAITS], [DUPLICATE], [DUPLICATE]]
    # Which of two equal receipts is the second is nobody's business.
    assert sorted(answers[3:], key=repr) == sorted([[DUPLICATE], [KNOWN]], key=repr)
    assert journal.counts()["web"] == Counts(4, 3, 1)


async def test_destinations_and_event_names_have_claims_of_their_own(
    open_journal: OpenJournal,
) -> None:
    journal = await open_journal()
    arrivals = [
        arriving(an_event(), "http:a/0", "web"),
        arriving(an_event(), "http:a/0", "crm"),
        arriving(an_event(name="AddToCart"), "http:a/1", "web"),
    ]

    assert await journal.append(arrivals) == [WAITS, WAITS, WAITS]


async def test_a_claim_lasts_exactly_as_long_as_the_window_of_its_destination(
    open_journal: OpenJournal, clock: OwnClock
) -> None:
    windows = {"web": 2 * DAY, "crm": 3 * DAY}
    journal = await open_journal(dedupe_windows_s=windows)
    clock.advance(0.75)  # no whole second
    await journal.append([arriving(an_event(), "http:a/0", name) for name in windows])
    clock.advance(2 * DAY - 0.25)
    assert await journal.append([arriving(an_event(), "http:b/0", "web")]) == [DUPLICATE]
    clock.advance(0.25)
    assert await journal.append([arriving(an_event(), "http:c/0", "web")]) == [WAITS]
    assert await journal.append([arriving(an_event(), "http:c/0", "crm")]) == [DUPLICATE]
    clock.advance(DAY)
    assert await journal.append([arriving(an_event(), "http:d/0", "crm")]) == [WAITS]


@pytest.mark.parametrize("outcome", [Outcome.INVALID, Outcome.EXPIRED, Outcome.WITHHELD])
async def test_a_refusal_is_recorded_and_claims_nothing(
    open_journal: OpenJournal, outcome: Outcome
) -> None:
    journal = await open_journal()

    (answer,) = await journal.append([arriving(a_refusal(outcome=outcome), "http:a/0")])

    assert answer.outcome is outcome
    assert await journal.append([arriving(an_event(), "http:b/0")]) == [WAITS]


@pytest.mark.parametrize("receipt", ["kafka:orders/0@17", "import:abc/3", "replay:00ff/0"])
async def test_a_receipt_that_may_come_again_is_known_however_it_ended(
    open_journal: OpenJournal, receipt: str
) -> None:
    journal = await open_journal()
    await journal.append([arriving(an_event("owned"), "http:a/0")])
    refused = arriving(a_refusal("refused"), f"{receipt}1")
    duplicate = arriving(an_event("owned"), f"{receipt}2")
    await journal.append([refused, duplicate])

    assert await journal.append([refused, duplicate]) == [KNOWN, KNOWN]
    assert journal.counts()["web"] == Counts(3, 2, 1)


@pytest.mark.parametrize(
    "ended",
    [
        REJECTED,
        EXPIRED,
        (Outcome.WITHHELD, Reason.ERASED),
        (Outcome.INVALID, Reason.TOO_LARGE),
    ],
)
@pytest.mark.parametrize("receipt", ["http:a/0", "kafka:orders/0@17"])
async def test_what_is_not_delivered_gives_its_claim_back_to_others(
    open_journal: OpenJournal, ended: tuple[Outcome, Reason], receipt: str
) -> None:
    journal = await open_journal()
    first = arriving(an_event(), receipt)
    await journal.append([first])
    await settle(journal, take(journal), ended)

    if receipt.startswith("kafka:"):
        assert await journal.append([first]) == [KNOWN]
    assert await journal.append([arriving(an_event(), "http:b/0")]) == [WAITS]
    assert await journal.append([arriving(an_event(), "http:c/0")]) == [DUPLICATE]


async def test_what_is_delivered_keeps_its_claim(open_journal: OpenJournal) -> None:
    journal = await open_journal()
    await journal.append([arriving(an_event(), "kafka:orders/0@17")])
    await settle(journal, take(journal))

    assert await journal.append([arriving(an_event(), "kafka:orders/0@17")]) == [KNOWN]
    assert await journal.append([arriving(an_event(), "http:b/0")]) == [DUPLICATE]


async def test_an_entry_that_gives_its_claim_back_late_leaves_a_newer_owner_alone(
    open_journal: OpenJournal, clock: OwnClock
) -> None:
    journal = await open_journal(dedupe_window_s=HOUR)
    await journal.append([arriving(an_event(), "http:a/0")])
    (old,) = take(journal)
    clock.advance(HOUR)

    answers = await asyncio.gather(
        journal.append([arriving(an_event(), "http:b/0")]), settle(journal, [old], REJECTED)
    )

    assert answers[0] == [WAITS]
    assert await journal.append([arriving(an_event(), "http:c/0")]) == [DUPLICATE]


# --- what is remembered ---------------------------------------------------------------------------


async def test_what_was_remembered_is_recalled_until_the_window_is_over(
    open_journal: OpenJournal, clock: OwnClock
) -> None:
    journal = await open_journal(dedupe_window_s=2 * DAY)
    assert await journal.recall(b"cart-1") is None
    await journal.append([], {b"cart-1": b"first", b"cart-2": b"other"})
    clock.advance(DAY)
    await journal.append([arriving(an_event())], {b"cart-1": b"second"})

    assert await journal.recall(b"cart-1") == b"second"
    assert await journal.recall(b"cart-2") == b"other"
    clock.advance(2 * DAY)
    await journal.append(many(1))
    await upkeep(journal)
    assert await journal.recall(b"cart-1") == b"second"
    assert await journal.recall(b"cart-2") is None


# --- taking ---------------------------------------------------------------------------------------


async def test_entries_come_back_as_they_were(open_journal: OpenJournal) -> None:
    journal = await open_journal()
    event = an_event("order-7", value="12.50", test_event_code="TEST1")
    worthless = an_event("b", value=None)
    await journal.append([arriving(event, "http:a/0"), arriving(worthless, "http:a/1")])

    first, second = take(journal)

    assert first[1:] == (
        NOW, "http:a/0", "shop", "Purchase", "order-7", int(NOW), "no-order-7", "TEST1",
        "12.50", "EUR", event.match_keys, event.wire,
    )  # fmt: skip
    assert (second.value, second.currency, second.seq) == (None, None, first.seq + 1)


async def test_the_oldest_come_first_and_what_is_taken_stays_taken(
    open_journal: OpenJournal,
) -> None:
    journal = await open_journal()
    await journal.append(many(3, "a"))
    await journal.append(many(3, "b"))

    taken = [[entry.event_id for entry in take(journal, 4)] for _ in range(3)]

    assert taken == [["a-0", "a-1", "a-2", "b-0"], ["b-1", "b-2"], []]


async def test_the_newest_can_be_taken_first(open_journal: OpenJournal) -> None:
    journal = await open_journal()
    await journal.append(many(1500, "a"))

    newest = take(journal, end=End.NEWEST)
    below = take(journal, end=End.NEWEST)

    assert [newest[0].event_id, newest[-1].event_id, len(newest)] == ["a-500", "a-1499", 1000]
    assert [below[0].event_id, below[-1].event_id] == ["a-0", "a-499"]


async def test_the_first_entry_that_does_not_fit_ends_the_batch(open_journal: OpenJournal) -> None:
    journal = await open_journal()
    codes = [None, None, "TEST", None]
    await journal.append(
        [arriving(an_event(f"{at}", test_event_code=code), f"http:a/{at}")
         for at, code in enumerate(codes)]
    )  # fmt: skip

    live = journal.take("web", End.OLDEST, lambda entry: entry.test_event_code is None)
    none = journal.take("web", End.OLDEST, lambda entry: False)

    assert [entry.event_id for entry in live] == ["0", "1"]
    assert list(none) == []
    assert [entry.event_id for entry in take(journal)] == ["2", "3"]


async def test_what_is_given_back_is_taken_again_before_what_is_newer(
    open_journal: OpenJournal,
) -> None:
    journal = await open_journal()
    await journal.append(many(5))
    entries = take(journal, 3)
    journal.give_back("web", [entry.seq for entry in entries[1:]])

    assert [entry.event_id for entry in take(journal)] == ["r1-1", "r1-2", "r1-3", "r1-4"]


async def test_taken_entries_can_be_read_again(open_journal: OpenJournal) -> None:
    journal = await open_journal()
    await journal.append(many(1200, "a"))
    await journal.append(many(3, "b"))
    taken = [*take(journal, 1000), *take(journal, 1000)]

    chosen = [taken[at] for at in (0, 1, 999, 1100, 1202)]

    assert journal.read("web", [entry.seq for entry in chosen]) == chosen


#: What is known on a loop is known everywhere on it after so many of its turns.
_TURNS = 10


async def test_nothing_is_handed_out_before_it_is_durable(open_journal: OpenJournal) -> None:
    journal = await open_journal()
    appending = asyncio.ensure_future(journal.append(many(3)))
    await until(lambda: "web" in journal.counts())

    available, taken = journal.available("web").entries, take(journal)
    if available or taken:  # then it is durable, and the answer on its way: no disk is waited for
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        assert appending.done()
    await appending
    assert len(taken) + len(take(journal)) == 3


async def test_who_waits_for_entries_is_woken_by_the_first(open_journal: OpenJournal) -> None:
    journal = await open_journal()
    waiting = asyncio.ensure_future(journal.wait_for_entries("web"))
    await journal.append(many(1, destination="crm"))
    assert not waiting.done()

    await journal.append(many(1))
    await asyncio.wait_for(waiting, 5)

    (entry,) = take(journal)
    again = asyncio.ensure_future(journal.wait_for_entries("web"))
    await asyncio.sleep(0)
    assert not again.done()
    journal.give_back("web", [entry.seq])
    await asyncio.wait_for(again, 5)


async def test_what_waits_and_what_can_be_taken_is_known_with_its_age(
    open_journal: OpenJournal, clock: OwnClock
) -> None:
    journal = await open_journal()
    size = len(an_event("r1-0").wire)
    await journal.append(many(2))
    clock.advance(10)
    await journal.append(many(2, "r2"))
    take(journal, 2)

    waiting, available = journal.waiting("web"), journal.available("web")

    assert (waiting.entries, waiting.size_bytes, waiting.oldest_at) == (4, 4 * size, NOW)
    assert (available.entries, available.size_bytes, available.oldest_at) == (2, 2 * size, NOW + 10)
    assert journal.available("nowhere").oldest_at is None
    take(journal)
    assert journal.available("web").entries == 0


# --- settling -------------------------------------------------------------------------------------


async def test_accepted_is_settled_plus_waiting_at_every_step(open_journal: OpenJournal) -> None:
    journal = await open_journal()
    arrivals = [*many(6), arriving(a_refusal(), "http:x/0"), arriving(an_event("r1-0"), "http:x/1")]
    await journal.append(arrivals)
    assert journal.counts()["web"] == Counts(8, 2, 6)

    entries = take(journal)
    await settle(journal, entries[:2])
    assert journal.counts()["web"] == Counts(8, 4, 4)
    await settle(journal, entries[4:], REJECTED)
    assert journal.counts()["web"] == Counts(8, 6, 2)
    await settle(journal, entries[2:4], EXPIRED)
    assert journal.counts()["web"] == Counts(8, 8, 0)
    assert journal.waiting("web").size_bytes == 0


async def test_settling_twice_is_an_error_of_the_caller_and_harms_nobody_else(
    open_journal: OpenJournal,
) -> None:
    journal = await open_journal()
    await journal.append(many(3))
    first, second, third = take(journal)
    await settle(journal, [first])

    with pytest.raises(ValueError, match="once"):
        await settle(journal, [first, second])
    with pytest.raises(ValueError, match="once"):
        await settle(journal, [second, second])
    with pytest.raises(ValueError, match="settled"):
        journal.give_back("web", [first.seq])
    both = await asyncio.gather(
        settle(journal, [second]),
        settle(journal, [second], REJECTED),
        journal.append(many(1, "r2")),
        settle(journal, [third]),
        return_exceptions=True,
    )

    assert [type(each) for each in both] == [type(None), ValueError, list, type(None)]
    assert journal.counts()["web"] == Counts(4, 3, 1)
    (trace,) = await journal.find("r1-1")
    assert trace.outcome is Outcome.DELIVERED


async def test_what_cannot_be_stored_harms_nobody_else(open_journal: OpenJournal) -> None:
    journal = await open_journal()
    poison = an_event("poison")._replace(claim=b"too short")

    answers = await asyncio.gather(
        journal.append(many(2, "a")),
        journal.append([arriving(poison, "http:p/0"), arriving(an_event("with-it"), "http:p/1")]),
        journal.append(many(2, "b")),
        return_exceptions=True,
    )

    assert [answers[0], answers[2]] == [[WAITS, WAITS], [WAITS, WAITS]]
    assert isinstance(answers[1], ValueError)
    assert journal.counts()["web"] == Counts(4, 0, 4)
    assert [entry.event_id for entry in take(journal)] == ["a-0", "a-1", "b-0", "b-1"]


async def test_what_was_settled_and_what_waits_is_the_same_after_opening_again(
    open_journal: OpenJournal,
) -> None:
    journal = await open_journal()
    await journal.append(many(5))
    await journal.append([arriving(a_refusal(), "http:x/0")])
    entries = take(journal)
    await settle(journal, [entries[0], entries[2]])
    await journal.close()

    again = await open_journal()

    assert again.counts()["web"] == Counts(6, 3, 3)
    assert [entry.event_id for entry in take(again)] == ["r1-1", "r1-3", "r1-4"]
    assert again.waiting("web").oldest_at == NOW


# --- finding --------------------------------------------------------------------------------------


async def test_an_entry_is_found_by_every_name_it_has(open_journal: OpenJournal) -> None:
    journal = await open_journal()
    await journal.append(many(3, person="a@example.com"))
    digest = hashlib.sha256(b"a@example.com").hexdigest()

    for name in ("http:r1/1", "r1-1", "no-r1-1"):
        assert [trace.event_id for trace in await journal.find(name)] == ["r1-1"]
    assert [trace.event_id for trace in await journal.find(digest)] == ["r1-0", "r1-1", "r1-2"]
    assert [trace.event_id for trace in await journal.find(digest, limit=2)] == ["r1-1", "r1-2"]
    assert list(await journal.find("r1-9")) == []


async def test_every_outcome_is_found_with_its_reason(
    open_journal: OpenJournal, clock: OwnClock
) -> None:
    journal = await open_journal()
    ends = {
        "delivered": DELIVERED,
        "rejected": REJECTED,
        "expired": EXPIRED,
        "withheld": (Outcome.WITHHELD, Reason.ERASED),
        "waits": None,
    }
    await journal.append([arriving(an_event(name), f"http:{name}/0") for name in ends])
    await journal.append(
        [arriving(a_refusal("invalid"), "http:invalid/0"),
         arriving(an_event("delivered"), "http:duplicate/0")]
    )  # fmt: skip
    entries = {entry.event_id: entry for entry in take(journal)}
    clock.advance(5)
    for name, ended in ends.items():
        if ended is not None:
            await settle(journal, [entries[name]], ended)

    for name, ended in ends.items():
        (trace,) = await journal.find(f"http:{name}/0")
        assert (trace.outcome, trace.reason) == (ended or (None, None))
        assert trace.settled_at == (None if ended is None else NOW + 5)
        assert trace.accepted_at == NOW
    (invalid,) = await journal.find("invalid")
    assert (invalid.outcome, invalid.reason) == (Outcome.INVALID, Reason.MISSING_FIELD)
    assert [tuple(error) for error in invalid.errors] == [("event_time", "missing")]
    both = await journal.find("delivered")
    assert {trace.receipt: trace.outcome for trace in both} == {
        "http:delivered/0": Outcome.DELIVERED,
        "http:duplicate/0": Outcome.DUPLICATE,
    }


async def test_every_answer_to_an_entry_is_found_whether_it_settled_it_or_not(
    open_journal: OpenJournal, clock: OwnClock
) -> None:
    journal = await open_journal()
    await journal.append(many(2))
    entries = take(journal)
    seqs = [entry.seq for entry in entries]
    first = an_attempt("one", verdict="retry", code=50000, message="busy")
    await journal.settle("web", first, [], seqs)
    clock.advance(60)
    second = an_attempt("two", at=clock.now(), number=2)
    halves = [Settlement(entries[:1], *DELIVERED), Settlement(entries[1:], *REJECTED)]
    await journal.settle("web", second, halves, seqs)

    for event_id, outcome in (("r1-0", Outcome.DELIVERED), ("r1-1", Outcome.REJECTED)):
        (trace,) = await journal.find(event_id)
        assert list(trace.attempts) == [first, second]
        assert trace.outcome is outcome


async def test_what_is_found_survives_opening_again_and_lasts_as_long_as_retention_says(
    open_journal: OpenJournal, clock: OwnClock
) -> None:
    journal = await open_journal(retention_s=3 * DAY)
    await journal.append([*many(1), arriving(a_refusal("bad"), "http:x/0")])
    await settle(journal, take(journal), attempt=an_attempt())
    await journal.close()
    clock.advance(3 * DAY)
    again = await open_journal(retention_s=3 * DAY)
    await again.append(many(1, "r2"))
    await upkeep(again)

    (trace,) = await again.find("r1-0")
    assert trace.outcome is Outcome.DELIVERED
    assert len(trace.attempts) == 1
    assert len(await again.find("bad")) == 1

    clock.advance(DAY)
    await upkeep(again)
    assert list(await again.find("r1-0")) == []
    assert list(await again.find("bad")) == []


async def test_nothing_that_waits_is_ever_forgotten(
    open_journal: OpenJournal, clock: OwnClock
) -> None:
    journal = await open_journal(retention_s=2 * DAY, dedupe_window_s=DAY)
    for day in range(5):
        await journal.append(many(3, f"d{day}"))
        clock.advance(DAY)
    taken = take(journal, 4)
    await settle(journal, [taken[0], taken[1], taken[3]])
    clock.advance(40 * DAY)
    await upkeep(journal)

    await journal.close()
    again = await open_journal(retention_s=2 * DAY)
    await upkeep(again)

    waiting = [f"d{day}-{at}" for day in range(5) for at in range(3)]
    assert [entry.event_id for entry in take(again)] == [
        name for name in waiting if name not in ("d0-0", "d0-1", "d1-0")
    ]
    assert again.counts()["web"] == Counts(15, 3, 12)


# --- dead letters ---------------------------------------------------------------------------------


async def test_what_is_rejected_or_expired_is_kept_as_a_dead_letter_with_its_story(
    open_journal: OpenJournal, clock: OwnClock
) -> None:
    journal = await open_journal()
    await journal.append(many(3))
    first, second, third = take(journal)
    unknown = an_attempt("one", unknown=True, code=None, message=None, error="timeout")
    await journal.settle("web", unknown, [], [first.seq, second.seq])
    clock.advance(30)
    refused = an_attempt("two", number=2, code=40002, message="bad", request_id="tt-2")
    await settle(journal, [first], REJECTED, refused)
    clock.advance(1)
    await settle(journal, [third], EXPIRED)
    await settle(journal, [second])

    letters = [letter async for letter in journal.dead_letters("web")]

    assert [letter.event_id for letter in letters] == ["r1-0", "r1-2"]
    rejected, expired = letters
    assert (rejected.code, rejected.message, rejected.request_id) == (40002, "bad", "tt-2")
    assert (rejected.attempts, rejected.unknown_since) == (2, unknown.started_at)
    assert (rejected.wire, rejected.at, rejected.accepted_at) == (first.body, NOW + 30, NOW)
    assert (expired.outcome, expired.reason) == EXPIRED
    assert (expired.attempts, expired.unknown_since, expired.code) == (0, None, None)
    assert await journal.dead_letter(rejected.letter_id) == rejected
    assert await journal.dead_letter("00") is None
    assert await journal.dead_letter("nothing") is None
    assert [letter async for letter in journal.dead_letters("crm")] == []


async def test_an_invalid_message_of_a_topic_is_kept_as_a_dead_letter_without_a_body(
    open_journal: OpenJournal, clock: OwnClock
) -> None:
    journal = await open_journal()
    nameless = a_refusal(None, at=None)
    await journal.append(
        [
            arriving(a_refusal("told"), "http:a/0"),
            arriving(a_refusal("late", Outcome.EXPIRED), "kafka:orders/0@1"),
            arriving(a_refusal("bad"), "kafka:orders/0@2"),
            arriving(nameless, "kafka:orders/3@4"),
        ]
    )

    letters = [letter async for letter in journal.dead_letters("web")]

    assert [(each.receipt, each.event_id, each.wire) for each in letters] == [
        ("kafka:orders/0@2", "bad", None),
        ("kafka:orders/3@4", None, None),
    ]
    for each in letters:
        assert (each.outcome, each.reason) == (Outcome.INVALID, Reason.MISSING_FIELD)
        assert [tuple(error) for error in each.errors] == [("event_time", "missing")]
        assert (each.at, each.attempts, each.unknown_since) == (NOW, 0, None)
        assert await journal.dead_letter(each.letter_id) == each
    await journal.mark_replayed(letters[0].letter_id)
    first, second = [letter async for letter in journal.dead_letters("web")]
    assert (first.replayed_at, second.replayed_at) == (NOW, None)


async def test_a_dead_letter_remembers_that_it_was_replayed(
    open_journal: OpenJournal, clock: OwnClock
) -> None:
    journal = await open_journal()
    await journal.append(many(2))
    await settle(journal, take(journal), REJECTED)
    first, second = [letter async for letter in journal.dead_letters()]
    clock.advance(60)

    await journal.mark_replayed(first.letter_id)
    await journal.mark_replayed("ff" * 18)

    letters = [letter async for letter in journal.dead_letters()]
    assert [letter.replayed_at for letter in letters] == [NOW + 60, None]
    assert letters[1] == second


async def test_many_dead_letters_are_listed_in_order_and_forgotten_after_retention(
    open_journal: OpenJournal, clock: OwnClock
) -> None:
    journal = await open_journal(retention_s=2 * DAY)
    for hour in range(3):
        await journal.append(many(300, f"h{hour}"))
        await settle(journal, take(journal), REJECTED)
        clock.advance(DAY)

    letters = [letter async for letter in journal.dead_letters()]
    assert [letter.event_id for letter in letters[:301:300]] == ["h0-0", "h1-0"]
    assert len(letters) == 900

    await upkeep(journal)
    left = [letter async for letter in journal.dead_letters()]
    assert len(left) == 600


# --- the ledger -----------------------------------------------------------------------------------


async def test_the_ledger_is_exact_to_the_last_digit(
    open_journal: OpenJournal, clock: OwnClock
) -> None:
    journal = await open_journal()
    values = ["0.1", "0.2", "99999999999999999999.99", "0.000000000000000000000001", "1E+2", None]
    await journal.append(
        [arriving(an_event(f"{at}", value=value), f"http:a/{at}")
         for at, value in enumerate(values)]
    )  # fmt: skip
    entries = take(journal)
    await settle(journal, entries[:3])
    await settle(journal, entries[3:])

    hour = int(NOW // HOUR)
    (row,) = [row async for row in journal.sums(None, hour, hour + 1)]

    assert (row.hour, row.destination, row.event) == (hour, "web", "Purchase")
    assert row.outcome is Outcome.DELIVERED
    assert row.sums.count == 6
    known = [value for value in values if value is not None]
    assert row.sums.value == {"EUR": Decimal("100000000000000000100.290000000000000000000001")}
    assert len(known) == 5
    assert row.sums.keys == {"email": 6, "ttclid": 6}


async def test_the_ledger_counts_every_outcome_by_hour_event_and_destination(
    open_journal: OpenJournal, clock: OwnClock
) -> None:
    journal = await open_journal()
    arrivals = [
        arriving(an_event("a"), "http:1/0"),
        arriving(an_event("b", at=NOW - HOUR), "http:1/1"),
        arriving(an_event("c", name="AddToCart"), "http:1/2"),
        arriving(an_event("d"), "http:1/3", "crm"),
        arriving(an_event("a"), "http:1/4"),
        arriving(a_refusal("e", Outcome.WITHHELD), "http:1/5"),
        arriving(a_refusal(None, at=None), "http:1/6"),
    ]
    await journal.append(arrivals)
    await settle(journal, take(journal))
    await settle(journal, take(journal, destination="crm"), REJECTED, destination="crm")
    await journal.close()
    again = await open_journal()

    hour = int(NOW // HOUR)
    rows = [row async for row in again.sums(None, hour - 1, hour + 1)]

    assert sorted((row[:3], str(row.outcome), row.sums.count) for row in rows) == [
        ((hour - 1, "web", "Purchase"), "delivered", 1),
        ((hour, "crm", "Purchase"), "rejected", 1),
        ((hour, "web", "AddToCart"), "delivered", 1),
        ((hour, "web", "Purchase"), "delivered", 1),
        ((hour, "web", "Purchase"), "duplicate", 1),
        ((hour, "web", "Purchase"), "invalid", 1),
        ((hour, "web", "Purchase"), "withheld", 1),
    ]
    assert [row.hour async for row in again.sums("crm", 0, 2**32 - 1)] == [hour]
    assert [row async for row in again.sums("web", hour + 1, hour + 9)] == []


async def test_ledger_sums_are_kept_for_25_months(
    open_journal: OpenJournal, clock: OwnClock
) -> None:
    journal = await open_journal(retention_s=DAY)
    await journal.append(many(1))
    await settle(journal, take(journal))
    hour = int(NOW // HOUR)

    clock.advance(760 * DAY)
    await upkeep(journal)
    assert [row.sums.count async for row in journal.sums("web", hour, hour + 1)] == [1]
    clock.advance(20 * DAY)
    await upkeep(journal)
    assert [row async for row in journal.sums("web", hour, hour + 1)] == []


# --- erasing --------------------------------------------------------------------------------------


async def test_erasing_a_person_leaves_nothing_of_the_person(open_journal: OpenJournal) -> None:
    journal = await open_journal()
    digest = hashlib.sha256(b"a@example.com").hexdigest()
    await journal.append([*many(3, "x"), *many(3, "a", person="a@example.com")])
    *others, rejected = take(journal, 4)
    await settle(journal, [rejected], REJECTED)
    journal.give_back("web", [entry.seq for entry in others])

    assert await journal.erase([digest]) == 3

    assert list(await journal.find(digest)) == []
    assert [letter async for letter in journal.dead_letters()] == []
    for event_id, outcome in (("a-0", Outcome.REJECTED), ("a-1", Outcome.WITHHELD)):
        (trace,) = await journal.find(event_id)
        assert (trace.outcome, trace.wire) == (outcome, b"{}")
    (other,) = await journal.find("x-1")
    assert (other.outcome, other.wire) == (None, an_event("x-1").wire)
    assert [entry.event_id for entry in take(journal)] == ["x-0", "x-1", "x-2"]
    assert journal.counts()["web"] == Counts(6, 3, 3)


async def test_two_people_of_one_request_are_erased_at_once(open_journal: OpenJournal) -> None:
    journal = await open_journal()
    people = ["a@example.com", "b@example.com", "c@example.com"]
    await journal.append(
        [arriving(an_event(person, person=person), f"http:a/{person}") for person in people]
    )
    digests = [hashlib.sha256(person.encode()).hexdigest() for person in people]

    assert await asyncio.gather(*[journal.erase([each]) for each in digests[:2]]) == [1, 1]

    assert [entry.event_id for entry in take(journal)] == ["c@example.com"]
    assert [len(await journal.find(digest)) for digest in digests] == [0, 0, 1]


async def test_an_entry_on_its_way_is_erased_when_it_is_back(open_journal: OpenJournal) -> None:
    journal = await open_journal()
    digest = hashlib.sha256(b"a@example.com").hexdigest()
    await journal.append(many(3, person="a@example.com"))
    first, second, third = take(journal)

    await journal.erase([digest])
    await settle(journal, [first], REJECTED)
    journal.give_back("web", [second.seq])
    await upkeep(journal)
    await until(lambda: journal.counts()["web"].settled == 2)
    assert [letter async for letter in journal.dead_letters()] == []
    # For one more attempt it is handed out, or withheld by then.
    assert journal.read("web", [third.seq]) in ([third], [])
    await journal.close()

    again = await open_journal()  # nothing is on its way after a restart
    await upkeep(again)
    await until_found(again, digest, 0)
    await until(lambda: again.counts()["web"] == Counts(3, 3, 0))
    (trace,) = await again.find("r1-2")
    assert (trace.outcome, trace.reason, trace.wire) == (Outcome.WITHHELD, Reason.ERASED, b"{}")


# --- limits and the end ---------------------------------------------------------------------------


async def test_closing_finishes_what_was_taken_and_refuses_the_rest(
    open_journal: OpenJournal,
) -> None:
    journal = await open_journal()
    stop = False

    async def sender(name: int) -> list[str]:
        sent = []
        at = 0
        while not stop:
            request = f"s{name}-{at}"
            try:
                await journal.append(many(2, request))
            except JournalUnavailable:
                break
            sent.append(request)
            at += 1
        return sent

    senders = [asyncio.ensure_future(sender(name)) for name in range(5)]
    await until(lambda: "web" in journal.counts() and journal.counts()["web"].accepted >= 100)
    await asyncio.wait_for(journal.close(), 10)
    stop = True
    sent = [request for requests in await asyncio.gather(*senders) for request in requests]

    again = await open_journal()
    stored = {entry.event_id for entry in take(again, 100_000)}
    assert {f"{request}-{at}" for request in sent for at in (0, 1)} <= stored
    with pytest.raises(JournalUnavailable):
        await journal.append(many(1))
    assert not take(journal)
    await journal.close()


async def test_a_caller_that_goes_away_does_not_harm_the_others(open_journal: OpenJournal) -> None:
    journal = await open_journal()
    calls = [asyncio.ensure_future(journal.append(many(1, f"r{at}"))) for at in range(3)]
    await asyncio.sleep(0)
    calls[1].cancel()

    results = await asyncio.gather(*calls, return_exceptions=True)

    assert [results[0], results[2]] == [[WAITS], [WAITS]]
    assert isinstance(results[1], asyncio.CancelledError)
    counts = journal.counts()["web"]
    assert counts.gap == 0
    assert counts.accepted in (2, 3)
