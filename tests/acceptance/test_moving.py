"""Journals that are moved with real processes: a backlog, a crash, an import that is killed."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relay.clock import SystemClock
from relay.errors import JournalError
from relay.journal.rocksdb import JournalSettings, RocksJournal
from relay.journal.rocksdb.folder import Folder
from relay.journal.rocksdb.identity import imports_of
from relay.sandbox.http import Running
from tests.acceptance.test_distributed import Fleet, delivered
from tests.contract.journals import many
from tests.servers.kafka import KafkaServer

#: Delivered before the outage, waiting because of it, and sent twice.
EARLY, LATE, REPEATED = 20, 400, 10


@pytest.fixture
def fleet(
    make_relay: Callable[..., Any], kafka_server: KafkaServer, database: str, topic_prefix: str
) -> Fleet:
    return Fleet(make_relay, kafka_server.brokers, database, topic_prefix, 3)


@pytest.fixture
async def old(make_relay: Callable[..., Any], make_sender: Callable[[Any], Any]) -> Any:
    """A folder with some that was delivered, a backlog with failed attempts, and a crash."""
    relay = make_relay()
    await relay.up()
    sender = make_sender(relay)
    await sender.send(*(sender.make(f"early-{n}") for n in range(EARLY)))
    await relay.until_outcomes({"delivered": EARLY})
    sender.misbehave({"kind": "http", "status": 503, "probability": 1.0})
    await sender.send(*(sender.make(f"late-{n}") for n in range(LATE)))
    await sender.send(*(sender.make(f"late-{n}") for n in range(REPEATED)))
    await sender.until(lambda: attempted(relay), 10, what="an attempt that fails")
    relay.kill()
    await relay.up()
    relay.sender = sender
    return relay


async def attempted(relay: Any) -> bool:
    """Was a late one tried?"""
    traces = await relay.api("/api/find", id="late-50")
    return bool(traces and traces[0]["attempts"])


async def exported(old: Any, file: Path) -> Any:
    """The file of a relay that was killed; refused while it ran, and so is another start."""
    code, said = await old.typed("journal", "export", str(file))
    assert code == 1
    assert "stop it" in said
    old.kill()
    code, summary = await old.typed("journal", "export", str(file), "--seal", "--json")
    assert (code, summary["counts"]["arrival"]) == (0, EARLY + LATE + REPEATED)
    code, said = await old.typed("serve")
    assert code == 1
    assert "unseal" in said
    return summary


@pytest.mark.needs("kafka")
@pytest.mark.needs("postgres")
async def test_a_backlog_moves_and_has_its_effect_once(
    old: Any, fleet: Fleet, sandbox: Running, tmp_path: Path
) -> None:
    file = tmp_path / "journal.ndjson.gz"
    summary = await exported(old, file)
    new = await fleet.add("deliver")

    for already in (0, summary["rows"]):
        code, said = await new.typed("journal", "import", str(file), "--json")
        assert (code, said["already"]) == (0, already)
        assert (said["counts"]["waiting"], said["counts"]["settled"]) == (LATE, EARLY + REPEATED)
    old.sender.misbehave()
    await delivered(old.sender, 40)
    await new.until_settled()

    assert sandbox.world.received.totals.effects == EARLY + LATE
    assert await fleet.unsettled() == []
    await all_is_told(new)


async def all_is_told(new: Any) -> None:
    """Counted, and found: what ended before the move, and what waited through it."""
    count = EARLY + LATE + REPEATED
    _, (row,) = await new.typed("journal", "stats", "--json")
    assert (row["accepted"], row["settled"], row["gap"]) == (count, count, 0)
    _, (early,) = await new.typed("find", "early-3", "--json")
    assert (early["outcome"], early["attempts"][0]["code"]) == ("delivered", 0)
    _, traces = await new.typed("find", "late-3", "--json")
    assert sorted(trace["outcome"] for trace in traces) == ["delivered", "duplicate"]
    (waited,) = [trace for trace in traces if trace["outcome"] == "delivered"]
    assert {503, 200} <= {each["status"] for each in waited["attempts"]}
    _, said = await new.typed("journal", "verify", "--json")
    assert said["findings"] == []


@pytest.mark.needs("kafka")
@pytest.mark.needs("postgres")
async def test_servers_whose_journal_was_moved_are_used_by_nobody(
    fleet: Fleet, make_sender: Callable[[Any], Any], tmp_path: Path
) -> None:
    relay = await fleet.add("all")
    sender = make_sender(relay)
    await sender.send(sender.make("one"))
    await delivered(sender)
    for early in (("seal",), ("export", str(tmp_path / "early"))):
        code, said = await relay.typed("journal", *early)
        assert code == 1
        assert "stop all of them" in said
    await relay.terminate()
    file = tmp_path / "journal.ndjson"

    code, said = await relay.typed("journal", "export", str(file), "--seal", "--json")
    assert (code, said["sealed"]) == (0, True)

    for refused in (("serve",), ("journal", "import", str(file))):
        code, said = await relay.typed(*refused)
        assert code == 1
        assert "unseal" in said
    assert (await relay.typed("find", "one", "--json"))[0] == 0  # looking does no harm
    assert (await relay.typed("journal", "export", str(file), "--overwrite"))[0] == 0
    assert [(await relay.typed("journal", "unseal"))[0] for _ in range(2)] == [0, 1]
    assert [(await relay.typed("journal", "seal"))[0] for _ in range(2)] == [0, 0]
    assert (await relay.typed("journal", "unseal"))[0] == 0
    await relay.up()


#: Rows of the journal whose import is killed: some batches.
MANY = 9_000


def rows_in(path: Path) -> int:
    """How far the import into a folder is."""
    with contextlib.suppress(JournalError):  # it is being made
        folder = Folder(path, read_only=True)
        try:
            return sum([each.rows for each in imports_of(folder)])
        finally:
            folder.close()
    return 0


async def test_an_import_that_is_killed_goes_on_and_nothing_counts_twice(
    make_relay: Callable[..., Any], tmp_path: Path
) -> None:
    old, new = make_relay(), make_relay()
    for relay in (old, new):
        relay.write_config()
    journal = RocksJournal(JournalSettings(old.folder / "journal", min_free_bytes=1), SystemClock())
    for at in range(0, MANY, 1000):
        await journal.append(many(1000, f"r{at}"))
    await journal.close()
    file = tmp_path / "journal.ndjson"
    code, summary = await old.typed("journal", "export", str(file), "--json")
    assert (code, summary["counts"]["arrival"]) == (0, MANY)
    there = new.folder / "journal"

    kills = []
    while (done := await asyncio.to_thread(killed, new, file, there)) <= MANY:
        kills.append(done)
        code, said = await new.typed("serve")
        assert code == 1
        assert "same `relay journal import` again" in said

    assert (await new.typed("journal", "import", str(file)))[0] == 0
    assert len(kills) > 1
    assert kills == sorted(set(kills))
    _, (row,) = await new.typed("journal", "stats", "--json")
    assert (row["accepted"], row["waiting"], row["gap"]) == (MANY, MANY, 0)
    _, said = await new.typed("journal", "verify", "--json")
    assert said["findings"] == []


def killed(relay: Any, file: Path, there: Path) -> int:
    """Begin the import, and kill it once it took some more rows: how many it has then."""
    before = rows_in(there)
    command, environ = relay.command_line("journal", "import", str(file))
    process = subprocess.Popen(command, env=environ)
    while process.poll() is None and rows_in(there) <= before:
        pass  # as quick as it can be looked at
    process.kill()
    process.wait(30)
    return rows_in(there)


async def test_an_import_says_which_destinations_the_configuration_lacks(
    make_relay: Callable[..., Any], make_sender: Callable[[Any], Any], tmp_path: Path
) -> None:
    old = make_relay()
    await old.up()
    sender = make_sender(old)
    await sender.send(sender.make("one"))
    await old.terminate()
    file = tmp_path / "journal.ndjson"
    assert (await old.typed("journal", "export", str(file)))[0] == 0

    new = make_relay()
    new.write_config()
    new.config.write_text(
        new.config.read_text()
        .replace('name = "web"', 'name = "other"')
        .replace('destination = "web"', 'destination = "other"')
    )
    code, said = await new.typed("journal", "import", str(file))
    assert code == 2
    assert "events of web" in said

    new.write_config()
    file.write_bytes(file.read_bytes()[:-5])
    code, said = await new.typed("journal", "import", str(file))
    assert code == 2
    assert "cut off" in said or "damaged" in said
