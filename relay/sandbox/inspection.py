"""What who tests may ask the stand-in, and tell it: `/sandbox/…`. Pure.

Faults do not touch these routes, and they are not in the log of requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Annotated, Any, Final, NamedTuple

import orjson
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError

from relay.errors import ConfigError
from relay.sandbox.access import KnownToken
from relay.sandbox.plan import FaultPlan
from relay.sandbox.profiles import PROFILES, named, plan_from
from relay.sandbox.settings import AccessPlan
from relay.sandbox.state import Effect, StoredEvent, StoredRequest
from relay.sandbox.world import Call, World


class Page(NamedTuple):
    """A JSON answer of the inspection."""

    status: int
    document: Mapping[str, Any]


class Question(NamedTuple):
    """One route of the inspection; `purpose` is what the index says of it."""

    method: str
    path: str
    purpose: str
    ask: Callable[[World, Call, float], Page]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class _Slice(_Form):
    """Oldest first; `after` is the number of the last one seen."""

    after: NonNegativeInt = 0
    limit: Annotated[int, Field(ge=1, le=10_000)] = 100
    event_source_id: str | None = None


class _EventsQuery(_Slice):
    event: str | None = None
    event_id: str | None = None
    effect: Effect | None = None
    request_id: str | None = None

    def wants(self, event: StoredEvent) -> bool:
        return (
            event.number > self.after
            and (self.effect is None or event.effect is self.effect)
            and self.event in {None, event.event}
            and self.event_id in {None, event.event_id}
            and self.request_id in {None, event.request_id}
            and self.event_source_id in {None, event.event_source_id}
        )


class _RequestsQuery(_Slice):
    code: int | None = None
    status: int | None = None
    request_id: str | None = None

    def wants(self, request: StoredRequest) -> bool:
        return (
            request.number > self.after
            and self.code in {None, request.code}
            and self.status in {None, request.status}
            and self.request_id in {None, request.request_id}
            and self.event_source_id in {None, request.event_source_id}
        )


class _MissingForm(_Form):
    event_source_id: str
    event: str
    event_ids: list[str]


class _ResetForm(_Form):
    everything: bool = False


class _ClockForm(_Form):
    advance: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _ProfileForm(_Form):
    profile: str


def ask(question: Question, world: World, call: Call, *, now: float) -> Page:
    """Answer one question; 422 with every mistake where the query or the body is wrong."""
    try:
        return question.ask(world, call, now)
    except ValidationError as exc:
        errors = exc.errors(include_url=False, include_input=False, include_context=False)
        return _refused([(".".join(map(str, error["loc"])), error["msg"]) for error in errors])
    except ConfigError as exc:
        return _refused([(mistake.key, mistake.problem) for mistake in exc.mistakes])
    except orjson.JSONDecodeError:
        return _refused([("", "the body is not JSON")])


def _refused(problems: list[tuple[str, str]]) -> Page:
    return Page(422, {"errors": [{"field": field, "problem": text} for field, text in problems]})


def _index(_world: World, _call: Call, _now: float) -> Page:
    return Page(200, {f"{q.method} {q.path}": q.purpose for q in QUESTIONS})


def _summary(world: World, _call: Call, now: float) -> Page:
    received = world.received
    totals = received.totals
    return Page(
        200,
        {
            "requests": received.request_count,
            "bytes": received.size_bytes,
            "events": received.event_count,
            "accepted": totals.events,
            "effects": totals.effects,
            "repeats": totals.repeats,
            "merged": totals.merged,
            "dropped": totals.dropped,
            "tests": totals.tests,
            "by_code": dict(received.codes),
            "by_status": dict(received.statuses),
            "most_open_calls": received.most_open_calls,
            "by_fault": dict(world.faults.fired),
            "effects_by_source": _nested(received.effects.items()),
            "light": received.light,
            "marketing": _marketing(world, now),
            "now": now,
            "advanced": world.advanced_s,
        },
    )


def _marketing(world: World, now: float) -> dict[str, Any]:
    """Calls of the Marketing API with a token that is good, and how many came too early."""
    limits = world.desk.limits
    return {
        "calls": limits.calls.total(),
        "throttled": limits.throttled.total(),
        "by_path": dict(limits.calls),
        "throttled_by_path": dict(limits.throttled),
        "most_per_second": limits.most_per_second,
        "most_per_minute": limits.most_per_minute,
        "tasks": dict(world.desk.tasks.by_status(now)),
    }


def _nested(effects: Iterable[tuple[tuple[str, str], int]]) -> dict[str, dict[str, int]]:
    by_source: dict[str, dict[str, int]] = {}
    for (event_source_id, event), number in effects:
        by_source.setdefault(event_source_id, {})[event] = number
    return by_source


def _events(world: World, call: Call, _now: float) -> Page:
    query = _EventsQuery.model_validate(dict(call.query))
    wanted = (event for event in world.received.events if query.wants(event))
    return Page(200, {"events": [_shown_event(event) for event in islice(wanted, query.limit)]})


def _shown_event(event: StoredEvent) -> dict[str, Any]:
    return {**event._asdict(), "body": orjson.loads(event.body)}


def _requests(world: World, call: Call, _now: float) -> Page:
    query = _RequestsQuery.model_validate(dict(call.query))
    wanted = (request for request in world.received.requests if query.wants(request))
    shown = ({**r._asdict(), "tally": r.tally._asdict()} for r in islice(wanted, query.limit))
    return Page(200, {"requests": list(shown)})


def _missing(world: World, call: Call, now: float) -> Page:
    form = _MissingForm.model_validate(orjson.loads(call.body))
    ids = world.received.missing(form.event_source_id, form.event, form.event_ids, now=now)
    return Page(200, {"missing": list(ids)})


def _reset(world: World, call: Call, now: float) -> Page:
    form = _ResetForm.model_validate(orjson.loads(call.body or b"{}"))
    if form.everything:
        world.start_over(now=now - world.advanced_s)
    else:
        world.forget(now=now)
    return Page(200, {})


def _clock(world: World, call: Call, now: float) -> Page:
    form = _ClockForm.model_validate(orjson.loads(call.body))
    world.advanced_s += form.advance
    return Page(200, {"now": now + form.advance, "advanced": world.advanced_s})


def _faults(world: World, _call: Call, _now: float) -> Page:
    return Page(200, _plan(world.faults.plan) | {"profiles": list(PROFILES)})


def _put_faults(world: World, call: Call, now: float) -> Page:
    document = orjson.loads(call.body)
    if isinstance(document, dict) and "profile" in document:
        plan = named(_ProfileForm.model_validate(document).profile)
    else:
        plan = plan_from({"faults": document} if isinstance(document, list) else document)
    world.put_faults(plan, now=now)
    return Page(200, _plan(plan))


def _plan(plan: FaultPlan) -> dict[str, Any]:
    return {
        "faults": [
            fault.model_dump(mode="json", exclude_defaults=True) | {"kind": fault.kind}
            for fault in plan.faults
        ]
    }


def _tokens(world: World, _call: Call, _now: float) -> Page:
    known = [_shown_token(token) for token in world.access.tokens()]
    return Page(200, {"tokens": known, "others": world.access.others})


def _shown_token(token: KnownToken) -> dict[str, Any]:
    """What the Marketing API asks is shown where it was said."""
    always = {"fingerprint", "state", "event_source_ids"}
    said = token._asdict().items()
    return {name: value for name, value in said if name in always or value is not None}


def _put_tokens(world: World, call: Call, now: float) -> Page:
    world.access.change(AccessPlan.model_validate(orjson.loads(call.body)))
    return _tokens(world, call, now)


QUESTIONS: Final = (
    Question("GET", "/sandbox", "this list", _index),
    Question("GET", "/sandbox/summary", "how much was received, and what became of it", _summary),
    Question(
        "GET",
        "/sandbox/events",
        "events as they arrived; ?event= event_id= event_source_id= effect= request_id= after=",
        _events,
    ),
    Question(
        "GET",
        "/sandbox/requests",
        "requests as they were answered; ?code= status= event_source_id= request_id= after=",
        _requests,
    ),
    Question(
        "POST",
        "/sandbox/missing",
        'which of {"event_source_id", "event", "event_ids"} had no effect; works in light mode too',
        _missing,
    ),
    Question("POST", "/sandbox/reset", 'forget what was received; {"everything": true}', _reset),
    Question("POST", "/sandbox/clock", 'put the clock forward: {"advance": seconds}', _clock),
    Question("GET", "/sandbox/faults", "the plan in force", _faults),
    Question(
        "PUT",
        "/sandbox/faults",
        'another plan: {"profile": "real,limit"}, [fault, …] or {"profiles", "faults"}',
        _put_faults,
    ),
    Question("GET", "/sandbox/tokens", "what tokens may do; fingerprints only", _tokens),
    Question(
        "PUT",
        "/sandbox/tokens",
        '{"tokens": [{"token", "state": allowed|revoked|expired, "event_source_ids", '
        '"advertiser_ids", "scopes", "app_id"}], "others"}',
        _put_tokens,
    ),
)
