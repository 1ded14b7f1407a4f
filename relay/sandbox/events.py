"""The Events API: `POST /open_api/v1.3/event/track/`. Pure.

The order of the checks is ours (TikTok's is not documented): token, form of the request, right to
the event source, account, size, then the events; what `poison` refuses comes last, because it
stands for what only TikTok knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from relay.sandbox.answers import OK, Answer, Code, answer
from relay.sandbox.refusals import (
    Problem,
    account_refusal,
    content_refusal,
    refusal,
    shape_refusal,
    size_refusal,
)
from relay.sandbox.state import Batch, Tally
from relay.sandbox.world import JSON, Call, Handled, Reading, Route, World

PATH: Final = "/open_api/v1.3/event/track/"


def track(world: World, reading: Reading, now: float) -> Handled:
    """Take a request of events whole, but for those that fail alone, or refuse it whole."""
    refused = _refusal(world, reading)
    if refused is not None:
        return Handled(refused)
    batch = Batch(
        reading.request_id,
        reading.event_source or "",
        reading.event_source_id or "",
        reading.is_test,
        reading.document["data"],
    )
    refused = _fault_of_events(world, reading, batch, now)
    if refused is not None:
        return Handled(refused)
    failed = world.faults.failed(reading.seen, batch.events, now=now, roll=world.roll)
    if not failed:
        return Handled(OK, _take(world, batch, now))
    others = [event for index, event in enumerate(batch.events) if index not in set(failed)]
    listed = {"failed_events": [{"order_in_batch": index} for index in failed]}
    partial = answer(Code.PARTIAL_OK)._replace(data=listed)
    return Handled(partial, _take(world, batch._replace(events=others), now))


def _take(world: World, batch: Batch, now: float) -> Tally:
    """What was accepted happens in the ad account, too; tests never do."""
    if not batch.is_test:
        world.ads.receive(batch.event_source, batch.event_source_id, batch.events, now)
    return world.received.record(batch, now=now)


_NO_VALUE: Final = object()
_ABSENT: Final = type(_NO_VALUE)

ROUTES: Final = (Route("POST", PATH, track),)


def _refusal(world: World, reading: Reading) -> Answer | None:
    settings, call, document = world.settings, reading.call, reading.document
    refused = (
        world.access.refusal_of(call.token) or _transport_refusal(call) or shape_refusal(document)
    )
    if refused is not None:
        return refused
    if not world.access.may_operate(call.token or "", reading.event_source_id or ""):
        return answer(
            Code.PERMISSION_ERROR,
            f"No permission to operate {_asset(reading)}. "
            "You must be an admin or operator of this advertiser account.",
        )
    events = document["data"]
    refused = account_refusal(document, settings.rules) or size_refusal(events, settings)
    if refused is not None:
        return refused
    return _light_refusal(events) if settings.light else content_refusal(document, settings)


def _transport_refusal(call: Call) -> Answer | None:
    """TikTok's docs require `Content-Type: application/json`, and no source ever compressed."""
    if call.content_type != JSON:
        return answer(Code.PARAM_ERROR, f"Content-Type must be {JSON}.")
    if call.content_encoding not in {"", "identity"}:
        return answer(Code.PARAM_ERROR, "Content-Encoding is not supported.")
    return None


def _asset(reading: Reading) -> str:
    # The text for a pixel was seen; those for the other sources are modelled on it.
    kind = "pixel code" if reading.event_source == "web" else "event source"
    return f"{kind}: {reading.event_source_id}"


def _light_refusal(events: Sequence[Mapping[str, Any]]) -> Answer | None:
    """Events are counted by name and id, so those must be texts; nothing else is looked at."""
    for field, types in (("event", {str}), ("event_id", {str, _ABSENT})):
        if not {type(event.get(field, _NO_VALUE)) for event in events} <= types:
            return refusal(Problem(None, (field,), "Not a valid string"), names_index=False)
    return None


def _fault_of_events(world: World, reading: Reading, batch: Batch, now: float) -> Answer | None:
    """The refusal that the plan has for these events, or None."""
    poisoned = world.faults.poisoned(reading.seen, batch.events, now=now, roll=world.roll)
    if poisoned is not None:
        fault, index = poisoned
        path = tuple((fault.rule.field or "event_id").split("."))
        named = world.settings.names_index if fault.names_index is None else fault.names_index
        return refusal(Problem(index, path, fault.message, fault.code), names_index=named)
    if world.faults.answers_repeats(
        reading.seen, now=now, roll=world.roll
    ) and world.received.brings_nothing_new(batch, now=now):
        return answer(Code.DUPLICATED_REQUEST)
    return None
