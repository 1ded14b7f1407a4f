"""From a conversion to the bytes TikTok gets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from hashlib import blake2b
from typing import Final

import orjson

from relay.errors import ConfigError, Mistake
from relay.model import Event, FieldIssue, MatchKey, Outcome, Reason, Refusal
from relay.normalize import phone
from relay.normalize.consent import ConsentAction, ConsentReader, limit
from relay.normalize.fields import Flaw, take
from relay.normalize.moment import place, seconds
from relay.normalize.names import reader
from relay.normalize.parts import Conversion, Issues, Parts, PartsReader
from relay.normalize.policy import Policy
from relay.normalize.requirements import REQUIREMENTS
from relay.normalize.text import event_identifier, identifier

#: More flaws than this say nothing new.
_MAX_ISSUES: Final = 50

_OUTCOME: Final = {
    Reason.TOO_OLD: Outcome.EXPIRED,
    Reason.CONSENT_DENIED: Outcome.WITHHELD,
    Reason.CONSENT_UNKNOWN: Outcome.WITHHELD,
    Reason.NO_MATCH_KEY: Outcome.WITHHELD,
}
# Numbers, not members: an enum's arithmetic costs as much as reading a field.
_bit_of: Final = defaultdict(
    int, {name.lower(): bit.value for name, bit in MatchKey.__members__.items()}
).__getitem__
_LEAD_BIT: Final = MatchKey.LEAD_ID.value
#: A browser alone is no one.
_SOMEONE: Final = ~MatchKey.USER_AGENT.value
_SEND: Final = ConsentAction.SEND


class Normalizer:
    """Turns conversions for one destination into events.

    It is total: whatever JSON comes in, an `Event` or a `Refusal` comes out. Normalizing an event's
    own `wire` again gives the same `wire`.

    Raises `ConfigError`, with every mistake, when the policy has any.
    """

    def __init__(self, policy: Policy) -> None:
        if mistakes := [
            Mistake(f"destinations.{policy.destination}.{found.key}", found.problem, found.mend)
            for found in policy.mistakes()
        ]:
            raise ConfigError(mistakes)
        phone.warm()
        self._read_name = reader(policy.event_source, policy.aliases)
        self._parts = PartsReader(policy)
        self._consent = ConsentReader(policy.actions())
        requirements = REQUIREMENTS[policy.event_source]
        self._needed = _split(requirements.needed)
        self._wanted = _split(requirements.wanted)
        self._max_age_s, self._max_future_s = policy.max_event_age_s, policy.max_future_s
        self._max_bytes = policy.max_event_bytes
        self._wants_someone = policy.without_match_key == "withhold"

    def __call__(self, conversion: object, *, now: float) -> Event | Refusal:
        """Normalize one conversion; `now` is Unix time in seconds."""
        if not isinstance(conversion, dict):
            return Refusal(Outcome.INVALID, Reason.NOT_AN_OBJECT, None, None, None, None, ())
        issues: Issues = []
        name = take(self._read_name, conversion.get("event"), "event", issues)
        moment = take(seconds, conversion.get("event_time"), "event_time", issues)
        if name is None or moment is None:
            head = {"event": name, "event_time": moment}
            missing = [key for key, value in head.items() if value is None]
            result: Event | Reason = _lacking(missing, issues)
        else:
            result = self._event(conversion, name, moment, now, issues)
        if isinstance(result, Event):
            return result
        return _refusal(result, conversion, name, moment, issues)

    def refused(self, conversion: object, reason: Reason, issue: FieldIssue) -> Refusal:
        """A refusal that somebody else decided on, with what the conversion can be found by."""
        known: Conversion = conversion if isinstance(conversion, dict) else {}
        name = take(self._read_name, known.get("event"), "event", [])
        moment = take(seconds, known.get("event_time"), "event_time", [])
        return _refusal(reason, known, name, moment, [issue])

    def _event(
        self, conversion: Conversion, name: str, moment: int, now: float, issues: Issues
    ) -> Event | Reason:
        action = self._consent.decide(conversion.get("consent"), issues)
        if isinstance(action, Reason):
            return action
        at = place(moment, now, self._max_age_s, self._max_future_s)
        if isinstance(at, Reason):
            return at
        parts = self._parts.read(conversion, issues)
        if action is not _SEND:
            limit(parts, action)
        code = conversion.get("test_event_code")
        if code is not None:
            code = take(identifier, code, "test_event_code", issues)
        reason = self._reason_against(parts, issues)
        if reason is not None:
            return reason
        event_id = take(event_identifier, conversion.get("event_id"), "event_id", issues)
        if event_id is None:
            order_id = parts.get("properties", _NOTHING).get("order_id")
            event_id = order_id or _derived_id(name, moment, parts)
            flaw = Flaw.DERIVED if order_id is None else Flaw.FROM_ORDER_ID
            issues.append(FieldIssue("event_id", flaw.value))
        if at != moment:
            issues.append(FieldIssue("event_time", Flaw.CLAMPED.value))
        item = {"event": name, "event_time": at, "event_id": event_id, **parts}
        event = _assembled(item, code, issues)
        return event if len(event.wire) <= self._max_bytes else Reason.TOO_LARGE

    def _reason_against(self, parts: Parts, issues: Issues) -> Reason | None:
        for path, part, key in self._wanted:
            if key not in parts.get(part, _NOTHING):
                _lacking((path,), issues)
        if self._needed and not _has_one_of(self._needed, parts):
            return _lacking([path for path, _, _ in self._needed], issues)
        if self._wants_someone and not _match_keys(parts) & _SOMEONE:
            return Reason.NO_MATCH_KEY
        if issues and not _BROKEN_CODE.isdisjoint(issues):
            return Reason.BAD_FIELD
        return None


_NOTHING: Final[Parts] = {}

#: A test event whose code cannot be read must not go out as a real one. "undefined" is no code.
_BROKEN_CODE: Final = frozenset(
    FieldIssue("test_event_code", flaw.value) for flaw in Flaw if flaw is not Flaw.PLACEHOLDER
)


def _split(paths: Iterable[str]) -> tuple[tuple[str, str, str], ...]:
    """Each path with its part and its key."""
    return tuple((path, *path.partition(".")[::2]) for path in paths)


def _has_one_of(needed: Iterable[tuple[str, str, str]], parts: Parts) -> bool:
    return any(key in parts.get(part, ()) for _, part, key in needed)


def _lacking(paths: Iterable[str], issues: Issues) -> Reason:
    """Say which fields are missing; the reason tells "not there" from "there, but bad"."""
    reason = Reason.MISSING_FIELD
    for path in paths:
        within = (f"{path}.", f"{path}[")
        if any(issue.field == path or issue.field.startswith(within) for issue in issues):
            reason = Reason.BAD_FIELD
        else:
            issues.append(FieldIssue(path, Flaw.MISSING.value))
    return reason


def _match_keys(parts: Parts) -> int:
    bits = sum(map(_bit_of, parts.get("user", ())))
    return bits | _LEAD_BIT if "lead" in parts else bits


def _derived_id(name: str, moment: int, parts: Parts) -> str:
    """An id for an event that brought none: a function of what was sent, not of when."""
    content = orjson.dumps([name, moment, parts], option=orjson.OPT_SORT_KEYS)
    return blake2b(content, digest_size=16).hexdigest()


def _assembled(item: Parts, test_event_code: str | None, issues: Issues) -> Event:
    """The event of TikTok's item, with what the ledger and `find` need of it."""
    name, event_id = item["event"], item["event_id"]
    user, properties = item.get("user", _NOTHING), item.get("properties", _NOTHING)
    order_id, value = properties.get("order_id"), properties.get("value")
    # No event name holds a NUL, so no two pairs read alike.
    claim = blake2b(f"{name}\0{event_id}".encode(), digest_size=16).digest()
    # In the order of the fields: naming twelve of them costs as much as hashing.
    return Event(
        name,
        event_id,
        item["event_time"],
        orjson.dumps(item),
        claim,
        order_id,
        test_event_code,
        None if value is None else Decimal(str(value)),
        properties.get("currency"),
        _match_keys(item),
        _distinct(issues) if issues else (),
        _tokens(event_id, order_id, user),
    )


def _tokens(event_id: str, order_id: str | None, user: Parts) -> tuple[bytes, ...]:
    tokens = [event_id.encode()]
    if order_id is not None and order_id != event_id:
        tokens.append(order_id.encode())
    for key in ("email", "phone", "external_id"):
        found = user.get(key)
        if isinstance(found, str):
            tokens.append(found.encode())
        elif found is not None:
            tokens += [each.encode() for each in found]
    return tuple(tokens)


def _distinct(issues: Issues) -> tuple[FieldIssue, ...]:
    return tuple(dict.fromkeys(issues))[:_MAX_ISSUES]


def _refusal(
    reason: Reason, conversion: Conversion, name: str | None, moment: int | None, issues: Issues
) -> Refusal:
    properties = conversion.get("properties")
    order_id = properties.get("order_id") if isinstance(properties, dict) else None
    order_id = conversion.get("order_id") if order_id is None else order_id
    return Refusal(
        _OUTCOME.get(reason, Outcome.INVALID),
        reason,
        name,
        take(event_identifier, conversion.get("event_id"), "event_id", []),
        take(identifier, order_id, "order_id", []),
        moment,
        _distinct(issues),
    )
