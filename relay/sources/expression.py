"""JMESPath, fenced: compiled at start under caps, evaluated with a budget, with our own functions.

JMESPath cannot loop, has no regular expressions and does no I/O, keeps integers exact, and costs
tens of microseconds for a whole order. What it can do is multiply: `[@,@][]` twenty-six times fills
the memory. So an expression is refused at start when it is long, deep or could multiply its input
(caps below), and all expressions of one message share a budget of steps, because `root()` lets an
expression begin at the top again for each element of a list. Time is then bounded by the budget,
memory by the size of the body. The caps are for mistakes: who writes the mapping is trusted.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import jmespath
from jmespath import visitor

from relay.errors import PayloadRefused, RelayError
from relay.sources.functions import OWN_FUNCTIONS, Functions
from relay.sources.protocol import PayloadReason

MAX_LENGTH = 2048
MAX_NODES = 200
MAX_NESTING = 30
MAX_FLATTENS = 4
#: The widths of all multi-selects of one expression, multiplied: how often input can be repeated.
MAX_GROWTH = 256
#: Steps of the interpreter for one message, about half a second of work.
MAX_STEPS = 500_000
#: A parsed expression, as `jmespath` makes it.
Ast = dict[str, Any]

#: What evaluating a sound expression on unsuitable input can raise (JMESPath's errors are
#: ValueErrors); a Decimal that cannot be computed is an ArithmeticError.
NOT_COMPUTABLE = (ValueError, TypeError, ArithmeticError, LookupError, RecursionError)


class ExpressionError(RelayError):
    """An expression cannot be used; the text says why, `mend` what to do."""

    def __init__(self, problem: str, mend: str) -> None:
        super().__init__(problem)
        self.mend = mend


def compiled(text: str) -> Ast:
    """Parse an expression and hold it against the caps. Raises `ExpressionError`."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError("is too long", f"Write at most {MAX_LENGTH} characters")
    if _nesting(text) > MAX_NESTING:
        raise ExpressionError("is nested too deep", f"Nest at most {MAX_NESTING} brackets")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", PendingDeprecationWarning)  # `text` without its quotes
            ast: Ast = jmespath.compile(text).parsed
    except (ValueError, RecursionError, PendingDeprecationWarning) as exc:
        mend = f"{_first_line(exc)}. A constant is written in single quotes: 'Purchase'"
        raise ExpressionError("is not JMESPath", mend) from None
    _check(list(_nodes(ast)))
    return ast


def _first_line(exc: Exception) -> str:
    return str(exc).strip().split("\n", 1)[0].removesuffix(", for expression:").rstrip(".:")


def _nesting(text: str) -> int:
    depth = deepest = 0
    for character in text:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth -= 1
    return deepest


def _nodes(ast: Ast) -> Iterator[Ast]:
    yield ast
    for child in ast.get("children", ()):
        if isinstance(child, dict):  # the children of a slice are numbers
            yield from _nodes(child)


def _check(nodes: list[Ast]) -> None:
    kinds = [node["type"] for node in nodes]
    growth = 1
    for node in nodes:
        if node["type"] in ("multi_select_list", "multi_select_dict"):
            growth *= len(node["children"])
        elif node["type"] == "function_expression":
            _check_call(node)
    if len(nodes) > MAX_NODES:
        raise ExpressionError("has too many parts", f"Write at most {MAX_NODES}")
    if kinds.count("flatten") > MAX_FLATTENS or growth > MAX_GROWTH:
        raise ExpressionError("could multiply its input", "Build the object in the mapping instead")


def _check_call(node: Ast) -> None:
    name, given = node["value"], len(node["children"])
    known = Functions.FUNCTION_TABLE.get(name)
    if known is None:
        ours = ", ".join(sorted(OWN_FUNCTIONS))
        problem = f"calls {name}(), which does not exist"
        raise ExpressionError(problem, f"There are JMESPath's own, and {ours}")
    wanted = known["signature"]
    variadic = bool(wanted) and wanted[-1].get("variadic", False)
    if given < len(wanted) or (given > len(wanted) and not variadic):
        least = "at least " if variadic else ""
        problem = f"calls {name}() with {given} arguments"
        raise ExpressionError(problem, f"It takes {least}{len(wanted)}")


class Scope:
    """One message while its mapping is evaluated."""

    __slots__ = ("_interpreter",)

    def __init__(self, root: object, headers: Mapping[str, str]) -> None:
        self._interpreter = _Interpreter(Functions(root, headers))

    def value(self, ast: Ast, here: object) -> Any:
        """What the expression finds, beginning at `here`.

        Raises one of `NOT_COMPUTABLE`; `PayloadRefused` when the message's budget is used up.
        """
        return self._interpreter.visit(ast, here)


class _Interpreter(visitor.TreeInterpreter):  # type: ignore[misc]  # jmespath has no types
    """JMESPath's interpreter, counting its steps."""

    def __init__(self, own: Functions) -> None:
        super().__init__(visitor.Options(custom_functions=own))
        self._methods: dict[str, Any] = {}
        self._left = MAX_STEPS

    def visit(self, node: Ast, value: object) -> Any:
        self._spend(1)
        kind = node["type"]
        method = self._methods.get(kind)
        if method is None:
            method = self._methods[kind] = getattr(self, f"visit_{kind}")
        return method(node, value)

    def visit_flatten(self, node: Ast, value: object) -> Any:
        merged = super().visit_flatten(node, value)
        self._spend(len(merged or ()))
        return merged

    def visit_function_expression(self, node: Ast, value: object) -> Any:
        result = super().visit_function_expression(node, value)
        if isinstance(result, list) and node["value"] != "root":  # which makes no new list
            self._spend(len(result))
        return result

    def _spend(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise PayloadRefused(PayloadReason.TOO_COMPLEX)
