"""Commands that change something, while a relay has the journal: they ask it to."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import orjson
import pytest

from relay import assembly
from relay.cli.books import open_books
from relay.clock import SystemClock
from relay.config import load
from relay.errors import JournalLocked
from relay.journal.protocol import End
from relay.journal.rocksdb import JournalSettings, RocksJournal
from relay.model import Arrival, Attempt, Event, Outcome, Reason, Settlement

RELAY = Callable[..., Any]

PURCHASE = {"event": "Purchase", "event_id": "refused", "user": {"email": "ada@example.com"}}


async def bury_one(config: Path) -> None:
    """Leave a dead letter in the journal."""
    now = time.time()
    normalize = assembly.normalizers_of(load(config, {}, checks=()))["web"]
    event = normalize(PURCHASE | {"event_time": int(now)}, now=now)
    assert isinstance(event, Event)
    async with RocksJournal(JournalSettings(config.parent / "journal"), SystemClock()) as journal:
        await journal.append([Arrival("http:refused/0", "backend", "web", event)])
        entries = journal.take("web", End.OLDEST, lambda entry: True)
        attempt = Attempt("a", "web", 1, now, 0.1, 1, 500, "reject", 200, 40002, "no", "r")
        dead = Settlement(entries, Outcome.REJECTED, Reason.INVALID_PARAMS)
        await journal.settle("web", attempt, [dead], [entry.seq for entry in entries])


@pytest.fixture
def running(config: Path) -> Iterator[Path]:
    """A relay that serves this configuration; its operator's port is in it."""
    asyncio.run(bury_one(config))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    listen = f'[listen]\npublic = "127.0.0.1:0"\noperator = "127.0.0.1:{port}"\n'
    config.write_text(listen + config.read_text())
    command = [sys.executable, "-m", "relay", "serve", "--config", str(config)]
    with (config.parent / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ)
    try:
        until_ready(port, process)
        yield config
    finally:
        process.terminate()
        assert process.wait(30) == 0


def until_ready(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()
    raise AssertionError("not ready")


def test_a_file_and_a_dead_letter_go_through_the_running_relay(relay: RELAY, running: Path) -> None:
    file = running.parent / "sales.ndjson"
    sale = PURCHASE | {"event_time": int(time.time())}
    file.write_bytes(
        b"".join(orjson.dumps(sale | {"event_id": f"sale-{n}"}) + b"\n" for n in range(700))
        + b"nonsense\n"
    )

    first = relay("import", file, "--source", "backend", "--json", "--allow-invalid")
    again = relay("import", file, "--source", "backend", "--json", "--allow-invalid")
    tried = relay("dead-letters", "replay", "--dry-run", "--json")
    replayed = relay("dead-letters", "replay", "--json")

    assert (first.json["accepted"], first.json["invalid"]) == (700, 1)
    assert first.json["invalid_lines"] == {"701": "not_json"}
    assert (again.json["known"], again.json["accepted"]) == (700, 0)
    assert [each["result"] for each in tried.json] == ["queued"]
    assert [each["result"] for each in replayed.json] == ["queued"]
    assert relay("find", "sale-699", "--json").json[0]["source"] == "backend"
    assert relay("journal", "stats", "--json").json[0]["accepted"] == 703
    assert relay("journal", "verify").code == 0


def test_notes_go_through_the_running_relay_and_into_the_folder_when_none_runs(
    running: Path, config: Path
) -> None:
    async def told() -> list[tuple[str, bytes]]:
        async with open_books(running) as books:
            await books.put_note("audit/1", b"one")
            await books.put_note("audit/2", bytes(range(256)) * 4096)
            await books.put_note("audit/1", b"\xff")
            await books.put_note("other", b"")
            await books.drop_notes("audit/", "audit/1")
            return [note async for note in books.notes("audit/")]

    assert asyncio.run(told()) == [("audit/1", b"\xff"), ("audit/2", bytes(range(256)) * 4096)]

    async def without_its_configuration() -> None:
        async with open_books(None, running.parent / "journal") as books:
            await books.put_note("audit/3", b"")

    with pytest.raises(JournalLocked, match="--config"):
        asyncio.run(without_its_configuration())


@pytest.mark.parametrize("is_named", [False, True])
def test_a_folder_that_nobody_has_is_read_and_written_by_the_command(
    config: Path, is_named: bool
) -> None:
    asyncio.run(bury_one(config))

    async def told() -> tuple[Any, ...]:
        place = (None, config.parent / "journal") if is_named else (config, None)
        async with open_books(*place) as books:
            await books.put_note("audit/1", b"one")
            await books.put_note("audit/2", b"two")
            await books.drop_notes("audit/", "audit/2")
            return (
                [note async for note in books.notes("")],
                [(row.outcome, row.sums.reasons) async for row in books.sums(None, 0, 2**32 - 1)],
                [row.field async for row in books.issues("web", 0, 2**32 - 1)],
                [row async for row in books.samples(None, 0, 2**32 - 1)],
                [letter.event_id async for letter in books.dead_letters()],
            )

    notes, sums, issues, samples, letters = asyncio.run(told())

    assert notes == [("audit/2", b"two")]
    assert sums == [(Outcome.REJECTED, {"invalid_params": 1})]
    assert issues == []
    assert samples == []
    assert letters == ["refused"]


def test_a_relay_that_cannot_be_asked_is_told_of(relay: RELAY, running: Path) -> None:
    """Its configuration was changed since it started."""
    text = running.read_text()
    running.write_text(text.replace('operator = "127.0.0.1:', 'operator = "127.0.0.2:'))
    file = running.parent / "sales.ndjson"
    file.write_bytes(orjson.dumps(PURCHASE))

    said = relay("import", file, "--source", "backend")
    running.write_text(text)

    assert said.code == 1
    assert "does not answer at listen.operator" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(("question", "word"), [((), "healthy"), (("--ready",), "ready")])
def test_it_says_how_it_is(
    relay: RELAY, running: Path, question: tuple[str, ...], word: str
) -> None:
    asked = relay("health", *question, "--config", str(running))

    assert (asked.code, asked.err.splitlines()[-1]) == (0, word)


def test_a_relay_that_is_not_there_is_not_well(relay: RELAY, config: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config.write_text(f'[listen]\noperator = "127.0.0.1:{port}"\n' + config.read_text())

    asked = relay("health", "--config", str(config))

    assert asked.code == 1
    assert f"no relay answers at listen.operator (127.0.0.1:{port})" in asked.err


@pytest.mark.parametrize("body", [b"[]", b"{}", b"<html>", b'"ok"'])
def test_what_else_answers_there_is_no_relay(relay: RELAY, config: Path, body: bytes) -> None:
    class Stranger(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

    with HTTPServer(("127.0.0.1", 0), Stranger) as server:
        Thread(target=server.handle_request, daemon=True).start()
        port = server.server_port
        config.write_text(f'[listen]\noperator = "127.0.0.1:{port}"\n' + config.read_text())
        asked = relay("health", "--config", str(config))

    assert asked.code == 1
    assert "is no relay (HTTP 200)" in asked.err
