"""The way of one call through the stand-in: faults, the family's own answer, the log. Pure.

The families (`events`, and those to come) are lists of routes; nothing here knows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson

from relay.sandbox.access import fingerprint
from relay.sandbox.answers import Answer, Code, answer, envelope, no_advertiser, request_id
from relay.sandbox.faults import Decision
from relay.sandbox.marketing.faults import Junk, LostAdvertiser
from relay.sandbox.plan import CodeAnswer, Ending, Hang, HttpAnswer, Limit
from relay.sandbox.spoil import spoiled
from relay.sandbox.state import StoredRequest, Tally
from relay.sandbox.world import HTML, Call, Handled, Reading, Reply, Route, World

_GOOD: Final = frozenset({Code.OK, Code.PARTIAL_OK})
#: So much of a text that a sender chose is kept in the log: it is bounded in bytes, too.
_LOGGED_CHARS: Final = 200

_PAGE: Final = (
    "<html>\r\n<head><title>{status} {reason}</title></head>\r\n<body>\r\n"
    "<center><h1>{status} {reason}</h1></center>\r\n<hr><center>nginx</center>\r\n"
    "</body>\r\n</html>\r\n"
)
_REASONS: Final = {
    200: "OK",
    429: "Too Many Requests",
    502: "Bad Gateway",
    503: "Service Temporarily Unavailable",
    504: "Gateway Time-out",
}


def _not_found(_world: World, _reading: Reading, _now: float) -> Handled:
    return Handled(answer(Code.ROUTE_NOT_FOUND))


#: What answers where no family has a route.
NOT_FOUND: Final = Route("*", "/{tail:.*}", _not_found)


class _Exchange(NamedTuple):
    """How a call ended: `said` is None where it got no answer of TikTok's."""

    reply: Reply
    said: Answer | None
    fault: str | None = None
    tally: Tally = Tally()


def resets_early(world: World, method: str, path: str, *, now: float) -> bool:
    """Is the connection reset before the body is read? Then the call is logged, and over."""
    if not world.faults.before_body(path, now=now, roll=world.roll):
        return False
    call = Call(method, path, {}, None, "", "", b"")  # what it says is not known yet
    reading = Reading(call, _next_id(world, now), None, None, None, is_test=False, events=0)
    _log(world, reading, _Exchange(Reply(resets=True), None, "reset"), now)
    return True


def answer_call(world: World, route: Route, call: Call, *, now: float) -> Reply:
    """Answer one call: everything that happens to it, but for the waiting and the writing."""
    reading = _read(call, _next_id(world, now))
    decision = world.faults.decide(reading.seen, now=now, roll=world.roll)
    if decision.skew_s:
        reading = reading._replace(request_id=_next_id(world, now + decision.skew_s))
    exchange = _exchange(world, route, reading, decision, now)
    _log(world, reading, exchange, now)
    return exchange.reply._replace(
        delay_s=exchange.reply.delay_s + decision.delay_s,
        drip_s=decision.drip_s,
        at=now + decision.skew_s,
    )


def _exchange(
    world: World, route: Route, reading: Reading, decision: Decision, now: float
) -> _Exchange:
    if not decision.received:
        return _end(decision, reading, Tally())
    handled = route.handle(world, reading, now)
    # What is lost on the way back is good news only: a refused request stays refused.
    if decision.ending is not None and handled.answer.code in _GOOD:
        return _end(decision, reading, handled.tally)
    reply = _reply(world, reading, handled, now)
    return _Exchange(reply, handled.answer, tally=handled.tally)


def _reply(world: World, reading: Reading, handled: Handled, now: float) -> Reply:
    """What a family answered, as it travels; good answers may be spoiled on the way."""
    if handled.reply is not None:
        reply = handled.reply
    else:
        body = envelope(handled.answer, reading.request_id, handled.extra_info)
        reply = Reply(body=body, headers=handled.headers)
    if handled.answer.code not in _GOOD or not world.faults.spoils:
        return reply
    return spoiled(reply, reading.seen, world.faults, now=now, roll=world.roll)


def _end(decision: Decision, reading: Reading, tally: Tally) -> _Exchange:
    """How a fault ends a call."""
    kind = None if decision.ending is None else decision.ending.kind
    said = _said(decision, reading)
    if said is not None:
        return _Exchange(Reply(body=envelope(said, reading.request_id)), said, kind, tally)
    return _Exchange(_unanswered(decision.ending, reading.request_id), None, kind, tally)


def _said(decision: Decision, reading: Reading) -> Answer | None:
    ending = decision.ending
    if isinstance(ending, CodeAnswer):
        return answer(decision.code, ending.message)
    if isinstance(ending, LostAdvertiser):
        lost = set(ending.advertiser_ids or reading.advertiser_ids)
        return no_advertiser(next(each for each in reading.advertiser_ids if each in lost))
    if isinstance(ending, Limit) and ending.answer == "code":
        return answer(Code.REQUEST_TOO_FREQUENT)
    return None


def _unanswered(ending: Ending | None, request_id: str) -> Reply:
    if isinstance(ending, Limit):
        return _page(429, ending.retry_after_s)
    if isinstance(ending, Hang):
        return Reply(delay_s=ending.seconds, resets=True)
    if isinstance(ending, Junk):
        return Reply(body=_junk(ending, request_id))
    if not isinstance(ending, HttpAnswer):
        return Reply(resets=True)
    if ending.body == "html":
        return _page(ending.status, ending.retry_after_s)
    good = envelope(answer(Code.OK), request_id)
    body = good[: len(good) // 2] if ending.body == "truncated" else b""
    return Reply(ending.status, body, headers=_retry_after(ending.retry_after_s))


def _junk(fault: Junk, request_id: str) -> bytes:
    if not fault.data_only:
        return orjson.dumps(fault.body)
    good = {"code": 0, "message": "OK", "request_id": request_id}
    return orjson.dumps(good | {"data": fault.body})


def _page(status: int, retry_after_s: int | None) -> Reply:
    page = _PAGE.format(status=status, reason=_REASONS.get(status, "Error"))
    return Reply(status, page.encode(), HTML, _retry_after(retry_after_s))


def _retry_after(seconds: int | None) -> dict[str, str]:
    return {} if seconds is None else {"Retry-After": str(seconds)}


def _next_id(world: World, now: float) -> str:
    return request_id(now, world.received.request_count + 1)


def _read(call: Call, request_id: str) -> Reading:
    try:
        document: Any = orjson.loads(call.body)
    except orjson.JSONDecodeError:
        document = None
    said = document if isinstance(document, dict) else {}
    data = said.get("data")
    return Reading(
        call,
        request_id,
        document,
        event_source=_text(said.get("event_source")),
        event_source_id=_text(said.get("event_source_id")),
        is_test=bool(said.get("test_event_code")),
        events=len(data) if isinstance(data, list) else 0,
        advertiser_ids=_advertisers(said) or _advertisers(call.query),
    )


def _advertisers(said: Mapping[str, Any]) -> tuple[str, ...]:
    """The ad accounts that a body or a query speaks of."""
    if "advertiser_ids" not in said:
        one = said.get("advertiser_id")
        return (one,) if isinstance(one, str) else ()
    several = said["advertiser_ids"]
    if isinstance(several, str):
        try:
            several = orjson.loads(several)
        except orjson.JSONDecodeError:
            return ()
    return tuple(map(str, several)) if isinstance(several, list) else ()


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _log(world: World, reading: Reading, exchange: _Exchange, now: float) -> None:
    call, said, reply = reading.call, exchange.said, exchange.reply
    world.received.log(
        StoredRequest(
            number=world.received.request_count + 1,
            at=now,
            request_id=reading.request_id,
            method=call.method,
            path=call.path[:_LOGGED_CHARS],
            status=None if reply.resets else reply.status,
            code=None if said is None else said.code,
            message=None if said is None else said.message[:_LOGGED_CHARS],
            fault=exchange.fault,
            token=fingerprint(call.token) if call.token else None,
            event_source=reading.event_source and reading.event_source[:_LOGGED_CHARS],
            event_source_id=reading.event_source_id and reading.event_source_id[:_LOGGED_CHARS],
            is_test=reading.is_test,
            events=reading.events,
            size_bytes=len(call.body),
            tally=exchange.tally,
        )
    )
