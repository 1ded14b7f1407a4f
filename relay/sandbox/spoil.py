"""Good answers spoiled on the way: a page too short, a field of another type, half a file. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, Final

import orjson

from relay.sandbox.conditions import Roll, Seen
from relay.sandbox.faults import Faults
from relay.sandbox.marketing.faults import ChangedType, ShortPage, Spoiling, TruncatedFile
from relay.sandbox.world import HTML, JSON, Reply

_AS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "number": lambda value: int(value) if str(value).isdigit() else 0,
    "text": str,
    "null": lambda _: None,
    "list": lambda value: [value],
    "object": lambda value: {"value": value},
    "bool": bool,
}


def spoiled(reply: Reply, seen: Seen, faults: Faults, *, now: float, roll: Roll) -> Reply:
    """The reply, after the faults that have something to do there."""
    if reply.content_type == HTML:
        return reply
    if reply.content_type != JSON:
        return _file(reply, seen, faults, now=now, roll=roll)
    document = orjson.loads(reply.body)
    data = document.get("data")

    def fits(fault: Spoiling) -> bool:
        if isinstance(fault, ShortPage):
            return bool(_rows(data))
        return isinstance(fault, ChangedType) and bool(_places(data, fault.field))

    fired = faults.spoiling(seen, fits, now=now, roll=roll)
    for fault in fired:
        _spoil(data, fault)
    return reply._replace(body=orjson.dumps(document)) if fired else reply


def _spoil(data: Any, fault: Spoiling) -> None:
    if isinstance(fault, ShortPage):
        del _rows(data)[-fault.missing :]
    elif isinstance(fault, ChangedType):
        for holder, key in _places(data, fault.field):
            holder[key] = _AS[fault.to](holder[key])


def _file(reply: Reply, seen: Seen, faults: Faults, *, now: float, roll: Roll) -> Reply:
    fired = faults.spoiling(
        seen, lambda fault: isinstance(fault, TruncatedFile), now=now, roll=roll
    )
    shares = [fault.share for fault in fired if isinstance(fault, TruncatedFile)]
    if not shares:
        return reply
    whole = reply.body + b"".join(reply.chunks or ())
    return reply._replace(body=whole[: int(len(whole) * min(shares))], chunks=None)


def _rows(data: Any) -> list[Any]:
    """The rows of a page: the one list beside `page_info`."""
    if not isinstance(data, dict) or "page_info" not in data:
        return []
    return next((value for value in data.values() if isinstance(value, list)), [])


def _places(data: Any, path: str) -> list[tuple[Any, Any]]:
    """Where a field is: what holds it, and its key there."""
    *steps, last = path.split(".")
    holders = reduce(lambda found, step: [x for h in found for x in _below(h, step)], steps, [data])
    return [(h, key) for h in holders for key in _keys(h, last)]


def _below(holder: Any, step: str) -> list[Any]:
    return [holder[key] for key in _keys(holder, step)]


def _keys(holder: Any, step: str) -> list[Any]:
    if isinstance(holder, list):
        every = range(len(holder))
        return list(every) if step == "*" else [i for i in every if str(i) == step]
    return [step] if isinstance(holder, dict) and step in holder else []
