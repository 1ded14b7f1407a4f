"""What may be asked of the stand-in, and told to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson
import pytest

from relay.sandbox import inspection
from relay.sandbox.inspection import QUESTIONS, Page
from relay.sandbox.world import Call, World

NOON = 1_780_000_000.0

Make = Callable[..., dict[str, Any]]
Worlds = Callable[..., World]
Track = Callable[..., Mapping[str, Any]]


def _ask(
    world: World,
    route: str,
    body: object = None,
    *,
    at: float = 0.0,
    query: Mapping[str, str] | None = None,
) -> Page:
    method, _, path = route.partition(" ")
    (question,) = (q for q in QUESTIONS if (q.method, q.path) == (method, f"/sandbox{path}"))
    raw = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
    call = Call(method, question.path, query or {}, None, "application/json", "", raw)
    page = inspection.ask(question, world, call, now=world.time(NOON + at))
    orjson.dumps(page.document)
    return page


def _get(world: World, path: str, **query: str) -> Mapping[str, Any]:
    page = _ask(world, f"GET {path}", query=query)
    assert page.status == 200
    return page.document


@pytest.fixture
def busy(a_world: Worlds, a_request: Make, track: Track) -> World:
    """A world that has seen two good requests, a repeat, a refusal and a test."""
    world = a_world()
    track(world, a_request("a", "b"))
    track(world, a_request("c", event="Lead"))
    track(world, a_request("a"), at=600.0)
    track(world, a_request("d", event_time="x"))
    track(world, a_request("e") | {"test_event_code": "T"})
    return world


def test_the_summary_adds_up(busy: World) -> None:
    summary = _get(busy, "/summary")

    assert summary["requests"] == 5
    assert summary["events"] == 6
    assert summary["accepted"] == 5
    assert summary["effects"] == 3
    assert summary["repeats"] == summary["dropped"] == 1
    assert summary["merged"] == 0
    assert summary["tests"] == 1
    assert summary["by_code"] == {"0": 4, "40002": 1}
    assert summary["by_status"] == {"200": 5}
    assert summary["effects_by_source"] == {"C0PIXEL": {"Purchase": 2, "Lead": 1}}


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({}, ["a", "b", "c", "a", "e"]),
        ({"limit": "2"}, ["a", "b"]),
        ({"after": "2", "limit": "2"}, ["c", "a"]),
        ({"event": "Lead"}, ["c"]),
        ({"event_id": "a"}, ["a", "a"]),
        ({"effect": "effect"}, ["a", "b", "c"]),
        ({"effect": "dropped", "event_id": "a"}, ["a"]),
        ({"effect": "test"}, ["e"]),
        ({"event_source_id": "C0ELSE"}, []),
    ],
)
def test_events_can_be_found(busy: World, query: dict[str, str], ids: list[str]) -> None:
    events = _get(busy, "/events", **query)["events"]

    assert [event["event_id"] for event in events] == ids


def test_an_event_is_shown_as_it_arrived(busy: World, a_request: Make) -> None:
    (event,) = _get(busy, "/events", event="Lead")["events"]

    assert event["body"] == a_request("c", event="Lead")["data"][0]
    assert event["number"] == 3
    assert event["at"] == NOON
    (request,) = _get(busy, "/requests", request_id=event["request_id"])["requests"]
    assert (request["events"], request["code"]) == (1, 0)


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"code": "40002"}, [4]),
        ({"status": "200", "after": "3"}, [4, 5]),
        ({"event_source_id": "C0PIXEL", "limit": "1"}, [1]),
    ],
)
def test_requests_can_be_found(busy: World, query: dict[str, str], numbers: list[int]) -> None:
    requests = _get(busy, "/requests", **query)["requests"]

    assert [request["number"] for request in requests] == numbers


def test_a_request_is_shown_with_its_answer_and_never_its_token(busy: World) -> None:
    refused = _get(busy, "/requests", code="40002")["requests"][0]

    assert refused["message"] == "Batch.0.event_time: Not a valid integer"
    assert refused["tally"] == {"effects": 0, "merged": 0, "dropped": 0, "tests": 0}
    assert refused["status"] == 200
    assert refused["size_bytes"] > 100
    assert len(refused["token"]) == 8
    for path in ("/requests", "/events", "/summary", "/tokens", "/faults"):
        assert "TOKEN" not in str(_get(busy, path))


@pytest.mark.parametrize(
    ("route", "query"),
    [
        ("GET /events", {"limit": "0"}),
        ("GET /events", {"limit": "x"}),
        ("GET /events", {"typo": "1"}),
        ("GET /events", {"effect": "nonsense"}),
        ("GET /requests", {"code": "x"}),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(
    busy: World, route: str, query: dict[str, str]
) -> None:
    page = _ask(busy, route, query=query)

    assert page.status == 422
    assert page.document["errors"][0]["field"] == next(iter(query))


@pytest.mark.parametrize("light", [False, True])
def test_missing_ids_can_be_asked_for(
    light: bool, a_world: Worlds, a_request: Make, track: Track
) -> None:
    world = a_world(light=light)
    track(world, a_request("a", "b"))
    form = {"event_source_id": "C0PIXEL", "event": "Purchase", "event_ids": ["a", "b", "c"]}

    assert _ask(world, "POST /missing", form).document == {"missing": ["c"]}
    assert _ask(world, "POST /missing", form | {"event": "Lead"}).document["missing"] == [
        "a",
        "b",
        "c",
    ]


def test_the_clock_can_be_put_forward(a_world: Worlds, a_request: Make, track: Track) -> None:
    world = a_world()
    track(world, a_request("a"))

    page = _ask(world, "POST /clock", {"advance": 48 * 3600})
    assert page.document == {"now": NOON + 48 * 3600, "advanced": 48 * 3600.0}
    track(world, a_request("a"), at=world.advanced_s)

    assert world.received.totals.effects == 2
    assert _get(world, "/summary")["advanced"] == 48 * 3600.0


def test_the_clock_ends_an_outage(a_world: Worlds, a_request: Make, track: Track) -> None:
    world = a_world(faults={"faults": [{"kind": "code", "codes": [60001], "until_s": 60}]})
    assert track(world, a_request("a"))["code"] == 60001

    _ask(world, "POST /clock", {"advance": 60})

    assert track(world, a_request("a"), at=world.advanced_s)["code"] == 0


def test_reset_forgets_what_came_and_begins_the_faults_again(
    a_world: Worlds, a_request: Make, track: Track
) -> None:
    world = a_world(faults={"faults": [{"kind": "code", "codes": [50000], "count": 1}]})
    _ask(world, "PUT /tokens", {"tokens": [{"token": "BAD", "state": "revoked"}]})
    _ask(world, "POST /clock", {"advance": 5})
    assert [track(world, a_request("a"))["code"] for _ in range(2)] == [50000, 0]

    assert _ask(world, "POST /reset").status == 200

    assert _get(world, "/summary")["requests"] == 0
    assert [track(world, a_request("a"), at=5.0)["code"] for _ in range(2)] == [50000, 0]
    assert world.received.totals.effects == 1
    assert track(world, a_request("a"), token="BAD", at=5.0)["code"] == 40105
    assert world.advanced_s == 5


def test_reset_of_everything_also_restores_faults_tokens_and_clock(
    a_world: Worlds, a_request: Make, track: Track
) -> None:
    world = a_world()
    _ask(world, "PUT /tokens", {"others": "revoked"})
    _ask(world, "PUT /faults", {"profile": "maintenance"})
    _ask(world, "POST /clock", {"advance": 5})

    _ask(world, "POST /reset", {"everything": True})

    assert track(world, a_request("a"))["code"] == 0
    assert world.advanced_s == 0


@pytest.mark.parametrize(
    ("body", "kinds"),
    [
        ({"profile": "real,limit"}, ["latency", "limit"]),
        ([{"kind": "hang"}], ["hang"]),
        ({"faults": [{"kind": "drip"}]}, ["drip"]),
        ({"profiles": ["limit"], "faults": [{"kind": "drip"}]}, ["limit", "drip"]),
        ({"profile": "none"}, []),
        ([], []),
    ],
)
def test_faults_can_be_changed_at_run_time(body: object, kinds: list[str], a_world: Worlds) -> None:
    world = a_world(faults={"faults": [{"kind": "hang"}]})

    assert _ask(world, "PUT /faults", body).status == 200

    shown = _get(world, "/faults")["faults"]
    assert [fault["kind"] for fault in shown] == kinds
    assert _ask(world, "PUT /faults", shown).document["faults"] == shown


def test_windows_of_new_faults_begin_when_they_are_put(
    a_world: Worlds, a_request: Make, track: Track
) -> None:
    world = a_world()

    _ask(world, "PUT /faults", [{"kind": "code", "codes": [60001], "until_s": 60}], at=100)

    assert track(world, a_request("a"), at=159.0)["code"] == 60001
    assert track(world, a_request("a"), at=160.0)["code"] == 0


@pytest.mark.parametrize(
    "body", [b"{", b"", {"profile": "x"}, {"profile": 5}, [{"kind": "x"}], {"typo": 1}, 5]
)
def test_faults_that_make_no_sense_change_nothing(body: object, a_world: Worlds) -> None:
    world = a_world(faults={"faults": [{"kind": "hang"}]})

    assert _ask(world, "PUT /faults", body).status == 422
    assert [fault.kind for fault in world.faults.plan.faults] == ["hang"]


def test_tokens_can_be_revoked_and_allowed_at_run_time(
    a_world: Worlds, a_request: Make, track: Track
) -> None:
    world = a_world()

    def put(**rule: object) -> None:
        page = _ask(world, "PUT /tokens", {"tokens": [{"token": "TOKEN", **rule}]})
        assert page.status == 200

    put(state="revoked")
    assert track(world, a_request("a"))["code"] == 40105
    put(state="expired")
    assert track(world, a_request("a"))["code"] == 40102
    put(event_source_ids=["C0ELSE"])
    assert track(world, a_request("a"))["code"] == 40001
    put()
    assert track(world, a_request("a"))["code"] == 0
    _ask(world, "PUT /tokens", {"others": "revoked"})
    assert track(world, a_request("a"), token="OTHER")["code"] == 40105
    assert track(world, a_request("a"))["code"] == 0


def test_tokens_are_shown_by_fingerprint(a_world: Worlds) -> None:
    world = a_world()
    rule = {"token": "SECRET", "state": "revoked", "event_source_ids": ["B", "A"]}

    _ask(world, "PUT /tokens", {"tokens": [rule]})

    shown = _get(world, "/tokens")
    assert shown["others"] == "allowed"
    assert shown["tokens"] == [
        {"fingerprint": "0917b13a", "state": "revoked", "event_source_ids": ["A", "B"]}
    ]


def test_a_refused_rule_does_not_show_its_token(a_world: Worlds) -> None:
    rule = {"token": "SECRET", "state": "nonsense"}
    page = _ask(a_world(), "PUT /tokens", {"tokens": [rule]})

    assert page.status == 422
    assert "SECRET" not in str(page.document)


def test_the_index_lists_every_question(a_world: Worlds) -> None:
    assert len(_get(a_world(), "")) == len(QUESTIONS)
