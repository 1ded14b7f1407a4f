"""`find`, `dead-letters` and `journal`, where one was delivered, one refused and one waits."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from relay import assembly
from relay.clock import SystemClock
from relay.config import load
from relay.journal.protocol import End
from relay.journal.rocksdb import JournalSettings, RocksJournal
from relay.model import Arrival, Attempt, Event, Outcome, Reason, Settlement

RELAY = Callable[..., Any]

EMAIL = "Ada@Example.com"
DIGEST = hashlib.sha256(EMAIL.lower().encode()).hexdigest()


def an_attempt(number: int, code: int) -> Attempt:
    return Attempt(
        f"attempt-{number}", "web", number, time.time(), 0.1, 1, 500, "reject" if code else
        "delivered", 200, code, "Invalid value." if code else "OK", f"tiktok-{number}",
    )  # fmt: skip


@pytest.fixture
def journal(config: Path) -> Path:
    path = config.parent / "journal"
    asyncio.run(fill(config, path))
    return path


async def fill(config: Path, path: Path) -> None:
    """An order that was delivered, one that TikTok refused, one that waits, one never valid."""
    normalize = assembly.normalizers_of(load(config, {}, checks=()))["web"]
    async with RocksJournal(JournalSettings(path), SystemClock()) as journal:
        for name in ("delivered", "refused", "waiting", "invalid"):
            conversion = {
                "event": "Purchase",
                "event_time": "never" if name == "invalid" else int(time.time()) - 60,
                "event_id": f"order-{name}",
                "order_id": f"#{name}",
                "user": {"email": EMAIL},
            }
            event = normalize(conversion, now=time.time())
            await journal.append([Arrival(f"http:{name}/0", "backend", "web", event)])
        for number, (outcome, reason) in enumerate(
            [(Outcome.DELIVERED, Reason.ACCEPTED), (Outcome.REJECTED, Reason.INVALID_PARAMS)]
        ):
            (entry,) = journal.take("web", End.OLDEST, first_only())
            settlement = Settlement([entry], outcome, reason)
            await journal.settle(
                "web", an_attempt(number, 40002 * number), [settlement], [entry.seq]
            )


def first_only() -> Callable[[object], bool]:
    taken: list[object] = []

    def fits(entry: object) -> bool:
        taken.append(entry)
        return len(taken) == 1

    return fits


# --- find -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wanted", ["order-refused", "#refused", "http:refused/0"], ids=["event id", "order", "receipt"]
)
def test_an_event_is_found_by_any_of_its_names(relay: RELAY, journal: Path, wanted: str) -> None:
    said = relay("find", wanted)

    assert said.code == 0
    for told in ("Purchase  order-refused", "rejected (invalid_params)", "backend → web",
                 "40002", "Invalid value.", "tiktok-1", DIGEST):  # fmt: skip
        assert told in said.out


@pytest.mark.parametrize("wanted", [DIGEST, DIGEST.upper(), EMAIL, f" {EMAIL.lower()} "])
def test_a_person_is_found_by_digest_or_by_an_address_that_is_hashed(
    relay: RELAY, journal: Path, wanted: str
) -> None:
    found = relay("find", wanted, "--json").json

    assert [trace["event_id"] for trace in found] == [
        "order-delivered", "order-refused", "order-waiting",
    ]  # fmt: skip


def test_what_waits_and_what_was_never_valid_say_so(relay: RELAY, journal: Path) -> None:
    assert "waiting" in relay("find", "order-waiting").out
    assert "event_time not_a_time" in relay("find", "order-invalid").out


def test_nothing_found_is_a_failure_and_says_so(relay: RELAY, journal: Path) -> None:
    said = relay("find", "order-unheard-of")

    assert said.code == 1
    assert "nothing is known" in said.err


def test_the_folder_can_be_named_without_a_configuration(
    relay: RELAY, journal: Path, folder: Path
) -> None:
    (folder / "relay.toml").unlink()

    assert relay("find", "order-waiting", "--journal", journal).code == 0


def test_no_journal_is_a_failure_in_a_sentence(relay: RELAY, folder: Path) -> None:
    for command in (("find", "x"), ("journal", "stats"), ("journal", "verify")):
        said = relay(*command, "--journal", folder / "nowhere")

        assert said.code == 1
        assert "there is no journal at" in said.err
        assert "Traceback" not in said.err
    assert not (folder / "nowhere").exists()


# --- journal --------------------------------------------------------------------------------------


def test_stats_say_what_waits(relay: RELAY, journal: Path) -> None:
    said = relay("journal", "stats")
    (row,) = relay("journal", "stats", "--json").json

    assert said.out.split()[-9:-5] == ["web", "4", "3", "1"]
    assert (row["accepted"], row["settled"], row["waiting"], row["gap"]) == (4, 3, 1, 0)
    assert time.time() - row["oldest_at"] < 60


def test_a_sound_journal_is_called_so(relay: RELAY, journal: Path) -> None:
    said = relay("journal", "verify")

    assert said.code == 0
    assert "the journal is sound" in said.err


def test_a_damaged_journal_is_told_and_fails(relay: RELAY, journal: Path) -> None:
    kept = journal / "quarantine" / "000009.log"
    kept.write_bytes(b"damaged")

    said = relay("journal", "verify")
    as_json = relay("journal", "verify", "--json")

    assert said.code == as_json.code == 1
    assert "000009.log" in said.err
    assert as_json.json["findings"][0]["place"] == "quarantine"


def test_reading_works_beside_the_process_that_has_the_journal(
    relay: RELAY, config: Path, journal: Path
) -> None:
    async def read() -> Any:
        async with RocksJournal(JournalSettings(journal), SystemClock()):
            return await asyncio.to_thread(relay, "find", "order-waiting", "--json")

    assert asyncio.run(read()).json[0]["outcome"] is None


# --- dead letters ---------------------------------------------------------------------------------


def letter_of(relay: RELAY) -> Any:
    (letter,) = relay("dead-letters", "list", "--json").json
    return letter


def test_dead_letters_are_listed_with_their_reason(relay: RELAY, journal: Path) -> None:
    said = relay("dead-letters", "list")

    for told in ("order-refused", "rejected invalid_params", "40002"):
        assert told in said.out
    assert relay("dead-letters", "list", "--destination", "other", "--json").json == []


def test_one_is_shown_with_tiktok_s_words_and_the_event(relay: RELAY, journal: Path) -> None:
    said = relay("dead-letters", "show", letter_of(relay)["letter_id"])

    for told in ("40002 Invalid value.", "tiktok-1", DIGEST, "#refused"):
        assert told in said.out


def test_an_unknown_dead_letter_is_a_failure(relay: RELAY, journal: Path) -> None:
    assert relay("dead-letters", "show", "00").code == 1
    assert relay("dead-letters", "show", "not hex").code == 1
    assert relay("dead-letters", "replay", "00").code == 1


def test_a_dry_run_changes_nothing(relay: RELAY, journal: Path) -> None:
    said = relay("dead-letters", "replay", "--dry-run")

    assert said.code == 0
    assert "1 dead letter would be queued" in said.err
    assert letter_of(relay)["replayed_at"] is None


def test_a_replayed_letter_waits_again_and_is_not_replayed_twice(
    relay: RELAY, journal: Path
) -> None:
    first = relay("dead-letters", "replay", "--json")
    second = relay("dead-letters", "replay", "--json")
    by_id = relay("dead-letters", "replay", letter_of(relay)["letter_id"])

    assert [each["result"] for each in first.json] == ["queued"]
    assert second.json == []
    assert "replayed before" in by_id.err
    assert letter_of(relay)["replayed_at"] is not None
    (row,) = relay("journal", "stats", "--json").json
    assert row["waiting"] == 2


def test_what_tiktok_may_have_and_has_forgotten_is_replayed_by_force_only(
    relay: RELAY, config: Path
) -> None:
    asyncio.run(bury_an_uncertain_one(config))

    careful = relay("dead-letters", "replay")
    forced = relay("dead-letters", "replay", "--force")

    assert careful.code == 1
    assert "may count twice" in careful.err
    assert forced.code == 0


async def bury_an_uncertain_one(config: Path) -> None:
    normalize = assembly.normalizers_of(load(config, {}, checks=()))["web"]
    now = time.time()
    event = normalize(
        {"event": "Purchase", "event_time": int(now), "event_id": "lost", "user": {"email": EMAIL}},
        now=now,
    )
    assert isinstance(event, Event)
    async with RocksJournal(JournalSettings(config.parent / "journal"), SystemClock()) as journal:
        await journal.append([Arrival("http:lost/0", "backend", "web", event)])
        (entry,) = journal.take("web", End.OLDEST, lambda entry: True)
        unknown = Attempt(
            "attempt-u", "web", 1, now - 50 * 3600, 30.0, 1, 500, "retry", error="timeout",
            unknown=True,
        )  # fmt: skip
        await journal.settle("web", unknown, [], [entry.seq])
        settlement = Settlement([entry], Outcome.REJECTED, Reason.REFUSED)
        await journal.settle("web", an_attempt(2, 40002), [settlement], [entry.seq])


def test_documents_are_json_all_the_way_down(relay: RELAY, journal: Path) -> None:
    letter = letter_of(relay)

    assert letter["wire"]["event_id"] == "order-refused"
    assert orjson.loads(orjson.dumps(letter)) == letter
