"""What `primary_status` and `secondary_status` mean for an object. Pure.

Which of them TikTok counts as what is read from the names of its enumerations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

from relay.sandbox.ads.model import Ad, AdGroup, Campaign

Primary = Literal[
    "STATUS_ALL",
    "STATUS_NOT_DELETE",
    "STATUS_DELETE",
    "STATUS_DELIVERY_OK",
    "STATUS_DISABLE",
    "STATUS_NOT_DELIVERY",
    "STATUS_TIME_DONE",
    "STATUS_RF_CLOSED",
    "STATUS_FROZEN",
]

Thing = Campaign | AdGroup | Ad


def is_deleted(thing: Thing) -> bool:
    """It, or what it belongs to, was deleted."""
    return thing.operation_status == "DELETE" or thing.secondary_status.endswith("_DELETE")


def _delivers(thing: Thing) -> bool:
    return not is_deleted(thing) and thing.secondary_status.endswith(
        ("_DELIVERY_OK", "_AUDIT_DELIVERY_OK", "CAMPAIGN_STATUS_ENABLE")
    )


def _is_disabled(thing: Thing) -> bool:
    return not is_deleted(thing) and (
        thing.operation_status == "DISABLE" or thing.secondary_status.endswith("_DISABLE")
    )


def _ends(end: str) -> Callable[[Thing], bool]:
    return lambda thing: thing.secondary_status.endswith(end)


def _is_idle(thing: Thing) -> bool:
    return not (
        is_deleted(thing)
        or _delivers(thing)
        or _is_disabled(thing)
        or thing.secondary_status.endswith(("_TIME_DONE", "_FROZEN"))
    )


_MEANING: Final[dict[str, Callable[[Thing], bool]]] = {
    "STATUS_ALL": lambda _thing: True,
    "STATUS_NOT_DELETE": lambda thing: not is_deleted(thing),
    "STATUS_DELETE": is_deleted,
    "STATUS_DELIVERY_OK": _delivers,
    "STATUS_DISABLE": _is_disabled,
    "STATUS_NOT_DELIVERY": _is_idle,
    "STATUS_TIME_DONE": _ends("_TIME_DONE"),
    "STATUS_RF_CLOSED": _ends("_RF_CLOSED"),
    "STATUS_FROZEN": _ends("_FROZEN"),
}


def has_primary(status: str) -> Callable[[Any], bool]:
    """Of fifty thousand ads few differ in their status: each pair of them is judged once."""
    means, known = _MEANING[status], dict[tuple[str, str], bool]()

    def wanted(thing: Any) -> bool:
        pair = (thing.operation_status, thing.secondary_status)
        found = known.get(pair)
        if found is None:
            found = known[pair] = means(thing)
        return found

    return wanted


def has_secondary(status: str) -> Callable[[Any], bool]:
    """`…_STATUS_ALL` has the deleted ones among them."""
    if status.endswith("_STATUS_ALL"):
        return lambda _thing: True
    return lambda thing: bool(thing.secondary_status == status)
