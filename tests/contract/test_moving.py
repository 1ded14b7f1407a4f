"""A journal that is moved: nothing is lost, nothing counts twice, everything is found again."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from relay.errors import JournalLocked, JournalSealed, JournalUnavailable
from relay.journal.distributed.moving_out import ServersOut
from relay.journal.ledger import LAST_HOUR
from relay.journal.moving.framing import check
from relay.journal.moving.rows import Moved, unpack
from relay.journal.moving.target import MOST_ROWS, AlreadyHere
from relay.journal.rocksdb import seal
from relay.journal.rocksdb.verify import verify
from relay.model import Answer, Counts, Outcome, Reason, Trace
from relay.postgres.database import Database
from tests.contract.distributed import PatientJournal
from tests.contract.journals import (
    DAY,
    DELIVERED,
    EXPIRED,
    HOUR,
    NOW,
    REJECTED,
    Journal,
    OwnClock,
    a_refusal,
    an_attempt,
    an_event,
    arriving,
    settle,
    take,
    upkeep,
)
from tests.contract.moves import BATCH, Cut, FolderPlace, Place, ServersPlace, take_in
from tests.contract.test_books import a_purchase

WAITS = Answer(None, None)
KNOWN = Answer(None, None, known=True)
DUPLICATE = Answer(Outcome.DUPLICATE, Reason.SAME_EVENT)

#: From where to where; the first two are what people do, each promise is tried on those.
WAYS = [("folder", "servers"), ("servers", "folder")]
RARE = [("folder", "folder"), ("servers", "servers")]

#: Everything that `lived` brought can be found by one of these.
TOKENS = ("sent", "open", "unsure", "topic")

NewPlace = Callable[[str], Place]


@pytest.fixture
def new_place(tmp_path: Path, clock: OwnClock, request: pytest.FixtureRequest) -> NewPlace:
    numbers = itertools.count()

    def place(kind: str) -> Place:
        number = next(numbers)
        if kind == "folder":
            return FolderPlace(tmp_path / f"place-{number}", clock)
        kafka = request.getfixturevalue("kafka_server")
        dsn = request.getfixturevalue("postgres_server").create_database()
        prefix = f"{request.getfixturevalue('unique')}-{number}"
        return ServersPlace(kafka.brokers, dsn, prefix, clock)

    return place


needs_servers = [pytest.mark.needs("kafka"), pytest.mark.needs("postgres")]


def ways(of: Sequence[tuple[str, str]]) -> list[Any]:
    return [
        pytest.param(way, id="-to-".join(way), marks=needs_servers if "servers" in way else [])
        for way in of
    ]


@pytest.fixture(params=ways(WAYS))
def way(request: pytest.FixtureRequest, new_place: NewPlace) -> tuple[Place, Place]:
    before, after = request.param
    return new_place(before), new_place(after)


async def lived(journal: Journal, clock: OwnClock) -> None:
    """A life: delivered, rejected, expired, refused, duplicate, waiting, and unsure since then."""
    await journal.append(
        [
            arriving(an_event("sent"), "http:a/0"),
            arriving(an_event("gone"), "http:a/1"),
            arriving(an_event("old"), "kafka:orders/0@7"),
            arriving(an_event("unsure"), "http:a/2"),
            arriving(a_refusal("refused"), "http:a/3"),
            arriving(a_refusal("topic"), "kafka:orders/0@8"),
        ],
        {b"cart": b"remembered"},
    )
    sent, gone, old, unsure = take(journal)
    await settle(journal, [sent], DELIVERED, an_attempt("one"))
    await settle(journal, [gone], REJECTED, an_attempt("two", code=40002, request_id="tt-2"))
    await settle(journal, [old], EXPIRED)
    lost = an_attempt("three", status=None, code=None, unknown=True, verdict="retry", at=NOW + 5)
    await journal.settle("web", lost, [], [unsure.seq])
    journal.give_back("web", [unsure.seq])
    clock.advance(HOUR)
    await journal.append(
        [
            arriving(an_event("sent"), "http:b/0"),
            arriving(an_event("open", test_event_code="TEST1"), "http:b/1"),
            arriving(an_event("again", value=None), "import:ff/3", "crm"),
        ]
    )
    (letter,) = [each async for each in journal.dead_letters() if each.event_id == "gone"]
    await journal.mark_replayed(letter.letter_id)
    await journal.put_note("audit/1", b"\x00seen")


async def asked(journal: Journal) -> dict[str, Any]:
    """All that can be asked of a journal, but for what is another one's: ids of letters."""
    return {
        "traces": {token: [told(each) for each in await journal.find(token)] for token in TOKENS},
        "letters": sorted(
            [replace(each, letter_id="", errors=()) async for each in journal.dead_letters()],
            key=repr,
        ),
        "sums": sorted([row async for row in journal.sums(None, 0, LAST_HOUR)], key=repr),
        "issues": sorted([row async for row in journal.issues(None, 0, LAST_HOUR)], key=repr),
        "samples": sorted([row async for row in journal.samples(None, 0, LAST_HOUR)], key=repr),
        "notes": [note async for note in journal.notes("")],
        "counts": dict(journal.counts()),
        "recalled": await journal.recall(b"cart"),
        "waits": {name: told_waiting(journal, name) for name in ("web", "crm")},
    }


def told(trace: Trace) -> Trace:
    """What a journal keeps of a duplicate or a refusal differs: topics have the body, too; and so
    does when it is claimed."""
    at_door = trace.outcome in (Outcome.DUPLICATE, Outcome.INVALID)
    trace = replace(trace, errors=tuple(trace.errors), attempts=tuple(trace.attempts))
    return replace(trace, wire=None) if at_door else trace


def told_waiting(journal: Journal, destination: str) -> list[tuple[Any, ...]]:
    entries = take(journal, destination=destination)
    seqs = [entry.seq for entry in entries]
    found = [(*entry[1:], journal.unknown_since(destination, [entry.seq])) for entry in entries]
    if seqs:
        journal.give_back(destination, seqs)
    return sorted(found, key=repr)


async def moved(before: Place, after: Place, clock: OwnClock) -> tuple[dict[str, Any], list[bytes]]:
    """Live, export, import; what could be asked before, and the file."""
    journal = await before.open()
    await lived(journal, clock)
    if isinstance(journal, PatientJournal):
        await journal.take_census()
    was = await asked(journal)
    await journal.close()
    lines = await before.export()
    async with after.target() as target:
        await take_in(target, lines)
    return was, lines


@pytest.mark.parametrize("way", ways([*WAYS, *RARE]), indirect=True)
async def test_whatever_could_be_asked_before_can_be_asked_after(
    way: tuple[Place, Place], clock: OwnClock
) -> None:
    before, after = way

    was, _ = await moved(before, after, clock)

    journal = await after.open()
    now = await asked(journal)
    for question, answer in was.items():
        assert now[question] == answer, question
    assert now["counts"] == {"web": Counts(8, 6, 2), "crm": Counts(1, 0, 1)}
    await journal.close()
    if isinstance(after, FolderPlace):
        assert verify(after.path).findings == ()


async def test_what_was_there_is_known_and_what_repeats_it_is_a_duplicate(
    way: tuple[Place, Place], clock: OwnClock
) -> None:
    before, after = way
    await moved(before, after, clock)

    journal = await after.open()

    again = [
        arriving(an_event("sent"), "http:a/0"),
        arriving(an_event("open"), "http:b/1"),
        arriving(an_event("old"), "kafka:orders/0@7"),
        arriving(a_refusal("topic"), "kafka:orders/0@8"),
        arriving(an_event("again"), "import:ff/3", "crm"),
    ]
    assert await journal.append(again) == [KNOWN] * 5
    repeats = [arriving(an_event(each), f"http:c/{each}") for each in ("sent", "open", "unsure")]
    assert await journal.append(repeats) == [DUPLICATE] * 3
    freed = [arriving(an_event("gone"), "http:d/0"), arriving(an_event("old"), "http:d/1")]
    assert await journal.append(freed) == [WAITS] * 2
    await journal.close()


async def test_what_waited_gives_its_claim_back_when_it_is_refused(
    way: tuple[Place, Place], clock: OwnClock
) -> None:
    before, after = way
    await moved(before, after, clock)
    journal = await after.open()

    await settle(journal, take(journal), REJECTED)

    corrected = [arriving(an_event("open"), "http:e/0"), arriving(an_event("unsure"), "http:e/1")]
    assert await journal.append(corrected) == [WAITS] * 2
    unsure = [each async for each in journal.dead_letters() if each.event_id == "unsure"]
    assert [each.unknown_since for each in unsure] == [NOW + 5]
    await journal.close()


async def test_an_import_that_is_cut_off_anywhere_and_repeated_counts_once(
    way: tuple[Place, Place], clock: OwnClock, new_place: NewPlace
) -> None:
    before, after = way
    journal = await before.open()
    await lived(journal, clock)
    await journal.close()
    lines = await before.export()
    batches = (len(lines) - 2) // BATCH

    for _ in range(batches // 2):
        with pytest.raises(Cut):
            async with after.target() as target:
                await take_in(target, lines, cut_after=2)
    for _ in range(2):
        async with after.target() as target:
            await take_in(target, lines)

    whole = new_place("folder")
    async with whole.target() as target:
        await take_in(target, lines)
    journal, expected = await after.open(), await whole.open()
    now, then = await asked(journal), await asked(expected)
    for question in ("sums", "issues", "samples", "notes", "counts", "waits", "letters"):
        assert now[question] == then[question], question
    await journal.close()
    await expected.close()


@pytest.mark.parametrize("way", ways(WAYS[:1]), indirect=True)
async def test_an_unchanged_journal_makes_the_same_contents_again(
    way: tuple[Place, Place], clock: OwnClock
) -> None:
    before, after = way
    _, lines = await moved(before, after, clock)

    again = await before.export()

    assert check(again)[1].contents == check(lines)[1].contents
    async with after.target() as target:
        standing = await target.begin(*check(again))
    assert standing.done


@pytest.mark.parametrize("way", ways(WAYS[:1]), indirect=True)
async def test_a_journal_does_not_come_twice(way: tuple[Place, Place], clock: OwnClock) -> None:
    before, after = way
    await moved(before, after, clock)
    journal = await before.open()
    await journal.append([arriving(an_event("later"), "http:z/0")])
    await journal.close()
    lines = await before.export()

    async with after.target() as target:
        with pytest.raises(AlreadyHere):
            await take_in(target, lines)


@pytest.mark.parametrize("way", ways([*WAYS, *RARE]), indirect=True)
async def test_one_that_never_delivered_does_not_come_twice_either(
    way: tuple[Place, Place], clock: OwnClock
) -> None:
    before, after = way
    for name in ("one", "two"):
        journal = await before.open()
        await journal.append([arriving(an_event(name), f"http:{name}/0")])
        await journal.close()
        lines = await before.export()
        async with after.target() as target:
            if name == "two":
                with pytest.raises(AlreadyHere):
                    await take_in(target, lines)
            else:
                await take_in(target, lines)

    journal = await after.open()
    assert {entry.event_id for entry in take(journal)} == {"one"}
    assert sum([each.accepted for each in journal.counts().values()]) == 1
    await journal.close()


@pytest.mark.parametrize("way", ways([*WAYS, RARE[0]]), indirect=True)
async def test_a_journal_does_not_come_twice_by_way_of_another(
    way: tuple[Place, Place], clock: OwnClock, new_place: NewPlace
) -> None:
    """Neither back to where it came from, nor with another to a third that knows it."""
    before, after = way
    _, lines = await moved(before, after, clock)
    third = new_place("folder")
    async with third.target() as target:
        await take_in(target, lines)
    both = await after.export()

    for known in (before, third):
        async with known.target() as target:
            with pytest.raises(AlreadyHere):
                await take_in(target, both)


async def test_claims_decide_where_the_new_journal_is_in_use(
    way: tuple[Place, Place], clock: OwnClock
) -> None:
    before, after = way
    journal = await after.open()
    await journal.append([arriving(an_event("open"), "http:new/0")])
    await settle(journal, take(journal))
    await journal.close()

    await moved(before, after, clock)

    journal = await after.open()
    waits = {entry.event_id for entry in take(journal)}
    assert waits == {"unsure"}
    ends = [(each.receipt, each.outcome) for each in await journal.find("open")]
    assert sorted(ends) == [
        ("http:b/1", Outcome.DUPLICATE), ("http:new/0", Outcome.DELIVERED),
    ]  # fmt: skip
    assert all(each.gap == 0 for each in journal.counts().values())
    await journal.close()


@pytest.mark.parametrize("way", ways(WAYS[:1]), indirect=True)
async def test_what_moved_is_forgotten_in_time(way: tuple[Place, Place], clock: OwnClock) -> None:
    before, after = way
    await moved(before, after, clock)
    journal = await after.open()
    for name in ("web", "crm"):
        await settle(journal, take(journal, destination=name), destination=name)

    clock.advance(33 * DAY)
    await journal.append([arriving(an_event("now", at=NOW + 33 * DAY), "http:n/0")])
    await upkeep(journal)

    assert await journal.find("sent") == []
    assert [each async for each in journal.dead_letters()] == []
    await journal.close()


@pytest.mark.needs("kafka")
@pytest.mark.needs("postgres")
async def test_what_is_written_twice_is_delivered_once_however_the_first_ended(
    new_place: NewPlace, clock: OwnClock
) -> None:
    """The import is killed between the topic and the table; a relay is quicker than its return."""
    before, after = new_place("folder"), new_place("servers")
    assert isinstance(after, ServersPlace)
    journal = await before.open()
    await lived(journal, clock)
    await journal.close()
    lines = await before.export()

    with pytest.raises(Cut):
        async with after.target(dies="after") as target:
            await take_in(target, lines, batch=1000)
    between = await after.open()
    await settle(between, take(between), REJECTED)
    await between.close()
    async with after.target() as target:
        await take_in(target, lines)

    journal = await after.open()
    assert take(journal) == []
    assert journal.counts()["web"] == Counts(8, 8, 0)
    corrected = [arriving(an_event("open"), "http:e/0")]
    assert await journal.append(corrected) == [WAITS]
    await journal.close()


@pytest.mark.needs("kafka")
@pytest.mark.needs("postgres")
async def test_who_repeats_an_event_that_is_still_on_its_way_here_brings_a_duplicate(
    new_place: NewPlace, clock: OwnClock
) -> None:
    before, after = new_place("folder"), new_place("servers")
    assert isinstance(after, ServersPlace)
    journal = await before.open()
    await lived(journal, clock)
    await journal.close()
    lines = await before.export()
    with pytest.raises(Cut):
        async with after.target(dies="before") as target:
            await take_in(target, lines, batch=1000)

    journal = await after.open()
    assert await journal.append([arriving(an_event("open"), "http:x/0")]) == [DUPLICATE]
    await journal.close()

    async with after.target() as target:
        await take_in(target, lines)
    journal = await after.open()
    assert {entry.receipt for entry in take(journal)} == {"http:a/2", "http:b/1"}
    await journal.close()


@pytest.mark.needs("kafka")
@pytest.mark.needs("postgres")
async def test_who_was_erased_is_erased_after_the_move(
    way: tuple[Place, Place], clock: OwnClock
) -> None:
    before, after = way
    event = an_event("hers", person="her@example.com")
    digest = event.tokens[-1].decode()
    journal = await before.open()
    await journal.append([arriving(event, "http:h/0"), arriving(an_event("his"), "http:h/1")])
    await settle(journal, [entry for entry in take(journal) if entry.event_id == "hers"])
    await journal.close()
    lines = await before.export()
    async with after.target() as target:
        await take_in(target, lines)

    journal = await after.open()
    clock.advance(1)
    assert await journal.erase([digest]) == 1

    assert await journal.find(digest) == []
    assert [each.wire for each in await journal.find("hers")] == [b"{}"]
    assert [each async for each in journal.samples(None, 0, LAST_HOUR)] == []
    await journal.close()


@pytest.mark.parametrize("way", ways([*WAYS, RARE[0]]), indirect=True)
async def test_who_is_erased_by_another_identifier_leaves_no_sample_that_moved(
    way: tuple[Place, Place], clock: OwnClock
) -> None:
    before, after = way
    email = hashlib.sha256(b"ada.l@example.com").hexdigest()
    hers = a_purchase("1")
    hers = hers._replace(
        wire=hers.wire.replace(b'{"external_id"', f'{{"email":"{email}","external_id"'.encode()),
        tokens=(*hers.tokens, email.encode()),
    )
    journal = await before.open()
    await journal.append([arriving(hers, "http:1/0"), arriving(an_event("his"), "http:2/0")])
    await settle(journal, take(journal))
    await journal.close()
    lines = await before.export()
    async with after.target() as target:
        await take_in(target, lines)

    journal = await after.open()
    assert len([each async for each in journal.samples(None, 0, LAST_HOUR)]) == 2
    clock.advance(1)
    await journal.erase([email])

    assert len([each async for each in journal.samples(None, 0, LAST_HOUR)]) == 1
    await journal.close()


@pytest.mark.needs("kafka")
@pytest.mark.needs("postgres")
async def test_nothing_is_exported_while_a_relay_delivers(
    new_place: NewPlace, clock: OwnClock
) -> None:
    place = new_place("servers")
    journal = await place.open()

    with pytest.raises(JournalLocked, match="stop all of them"):
        await place.export()
    await journal.close()


@pytest.mark.needs("kafka")
@pytest.mark.needs("postgres")
@pytest.mark.parametrize("writes", [False, True])
async def test_a_seal_is_taken_back_where_somebody_wrote_until_it_was_heard_of(
    new_place: NewPlace, clock: OwnClock, writes: bool
) -> None:
    place = new_place("servers")
    assert isinstance(place, ServersPlace)
    journal = await place.open()
    await journal.append([arriving(an_event("one"), "http:1/0")])
    await journal.close()

    async def meanwhile(seconds: float) -> None:
        if writes:
            await place.write(arriving(an_event("two"), "http:2/0"))

    clock.sleep = meanwhile  # type: ignore[method-assign]
    async with ServersOut(place.settings, Database(lambda: place.dsn), clock) as moving:
        async for _ in moving.rows():
            pass
        if writes:
            with pytest.raises(JournalLocked, match="the file lacks them"):
                await moving.seal()
        else:
            await moving.seal()
        assert await moving.is_sealed() is not writes


@pytest.mark.needs("kafka")
@pytest.mark.needs("postgres")
@pytest.mark.parametrize("who", ["another export", "a relay"])
async def test_an_export_beside_which_anybody_took_over_is_refused(
    new_place: NewPlace, clock: OwnClock, who: str
) -> None:
    """It would lack what waits, or tell as waiting what was delivered."""
    place = new_place("servers")
    assert isinstance(place, ServersPlace)
    journal = await place.open()
    await journal.append([arriving(an_event("one"), "http:1/0")])
    await journal.close()

    async with ServersOut(place.settings, Database(lambda: place.dsn), clock) as moving:
        if who == "a relay":
            journal = await place.open()
            await settle(journal, take(journal))
            await journal.close()
        else:
            await place.export()
        with pytest.raises(JournalLocked, match="export anew"):
            await moving.still_the_same()


@pytest.mark.needs("kafka")
@pytest.mark.needs("postgres")
async def test_tables_that_know_nothing_of_what_was_delivered_are_not_exported(
    new_place: NewPlace, clock: OwnClock
) -> None:
    place, fresh = new_place("servers"), new_place("servers")
    assert isinstance(place, ServersPlace)
    assert isinstance(fresh, ServersPlace)
    journal = await place.open()
    await journal.append([arriving(an_event("one"), "http:1/0")])
    await settle(journal, take(journal))
    await journal.close()
    await (await fresh.open()).close()

    place.dsn = fresh.dsn
    with pytest.raises(JournalUnavailable, match=r"journal\.database_schema right"):
        await place.export()


async def test_a_sealed_folder_is_opened_by_nobody_until_it_is_unsealed(
    new_place: NewPlace, clock: OwnClock
) -> None:
    place = new_place("folder")
    assert isinstance(place, FolderPlace)
    await (await place.open()).close()
    seal.put(place.path, NOW, seal.Why.MOVED)

    with pytest.raises(JournalSealed, match="unseal"):
        await place.open()
    with pytest.raises(JournalSealed):
        place.target()

    assert seal.lift(place.path)
    assert not seal.lift(place.path)
    await (await place.open()).close()


@pytest.mark.parametrize("batches", [0, 2])
async def test_a_folder_whose_import_was_cut_off_is_opened_by_nobody_but_the_import(
    new_place: NewPlace, clock: OwnClock, batches: int
) -> None:
    before, after = new_place("folder"), new_place("folder")
    assert isinstance(after, FolderPlace)
    journal = await before.open()
    await lived(journal, clock)
    await journal.close()
    lines = await before.export()

    async with after.target() as target:
        with pytest.raises(Cut):
            await take_in(target, lines, cut_after=batches)

    with pytest.raises(JournalSealed, match="same `relay journal import` again"):
        await after.open()
    async with after.target() as target:
        await take_in(target, lines)
    await (await after.open()).close()


async def test_an_import_that_ended_opens_the_folder_although_its_last_word_was_lost(
    new_place: NewPlace, clock: OwnClock
) -> None:
    before, after = new_place("folder"), new_place("folder")
    assert isinstance(after, FolderPlace)
    await (await before.open()).close()
    lines = await before.export()
    async with after.target() as target:
        await take_in(target, lines)
    seal.put(after.path, NOW, seal.Why.FILLING)

    async with after.target() as target:
        assert (await target.begin(*check(lines))).done

    await (await after.open()).close()


async def test_a_line_tells_of_an_attempt_whose_answer_was_not_read(
    new_place: NewPlace, clock: OwnClock
) -> None:
    place = new_place("folder")
    journal = await place.open()
    await lived(journal, clock)
    await journal.close()

    rows = [unpack(line) for line in (await place.export())[1:-1]]

    (unsure,) = [row for row in rows if isinstance(row, Moved) and row.event_id == "unsure"]
    assert (unsure.outcome, unsure.unknown_since) == (None, NOW + 5)
    assert [each.attempt_id for each in unsure.attempts] == ["three"]


@pytest.mark.parametrize("way", ways([WAYS[1], RARE[1]]), indirect=True)
@pytest.mark.parametrize("days", [0, 3, 8])
async def test_what_was_claimed_later_than_it_was_accepted_waits_there_still(
    way: tuple[Place, Place], days: int, clock: OwnClock
) -> None:
    """A lane that is paused is not read on: what nobody claimed, the export claims, as of now."""
    before, after = way
    assert isinstance(before, ServersPlace)
    async with before.accepting() as door:
        await door.append([arriving(an_event(f"late-{n}"), f"http:w/{n}") for n in range(3)])
    clock.advance(days * DAY)
    lines = await before.export()

    async with after.target() as target:
        await take_in(target, lines, batch=MOST_ROWS)

    journal = await after.open()
    entries = take(journal)
    assert sorted(entry.receipt for entry in entries) == [f"http:w/{n}" for n in range(3)]
    assert journal.counts()["web"] == Counts(3, 0, 3)
    await settle(journal, entries, REJECTED)
    answers = await journal.append([arriving(an_event("late-0"), "http:again/0")])
    assert answers == [WAITS]  # the claim was given back
    await journal.close()
