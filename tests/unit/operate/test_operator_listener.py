"""The operator's listener over real sockets: who may ask, and what is answered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from relay.config import Address, Listen
from relay.errors import JournalUnavailable, UnknownSource
from relay.journal.notes import check_note
from relay.model import Attempt, DeadLetter, FieldIssue, Outcome, Reason, Trace
from relay.operate.access import is_loopback_name, is_right_token
from relay.operate.http import OperatorListener
from relay.operate.protocol import Health, NotesPage, ReplayResult
from relay.secrets import Secret

TRACE = Trace(
    receipt="http:r1/0",
    source="shop",
    destination="web",
    accepted_at=1_780_000_000.5,
    event="Purchase",
    event_id="order-7",
    order_id="7",
    event_time=1_780_000_000,
    outcome=Outcome.REJECTED,
    reason=Reason.INVALID_PARAMS,
    errors=[FieldIssue("user.phone", "too_short")],
    settled_at=1_780_000_002.0,
    wire=b'{"event":"Purchase"}',
    attempts=(Attempt("a1", "web", 1, 1_780_000_001.0, 0.2, 1, 20, "reject", 200, 40002),),
)

LETTER = DeadLetter(
    letter_id="00ff",
    at=1_780_000_002.0,
    receipt="http:r1/0",
    source="shop",
    destination="web",
    event="Purchase",
    event_id="order-7",
    order_id=None,
    event_time=1_780_000_000,
    accepted_at=1_780_000_000.5,
    outcome=Outcome.REJECTED,
    reason=Reason.INVALID_PARAMS,
    code=40002,
    message="Invalid value for event_id.",
    request_id="2026",
    attempts=1,
    replayed_at=None,
    unknown_since=None,
    wire=b'{"event":"Purchase"}',
)


class OwnOperations:
    """A relay that says what it was told to say, and keeps what it was asked."""

    def __init__(self) -> None:
        self.state = Health(ok=True)
        self.is_ready = True
        self.asked: list[tuple[Any, ...]] = []
        self.fails: Exception | None = None
        self.report: bytes | None = None

    def health(self) -> Health:
        return self.state

    def ready(self) -> bool:
        return self.is_ready

    def metrics(self) -> bytes:
        return b"relay_conservation_gap 0\n"

    async def find(self, token: str) -> Sequence[Trace]:
        return [TRACE] if token == "order-7" else []

    async def dead_letters(self, destination: str | None, limit: int) -> Sequence[DeadLetter]:
        self.asked.append((destination, limit))
        return [LETTER]

    async def replay(
        self,
        letter_ids: Sequence[str] | None,
        destination: str | None,
        *,
        dry_run: bool,
        force: bool,
    ) -> Sequence[ReplayResult]:
        self.asked.append((letter_ids, destination, dry_run, force))
        if self.fails is not None:
            raise self.fails
        return [ReplayResult("00ff", "queued")]

    async def last_audit(self) -> bytes | None:
        return self.report

    async def notes(self, prefix: str, behind: str) -> NotesPage:
        self.asked.append((prefix, behind))
        return NotesPage({"audit/1": b"\x00\xff"}, more=True)

    async def put_note(self, key: str, value: bytes) -> None:
        check_note(key, value)
        self.asked.append((key, value))

    async def drop_notes(self, prefix: str, before: str) -> None:
        self.asked.append((prefix, before))

    def stats(self) -> Mapping[str, Any]:
        return {"destinations": []}

    def lanes(self) -> Sequence[Mapping[str, Any]]:
        return [{"name": "web", "state": "running"}]

    async def take_lines(
        self, source: str, file: str, first_line: int, items: Sequence[object]
    ) -> Mapping[str, Any]:
        self.asked.append((source, file, first_line, items))
        if self.fails is not None:
            raise self.fails
        return {"accepted": len(items)}


class Operator:
    """Somebody who asks a listener; `operations` is what stands behind it."""

    def __init__(self, operations: OwnOperations, client: aiohttp.ClientSession, url: str) -> None:
        self.operations = operations
        self._client = client
        self._url = url

    async def get(self, path: str, **headers: str) -> tuple[int, Any]:
        async with self._client.get(self._url + path, headers=headers) as answer:
            assert answer.content_type == "application/json"
            return answer.status, await answer.json()

    async def post(self, path: str, document: object, **headers: str) -> tuple[int, Any]:
        sent = {"json": document} if not isinstance(document, str) else {"data": document}
        async with self._client.post(self._url + path, headers=headers, **sent) as answer:
            return answer.status, await answer.json()

    async def raw(self, method: str, path: str) -> tuple[int, Mapping[str, str], bytes]:
        async with self._client.request(method, self._url + path) as answer:
            return answer.status, answer.headers, await answer.read()


Operators = Callable[..., Awaitable[Operator]]


@pytest.fixture
async def operators() -> AsyncIterator[Operators]:
    """`await operators(host, token)`: somebody who asks a listener at this address."""
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(aiohttp.ClientSession())

        async def build(host: str = "127.0.0.1", token: Secret | None = None) -> Operator:
            listen = Listen.model_construct(
                public=Address("127.0.0.1", 0), operator=Address(host, 0), operator_token=token
            )
            operations = OwnOperations()
            listener = OperatorListener(operations, listen)
            await stack.enter_async_context(listener)
            url = f"http://127.0.0.1:{listener.address.port}"
            return Operator(operations, client, url)

        yield build


@pytest.fixture
async def operator(operators: Operators) -> Operator:
    return await operators()


EVERYWHERE = "0.0.0.0"
TOKEN = Secret("env:OPERATOR", {"OPERATOR": "sesame"})


# --- health -------------------------------------------------------------------------------------


async def test_a_relay_that_gets_on_is_healthy_and_a_paused_lane_is_a_note(
    operator: Operator,
) -> None:
    operator.operations.state = Health(True, notes=["lane web: paused_credential (40105)"])

    assert await operator.get("/healthz") == (
        200,
        {"status": "ok", "problems": [], "notes": ["lane web: paused_credential (40105)"]},
    )


async def test_a_relay_that_does_not_get_on_is_503_and_says_why(operator: Operator) -> None:
    operator.operations.state = Health(False, ["upkeep: ended by OSError"])

    status, told = await operator.get("/healthz")

    assert status == 503
    assert told["problems"] == ["upkeep: ended by OSError"]


async def test_ready_and_alive_are_two_questions(operator: Operator) -> None:
    operator.operations.is_ready = False

    assert await operator.get("/readyz") == (503, {"ready": False})
    assert (await operator.get("/healthz"))[0] == 200


# --- looking ------------------------------------------------------------------------------------


async def test_prometheus_is_given_its_text(operator: Operator) -> None:
    status, headers, body = await operator.raw("GET", "/metrics")

    assert (status, body) == (200, b"relay_conservation_gap 0\n")
    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"


async def test_what_was_found_is_told_whole(operator: Operator) -> None:
    status, (trace,) = await operator.get("/api/find?id=order-7")

    assert status == 200
    assert trace["outcome"] == "rejected"
    assert trace["errors"] == [{"field": "user.phone", "reason": "too_short"}]
    assert trace["attempts"][0]["code"] == 40002
    assert trace["wire"] == '{"event":"Purchase"}'
    assert await operator.get("/api/find?id=other") == (200, [])
    assert (await operator.get("/api/find"))[0] == 400


async def test_dead_letters_are_told_up_to_a_number(operator: Operator) -> None:
    _, (letter,) = await operator.get("/api/dead-letters")
    assert letter["letter_id"] == "00ff"
    assert letter["message"] == "Invalid value for event_id."

    await operator.get("/api/dead-letters?destination=web&limit=5")
    await operator.get("/api/dead-letters?limit=999999999")
    assert operator.operations.asked == [(None, 100), ("web", 5), (None, 10_000)]


@pytest.mark.parametrize("limit", ["-1", "ten", "1e3", "", "٣", "9" * 5000])
async def test_a_limit_that_is_no_number_is_400(operator: Operator, limit: str) -> None:
    assert (await operator.get(f"/api/dead-letters?limit={limit}"))[0] == 400


async def test_stats_and_lanes_are_told(operator: Operator) -> None:
    assert await operator.get("/api/journal/stats") == (200, {"destinations": []})
    assert await operator.get("/api/lanes") == (200, [{"name": "web", "state": "running"}])


async def test_nothing_is_cached_and_nothing_tells_which_software_answers(
    operator: Operator,
) -> None:
    for path in ("/metrics", "/healthz", "/api/lanes", "/nowhere"):
        _, headers, _ = await operator.raw("GET", path)
        assert "Server" not in headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"


async def test_other_addresses_and_methods_are_refused_in_json(operator: Operator) -> None:
    assert await operator.get("/nowhere") == (404, {"error": "not found"})
    status, headers, _ = await operator.raw("DELETE", "/api/lanes")
    assert status == 405
    assert "GET" in headers["Allow"]


# --- doing --------------------------------------------------------------------------------------

REPLAY = "/api/dead-letters/replay"


@pytest.mark.parametrize(
    ("document", "asked"),
    [
        ({"ids": ["00ff"]}, (["00ff"], None, False, False)),
        ({"destination": "web", "dry_run": True}, (None, "web", True, False)),
        ({"all": True, "force": True}, (None, None, False, True)),
        ({"ids": ["00ff"], "destination": None, "all": False}, (["00ff"], None, False, False)),
    ],
)
async def test_dead_letters_are_replayed_as_asked(
    operator: Operator, document: object, asked: tuple[Any, ...]
) -> None:
    assert await operator.post(REPLAY, document) == (
        200,
        [{"letter_id": "00ff", "result": "queued", "detail": ""}],
    )
    assert operator.operations.asked == [asked]


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"dry_run": True},
        {"all": False},
        {"ids": ["00ff"], "all": True},
        {"ids": ["00ff"], "destination": "web"},
        {"ids": "00ff"},
        {"ids": [7]},
        {"destination": 7},
        {"all": 1},
        {"all": True, "dry_run": "false"},
        [],
        7,
    ],
)
async def test_nothing_is_replayed_that_was_not_named(operator: Operator, document: object) -> None:
    status, _ = await operator.post(REPLAY, document)

    assert status == 400
    assert operator.operations.asked == []


async def test_lines_are_imported(operator: Operator) -> None:
    lines = {"source": "file", "file": "ab12", "first_line": 3, "items": [{}, {}]}

    assert await operator.post("/api/import", lines) == (200, {"accepted": 2})
    assert operator.operations.asked == [("file", "ab12", 3, [{}, {}])]
    for missing in lines:
        document = {name: value for name, value in lines.items() if name != missing}
        assert (await operator.post("/api/import", document))[0] == 400


async def test_notes_are_kept_shown_and_dropped(operator: Operator) -> None:
    kept = await operator.post("/api/notes", {"key": "audit/1", "value": "AP8="})
    shown = await operator.get("/api/notes?prefix=audit/&behind=audit/0")
    dropped = await operator.post("/api/notes/drop", {"prefix": "audit/", "before": "audit/9"})

    assert (kept[0], dropped[0]) == (200, 200)
    assert shown == (200, {"notes": [{"key": "audit/1", "value": "AP8="}], "more": True})
    assert operator.operations.asked == [
        ("audit/1", b"\x00\xff"), ("audit/", "audit/0"), ("audit/", "audit/9"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/api/notes", {"key": "a"}),
        ("/api/notes", {"key": "a", "value": "no base64!"}),
        ("/api/notes", {"key": "a", "value": 7}),
        ("/api/notes", {"key": "", "value": ""}),
        ("/api/notes", {"key": "x" * 513, "value": ""}),
        ("/api/notes/drop", {"prefix": "a"}),
        ("/api/notes/drop", {"before": "a"}),
    ],
)
async def test_what_is_no_note_is_400(operator: Operator, path: str, document: object) -> None:
    assert (await operator.post(path, document))[0] == 400
    assert operator.operations.asked == []


@pytest.mark.parametrize(
    ("error", "status"),
    [(JournalUnavailable(), 503), (UnknownSource("unknown_source"), 404)],
)
async def test_what_the_relay_cannot_do_is_told_as_such(
    operator: Operator, error: Exception, status: int
) -> None:
    operator.operations.fails = error

    assert (await operator.post(REPLAY, {"all": True}))[0] == status


async def test_what_is_not_json_is_400(operator: Operator) -> None:
    header = {"Content-Type": "application/json"}

    assert (await operator.post(REPLAY, "{", **header))[0] == 400


# --- who may ask --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
async def test_a_form_of_a_web_page_changes_nothing(operator: Operator, kind: str) -> None:
    status, _ = await operator.post(REPLAY, '{"all": true}', **{"Content-Type": kind})

    assert status == 415
    assert operator.operations.asked == []


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/api/lanes"])
async def test_a_web_page_that_rebinds_its_name_to_loopback_is_refused(
    operator: Operator, path: str
) -> None:
    assert (await operator.get(path, Host="127.attacker.example:8081"))[0] == 403


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [
        ("localhost", True),
        ("LocalHost:8081", True),
        ("127.0.0.1:8081", True),
        ("127.1.2.3", True),
        ("[::1]:8081", True),
        ("[::1]", True),
        ("127.attacker.example", False),
        ("127.0.0.1.attacker.example", False),
        ("localhost.attacker.example", False),
        ("attacker.example:127", False),
        ("[::1].attacker.example", False),
        ("[::2]", False),
        ("10.0.0.1", False),
        ("127.0.0.1 ", False),
        ("", False),
    ],
)
def test_only_names_of_the_loopback_are_such(host: str, is_loopback: bool) -> None:
    assert is_loopback_name(host) is is_loopback


@pytest.mark.parametrize(
    ("header", "right"),
    [
        ("Bearer sesame", True),
        ("bearer  sesame ", True),
        ("Bearer Sesame", False),
        ("Basic sesame", False),
        ("sesame", False),
        ("Bearer", False),
        ("Bearer ses\udcffame", False),
        ("", False),
        (None, False),
    ],
)
def test_a_token_is_right_or_wrong(header: str | None, right: bool) -> None:
    assert is_right_token(header, "sesame") is right


@pytest.mark.parametrize("host", ["127.0.0.1", EVERYWHERE])
async def test_where_a_token_is_configured_it_is_asked_for(operators: Operators, host: str) -> None:
    operator = await operators(host, TOKEN)

    for path in ("/metrics", "/api/lanes", "/api/dead-letters", "/nowhere"):
        assert await operator.get(path) == (401, {"error": "a token is needed"})
        assert (await operator.get(path, Authorization="Bearer wrong"))[0] == 401
    assert (await operator.get("/api/lanes", Authorization="Bearer sesame"))[0] == 200
    assert (await operator.post(REPLAY, {"all": True}))[0] == 401
    assert operator.operations.asked == []


async def test_a_kubelet_hears_whether_and_only_who_may_look_hears_what(
    operators: Operators,
) -> None:
    operator = await operators(EVERYWHERE, TOKEN)
    operator.operations.state = Health(False, ["lane web: stuck"], ["lane crm: paused"])

    assert await operator.get("/healthz") == (
        503,
        {"status": "failing", "problems": [], "notes": []},
    )
    assert (await operator.get("/readyz"))[0] == 200
    _, told = await operator.get("/healthz", Authorization="Bearer sesame")
    assert told["problems"] == ["lane web: stuck"]


async def test_off_loopback_nobody_may_look_without_a_token_even_if_none_is_configured(
    operators: Operators,
) -> None:
    operator = await operators(EVERYWHERE)

    assert (await operator.get("/api/lanes"))[0] == 401
    assert (await operator.get("/healthz"))[0] == 200


async def test_a_token_that_cannot_be_read_opens_nothing(
    operators: Operators, tmp_path: Path
) -> None:
    operator = await operators(token=Secret(f"file:{tmp_path / 'missing'}", {}))

    assert (await operator.get("/api/lanes", Authorization="Bearer "))[0] == 401


async def test_a_renewed_token_needs_no_restart(operators: Operators, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first")
    operator = await operators(token=Secret(f"file:{file}", {}))
    assert (await operator.get("/api/lanes", Authorization="Bearer first"))[0] == 200

    file.write_text("the second")

    assert (await operator.get("/api/lanes", Authorization="Bearer first"))[0] == 401
    assert (await operator.get("/api/lanes", Authorization="Bearer the second"))[0] == 200


async def test_an_address_that_is_taken_is_an_error(operators: Operators) -> None:
    listen = Listen.model_construct(
        public=Address("127.0.0.1", 0), operator=Address("127.0.0.1", 0), operator_token=None
    )
    async with OperatorListener(OwnOperations(), listen) as first:
        taken = listen.model_copy(update={"operator": first.address})
        with pytest.raises(OSError, match="in use"):
            await OperatorListener(OwnOperations(), taken).__aenter__()
