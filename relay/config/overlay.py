"""`RELAY_*` environment variables, laid over the configuration file's table.

    RELAY_JOURNAL__PATH=/data                       [journal] path
    RELAY_DESTINATIONS__0__ACCESS_TOKEN=env:TOKEN   access_token of the first [[destinations]]
    RELAY_SOURCES__1__KEYS='["env:NEW", "env:OLD"]' lists and tables may be JSON

Names without `__` that are not a table's are left alone: secrets may be called `RELAY_…`, and
Kubernetes adds some of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import cast

from relay.errors import Mistake

PREFIX = "RELAY_"

#: A table of the configuration, as TOML, JSON and the environment give it.
Table = dict[str, object]


class _Misfit(Exception):
    """The variable's path does not fit what is there."""


def lay_over(table: Table, environ: Mapping[str, str], *, sections: Iterable[str]) -> list[Mistake]:
    """Write what the environment says into `table`; the mistakes found on the way."""
    known = set(sections)
    mistakes = []
    for name in sorted(environ):
        path = _path(name, known)
        if not path:
            continue
        try:
            _write(table, path, _value(environ[name]))
        except _Misfit as misfit:
            mistakes.append(Mistake(name, str(misfit), "Count from 0, without gaps"))
    return mistakes


def unknown_names(
    environ: Mapping[str, str], *, sections: Iterable[str], in_use: Iterable[str]
) -> list[str]:
    """Variables that look like keys and are none; `in_use` names those that secrets refer to."""
    known, used = set(sections), set(in_use)
    return [
        name
        for name in sorted(environ)
        if name.startswith(PREFIX)
        and "__" in name.removeprefix(PREFIX)
        and not _path(name, known)
        and name not in used
    ]


def _path(name: str, sections: set[str]) -> list[str]:
    """The key's path, or nothing when the variable is not a key."""
    if not name.startswith(PREFIX):
        return []
    path = name.removeprefix(PREFIX).lower().split("__")
    return path if path[0] in sections else []


def _value(text: str) -> object:
    """JSON where it is a list or a table, else the text: "[::]:8080" is an address."""
    if text[:1] in ("[", "{"):
        try:
            return cast("object", json.loads(text))
        except ValueError:
            return text
    return text


def _write(table: Table, path: list[str], value: object) -> None:
    here: object = table
    for step, following in pairwise(path):
        here = _enter(here, step, [] if following.isdigit() else {})
    _enter(here, path[-1], value, replace=True)


def _enter(here: object, step: str, fresh: object, *, replace: bool = False) -> object:
    """The member `step` of a table or list, made (or replaced) with `fresh`."""
    if isinstance(here, dict):
        if replace or step not in here:
            here[step] = fresh
        return here[step]
    if not isinstance(here, list) or not step.isdigit() or int(step) > len(here):
        raise _Misfit("does not fit the configuration at this place")
    index = int(step)
    if index == len(here):
        here.append(fresh)
    elif replace:
        here[index] = fresh
    return here[index]
