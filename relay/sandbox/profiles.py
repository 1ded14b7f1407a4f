"""Plans of faults by name, and plans read from a file or a request. Pure.

Events for `poison` and `partial` are told by their `event_id`, so that who tests decides which.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any, Final

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from relay.errors import ConfigError, Mistake
from relay.sandbox.plan import AnyFault, FaultPlan

_MEND: Final = "See the fields of a fault in relay/sandbox/plan.py."

_PLANS: Final[Mapping[str, list[dict[str, Any]]]] = {
    "none": [],
    "fast": [{"kind": "latency", "median_s": 0.002}],
    # What public integrations report of the real thing.
    "real": [{"kind": "latency", "median_s": 0.180, "p99_s": 0.900}],
    # 10 % "not done", 10 % "perhaps done" and 5 % lost answers of all requests: each fault is
    # asked of what the ones before it left over.
    "brownout": [
        {"kind": "latency", "median_s": 0.180, "p99_s": 0.900},
        {"kind": "code", "codes": [50000], "probability": 0.1},
        {"kind": "code", "codes": [50002], "probability": 0.1 / 0.9, "received": True},
        {"kind": "reset", "probability": 0.05 / 0.8, "received": True},
    ],
    "limit": [{"kind": "limit", "per_second": 20}],
    "limit_http": [{"kind": "limit", "per_second": 20, "answer": "http", "retry_after_s": 2}],
    "outage": [{"kind": "http", "status": 502, "until_s": 60}],
    "outage_503": [{"kind": "http", "status": 503, "retry_after_s": 5, "until_s": 60}],
    "outage_reset": [{"kind": "reset", "before_body": True, "until_s": 60}],
    "hang": [{"kind": "hang"}],
    "timeout": [{"kind": "hang", "probability": 0.05, "received": True}],
    "poison": [{"kind": "poison", "rule": {"event_id": "*poison*"}, "names_index": True}],
    "poison_unnamed": [{"kind": "poison", "rule": {"event_id": "*poison*"}, "names_index": False}],
    "partial": [{"kind": "partial", "rule": {"event_id": "*partial*"}}],
    "duplicated": [
        {"kind": "duplicated"},
        {"kind": "reset", "probability": 0.2, "received": True},
    ],
    "html502": [{"kind": "http", "status": 502}],
    "unreadable": [{"kind": "http", "status": 200, "received": True}],
    "drip": [{"kind": "drip", "seconds_per_byte": 0.05}],
    "revoked": [{"kind": "code", "codes": [40105]}],
    "expired": [{"kind": "code", "codes": [40102]}],
    "forbidden": [{"kind": "code", "codes": [40001]}],
    "maintenance": [{"kind": "code", "codes": [60001], "until_s": 60}],
}

PROFILES: Final[Mapping[str, FaultPlan]] = {
    name: FaultPlan.model_validate({"faults": faults}) for name, faults in _PLANS.items()
}


class PlanDocument(BaseModel):
    """A plan as a file or a request holds it: profiles by name, then faults of one's own."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    profiles: tuple[str, ...] = ()
    faults: tuple[AnyFault, ...] = ()


def named(names: str) -> FaultPlan:
    """One profile, or several with commas between them, one after the other.

    Raises `ConfigError` for a name there is no profile of.
    """
    return _joined([name.strip() for name in names.split(",")], ())


def plan_from(document: object) -> FaultPlan:
    """A plan from `{"profiles": […], "faults": […]}`, as JSON or TOML was read.

    Raises `ConfigError` with every mistake.
    """
    try:
        read = PlanDocument.model_validate(document)
    except ValidationError as exc:
        errors = exc.errors(include_url=False, include_input=False, include_context=False)
        raise ConfigError(
            [Mistake(".".join(map(str, e["loc"])) or "faults", e["msg"], _MEND) for e in errors]
        ) from None
    return _joined(list(read.profiles), read.faults)


def plan_from_text(text: str, *, is_toml: bool) -> FaultPlan:
    """A plan from the text of a file. Raises `ConfigError` with every mistake."""
    try:
        document = tomllib.loads(text) if is_toml else orjson.loads(text)
    except ValueError as exc:  # both decoders raise a kind of it
        raise ConfigError([Mistake("faults", f"not readable ({exc})", _MEND)]) from None
    return plan_from(document)


def _joined(names: list[str], faults: tuple[AnyFault, ...]) -> FaultPlan:
    unknown = [name for name in names if name not in PROFILES]
    if unknown:
        mend = f"Profiles: {', '.join(PROFILES)}."
        raise ConfigError([Mistake("profiles", f"no profile {name!r}", mend) for name in unknown])
    return FaultPlan(
        faults=(*(fault for name in names for fault in PROFILES[name].faults), *faults)
    )
