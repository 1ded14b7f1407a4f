"""The senders that there are, and how a configured one is built.

A kind is a module of this package that has `KIND` (its own name), `Settings` and `build`: a new
sender is one file, and is registered nowhere. Only the module of a configured kind is imported.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from pydantic import ValidationError

import relay.sources
from relay.config.settings import Section
from relay.config.wording import mistakes_of
from relay.errors import ConfigError, Mistake
from relay.sources.protocol import Source


class _Kind(NamedTuple):
    settings: type[Section]
    build: Callable[[str, Sequence[str], Section], Source]


def kinds() -> list[str]:
    """The name of every kind of source."""
    return sorted(name for name in _module_names() if _kind(name) is not None)


def check(kind: str, options: Mapping[str, object], *, under: str = "") -> list[Mistake]:
    """Every mistake in a source's options, without its secrets. `under` is the source's key in
    the configuration (`sources[0]`), for the keys of the mistakes."""
    try:
        _settings(kind, options)
    except ConfigError as exc:
        return _below(under, exc.mistakes)
    return []


def build(
    kind: str,
    name: str,
    secrets: Sequence[str],
    options: Mapping[str, object],
    *,
    under: str = "",
) -> Source:
    """The configured source.

    `secrets` are the secrets themselves; `options` are the keys that only this kind knows.
    Raises `ConfigError` with every mistake, each with its key below `under`.
    """
    mistakes: list[Mistake] = []
    source = None
    try:
        known, settings = _settings(kind, options)
        source = known.build(name, secrets, settings)
    except ConfigError as exc:
        mistakes += exc.mistakes
    if source is None:
        raise ConfigError(_below(under, mistakes))
    return source


def _settings(kind: str, options: Mapping[str, object]) -> tuple[_Kind, Section]:
    known = _kind(kind) if kind in _module_names() else None
    if known is None:
        mend = f"There are {', '.join(kinds())}"
        raise ConfigError([Mistake("kind", "no source is of this kind", mend)])
    try:
        return known, known.settings.model_validate(dict(options))
    except ValidationError as invalid:
        raise ConfigError(mistakes_of(invalid, model=known.settings)) from None


def _module_names() -> set[str]:
    return {module.name for module in pkgutil.iter_modules(relay.sources.__path__)}


def _kind(name: str) -> _Kind | None:
    """The kind that a module of this package is, or None for one that is no source."""
    module = importlib.import_module(f"relay.sources.{name}")
    if getattr(module, "KIND", None) != name:
        return None
    return _Kind(module.Settings, module.build)


def _below(under: str, mistakes: Sequence[Mistake]) -> list[Mistake]:
    return [
        Mistake(f"{under}.{mistake.key}".strip("."), mistake.problem, mistake.mend)
        for mistake in mistakes
    ]
