"""How a mistake is told: the key, the problem and the mend, never what was written there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, get_args

from pydantic import BaseModel, ValidationError

from relay.config.settings import Settings
from relay.errors import Mistake

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_STRUCTURE_MEND = "Write it as in the README's example"

#: pydantic's error types, in our words; {…} is filled from the error's context.
_WORDS: dict[str, tuple[str, str]] = {
    "missing": ("missing", "Add it"),
    "string_type": ("not a text", "Put it in quotes"),
    "int_type": ("not a whole number", "Write a number, without quotes"),
    "int_parsing": ("not a whole number", "Write a number"),
    "int_from_float": ("not a whole number", "Write a number without decimals"),
    "float_type": ("not a number", "Write a number, without quotes"),
    "float_parsing": ("not a number", "Write a number"),
    "bool_type": ("neither true nor false", "Write true or false, without quotes"),
    "bool_parsing": ("neither true nor false", "Write true or false"),
    "enum": ("not one of the words it may be", "Write {expected}"),
    "greater_than": ("too small", "Write more than {gt}"),
    "greater_than_equal": ("too small", "Write at least {ge}"),
    "less_than_equal": ("too large", "Write at most {le}"),
    "string_too_short": ("empty", "Write at least {min_length} character, or remove the key"),
    "string_too_long": ("too long", "Write at most {max_length} characters"),
    "string_pattern_mismatch": (
        "has characters that are not allowed here",
        "It must match {pattern}",
    ),
    "timezone_aware": ("lacks its time zone", "Write it with Z or an offset, as +01:00"),
    "tuple_type": ("not a list", 'Write a list: ["…", "…"]; for tables, [[…]]'),
    "dict_type": ("not a table", "Write a table of keys and values"),
    "model_type": ("not a table", "Write a table of keys and values"),
    "path_type": ("not a path", "Put it in quotes"),
}
_TIME = ("not a time", "Write it as 2026-11-30T18:00:00+01:00")


def mistakes_of(
    invalid: ValidationError, *, model: type[BaseModel] = Settings, under: str = ""
) -> list[Mistake]:
    """Every error of a validation against `model`; `under` is the key of what was validated.

    Also for the options of a source, whose model is the source's own.
    """
    errors = invalid.errors(include_url=False, include_input=False)
    return [_mistake_of(error, model, under) for error in errors]


def _mistake_of(error: ErrorDetails, model: type[BaseModel], under: str) -> Mistake:
    context = error.get("ctx", {})
    key = f"{under}.{key_of(error['loc'])}".removeprefix(".")
    if error["type"] == "extra_forbidden":
        return Mistake(key, "unknown key", _right_key(error["loc"], model))
    if "mend" in context:
        return Mistake(key, str(context["problem"]), str(context["mend"]))
    if error["type"].startswith("datetime"):
        return Mistake(key, *_TIME)
    problem, mend = _WORDS.get(error["type"], ("not what belongs here", _STRUCTURE_MEND))
    return Mistake(key, problem, mend.format(**context))


def key_of(location: Iterable[int | str]) -> str:
    """`("destinations", 0, "linger")` as `destinations[0].linger`."""
    key = ""
    for step in location:
        key += f"[{step}]" if isinstance(step, int) else f".{step}"
    return key.removeprefix(".")


def unknown_variable(name: str, sections: Iterable[str]) -> Mistake:
    """An environment variable that looks like a key and is none."""
    close = difflib.get_close_matches(name, [f"RELAY_{each.upper()}__" for each in sections], n=1)
    mend = f"Names begin with {close[0]}…" if close else "Correct or remove it"
    return Mistake(name, "no such table in the configuration", mend)


def _right_key(location: tuple[int | str, ...], model: type[BaseModel]) -> str:
    """What to do about a key that is unknown where it stands."""
    *place, last = location
    word = str(last)
    siblings = _keys(_table_at(model, place))
    close = difflib.get_close_matches(word, siblings, n=1, cutoff=0.7)
    if close:
        return f"Did you mean `{close[0]}`?"
    homes = [name for name in _keys(model) if word in _keys(_table_at(model, [name]))]
    if homes:
        return f"It belongs into `{homes[0]}`"
    return f"Known here: {', '.join(siblings)}"


def _keys(table: type[BaseModel] | None) -> list[str]:
    return list(table.model_fields) if table else []


def _table_at(model: type[BaseModel], place: Sequence[int | str]) -> type[BaseModel] | None:
    """The model of the table at `place`, seen from `model`; None when it is none of ours."""
    table: type[BaseModel] | None = model
    for step in place:
        if isinstance(step, str) and table is not None:
            field = table.model_fields.get(step)
            table = _model_in(field.annotation) if field else None
    return table


def _model_in(annotation: object) -> type[BaseModel] | None:
    """The model that an annotation is, or that its list or union holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(each) for each in get_args(annotation))
    return next((each for each in found if each is not None), None)
