"""A mapping from any JSON to a conversion: an object whose leaves are JMESPath.

    {"event": "'Purchase'", "event_id": "order.id", "event_time": "unix_time(order.placed_at)",
     "user": {"email": "order.email", "phone": "phone(order.tel, order.country)"},
     "properties": {"value": "to_string(order.total)", "currency": "order.currency",
       "contents": {"for_each": "order.lines", "content_id": "to_string(sku)", "quantity": "qty"}},
     "when": "order.status == 'paid'"}

The structure is ours, the expressions only find values: a leaf that finds nothing leaves its key
out. A leaf that is a number, true or false is that constant, a list makes a list. Two keys are
special in any object: `for_each` makes a list, its leaves beginning at each element; `when` leaves
the object (or the element) out. `for_each` at the top makes one conversion of each element.

A leaf that cannot be computed (`lower(5)`, text that is no time) makes its conversion a `Refusal`
that names the leaf; the others of the message pass. A conversion without `event` is passed on:
normalizing calls it invalid by its own words, and it can be found.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from relay.errors import ConfigError, Mistake, PayloadRefused
from relay.model import FieldIssue, Outcome, Reason, Refusal
from relay.sources.expression import (
    NOT_COMPUTABLE,
    Ast,
    ExpressionError,
    Scope,
    compiled,
)
from relay.sources.functions import MAX_TEXT
from relay.sources.protocol import Conversion, PayloadReason

#: Elements of one `for_each`.
MAX_ELEMENTS = 1000
#: Values in one list or object that a single leaf may select.
MAX_SELECTED = 2000
_MAX_DEPTH = 16
_MAX_LEVELS = 8
_WIDEST = 2**63

_ITEM = "event event_id event_time user properties page app ad lead device limited_data_use"
_BESIDE = "order_id consent country test_event_code destination"
_MEMBERS = (*_ITEM.split(), *_BESIDE.split())
_EVENTS = "Purchase AddToCart InitiateCheckout CompleteRegistration Lead ViewContent Subscribe"


@dataclass(slots=True)
class _Run:
    """One element's evaluation: where values come from, and what went wrong."""

    scope: Scope
    issues: list[FieldIssue] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Constant:
    value: object

    def found(self, run: _Run, here: object) -> object:
        return self.value


@dataclass(frozen=True, slots=True)
class _Leaf:
    path: str
    ast: Ast

    def found(self, run: _Run, here: object) -> object:
        try:
            value = run.scope.value(self.ast, here)
        except NOT_COMPUTABLE:
            run.issues.append(FieldIssue(self.path, "not_computable"))
            return None
        problem = _problem(value)
        if problem is not None:
            run.issues.append(FieldIssue(self.path, problem))
            return None
        return value


@dataclass(frozen=True, slots=True)
class _Group:
    members: tuple[tuple[str, _Node], ...]
    when: _Leaf | None

    def found(self, run: _Run, here: object) -> object:
        if self.when is not None and not _holds(self.when.found(run, here)):
            return None
        found = {}
        for name, node in self.members:
            value = node.found(run, here)
            if value is not None:
                found[name] = value
        return found or None


@dataclass(frozen=True, slots=True)
class _Each:
    over: _Leaf
    group: _Group

    def found(self, run: _Run, here: object) -> object:
        made = [self.group.found(run, element) for element in self.elements(run, here)]
        return [value for value in made if value is not None] or None

    def elements(self, run: _Run, here: object) -> list[object]:
        """What there is to go through: a list, or a single object in place of one.

        Raises `PayloadRefused` for more than `MAX_ELEMENTS`.
        """
        try:
            found = run.scope.value(self.over.ast, here)
        except NOT_COMPUTABLE:
            found = ""
        if isinstance(found, list):
            if len(found) > MAX_ELEMENTS:
                raise PayloadRefused(PayloadReason.TOO_MANY)
            return found
        if isinstance(found, dict):
            return [found]
        if found is not None:
            run.issues.append(FieldIssue(self.over.path, "not_a_list"))
        return []


@dataclass(frozen=True, slots=True)
class _Several:
    nodes: tuple[_Node, ...]

    def found(self, run: _Run, here: object) -> object:
        made = [node.found(run, here) for node in self.nodes]
        return [value for value in made if value is not None] or None


_Node = _Constant | _Leaf | _Group | _Each | _Several


class CompiledMapping:
    """A mapping ready to use."""

    def __init__(self, spec: object) -> None:
        """`spec` is the mapping, as an object or as JSON text.

        Raises `ConfigError` with every mistake, each at the key of its leaf (`user.email`).
        """
        mistakes: list[Mistake] = []
        node = _root(_parsed(spec, mistakes), mistakes)
        if mistakes or node is None:
            raise ConfigError(mistakes)
        self._node = node

    def conversions(
        self, payload: object, headers: Mapping[str, str]
    ) -> list[Conversion | Refusal]:
        """The conversions of a message, without those whose `when` does not hold; a `Refusal`
        (invalid, unmappable) in the place of each that cannot be made.

        Raises `PayloadRefused` when the message has more elements or takes longer than allowed.
        """
        scope = Scope(payload, headers)
        if isinstance(self._node, _Group):
            return [made for made in [_made(self._node, scope, payload)] if made is not None]
        run = _Run(scope)
        elements = self._node.elements(run, payload)
        if run.issues:
            return [_refusal({}, run.issues)]
        made = [_made(self._node.group, scope, element) for element in elements]
        return [conversion for conversion in made if conversion is not None]


def _made(group: _Group, scope: Scope, here: object) -> Conversion | Refusal | None:
    run = _Run(scope)
    found = group.found(run, here)
    conversion = found if isinstance(found, dict) else {}
    if run.issues:
        return _refusal(conversion, run.issues)
    return conversion or None


def _refusal(conversion: Conversion, issues: list[FieldIssue]) -> Refusal:
    """What can be told of a conversion that could not be made."""
    name, event_id, order_id = (
        value if isinstance(value := conversion.get(key), str) else None
        for key in ("event", "event_id", "order_id")
    )
    at = conversion.get("event_time")
    event_time = at if isinstance(at, int) and not isinstance(at, bool) else None
    refused = (Outcome.INVALID, Reason.UNMAPPABLE)
    return Refusal(*refused, name, event_id, order_id, event_time, tuple(issues))


def _holds(value: object) -> bool:
    """JMESPath's own notion of truth: 0 is true."""
    return value not in (None, "", [], {}) and value is not False


def _problem(value: object) -> str | None:
    """Why a found value cannot stand in a conversion, as a word."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, str):
        return "too_long" if len(value) > MAX_TEXT else None
    if isinstance(value, int):
        return None if -_WIDEST <= value < _WIDEST else "too_large"
    if isinstance(value, float):
        return None if math.isfinite(value) else "not_a_number"
    return _problem_within(value)


def _problem_within(value: object) -> str | None:
    """The same for a list or an object, whose size is not known: walked up to a limit."""
    waiting, seen = [(value, 0)], 0
    while waiting:
        each, depth = waiting.pop()
        seen += 1
        if seen > MAX_SELECTED or depth > _MAX_DEPTH:
            return "too_large"
        if isinstance(each, dict):
            waiting += [(inner, depth + 1) for inner in each.values()]
        elif isinstance(each, list):
            waiting += [(inner, depth + 1) for inner in each]
        elif not isinstance(each, str | int | float | None):
            return "not_computable"  # an expression reference, `&name`
        elif (problem := _problem(each)) is not None:
            return problem
    return None


def _parsed(spec: object, mistakes: list[Mistake]) -> object:
    if not isinstance(spec, str):
        return spec
    try:
        return json.loads(spec)
    except (ValueError, RecursionError) as exc:
        mistakes.append(Mistake("", f"is not JSON ({exc})", "Write an object, or JSON text of one"))
        return None


def _root(spec: object, mistakes: list[Mistake]) -> _Group | _Each | None:
    if not isinstance(spec, dict):
        if not mistakes:
            mistakes.append(
                Mistake("", "is not an object", "Write a table of keys and expressions")
            )
        return None
    for name in spec:
        if name not in _MEMBERS and name not in ("for_each", "when"):
            close = difflib.get_close_matches(str(name), _MEMBERS, n=1)
            mend = f"Did you mean `{close[0]}`?" if close else f"Known: {', '.join(_MEMBERS)}"
            mistakes.append(Mistake(str(name), "is no member of a conversion", mend))
    mend = "Write a constant in single quotes: \"'Purchase'\""
    if "event" not in spec:
        mistakes.append(Mistake("event", "is missing", mend))
    elif spec["event"] in _EVENTS.split():
        mistakes.append(Mistake("event", "names a member of the body, not an event", mend))
    return _object(spec, "", mistakes)


def _node(spec: object, path: str, mistakes: list[Mistake]) -> _Node | None:
    if isinstance(spec, str):
        return _leaf(spec, path, mistakes)
    if isinstance(spec, dict) and path.count(".") < _MAX_LEVELS:
        return _object(spec, path, mistakes)
    if isinstance(spec, list):
        nodes = [_leaf(each, f"{path}[{at}]", mistakes) for at, each in enumerate(spec)]
        return _Several(tuple(node for node in nodes if node is not None))
    if isinstance(spec, bool | int | float):
        return _Constant(spec)
    mistakes.append(Mistake(path, "is neither an expression nor an object", "Write JMESPath"))
    return None


def _object(spec: Mapping[str, object], path: str, mistakes: list[Mistake]) -> _Group | _Each:
    when = over = None
    members: list[tuple[str, _Node]] = []
    for name, inner in spec.items():
        at = f"{path}.{name}".lstrip(".")
        if name == "when":
            when = _leaf(inner, at, mistakes)
        elif name == "for_each":
            over = _leaf(inner, at, mistakes)
        elif (node := _node(inner, at, mistakes)) is not None:
            members.append((name, node))
    group = _Group(tuple(members), when)
    return group if over is None else _Each(over, group)


def _leaf(spec: object, path: str, mistakes: list[Mistake]) -> _Leaf | None:
    if not isinstance(spec, str):
        mistakes.append(Mistake(path, "is not an expression", "Write JMESPath, as text"))
        return None
    try:
        return _Leaf(path, compiled(spec))
    except ExpressionError as exc:
        mistakes.append(Mistake(path, str(exc), exc.mend))
        return None
