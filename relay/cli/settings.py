"""The configuration, with the checks that a command needs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from relay import assembly
from relay.config import Check, Parts, Settings, Source, load, secrets_can_be_read
from relay.errors import ConfigError, Mistake
from relay.pipeline.accept import Route
from relay.role import Role
from relay.secrets import SecretUnavailable
from relay.sources import registry

#: Stands for secrets where none is needed; it is base64, which some kinds ask for.
_NO_SECRET = "ZHJ5IHJ1bg=="  # noqa: S105  # see above

_SENSE: tuple[Check, ...] = (assembly.sources_make_sense, assembly.policies_make_sense)

_SECRETS: tuple[Check, ...] = (
    secrets_can_be_read,
    assembly.brokers_can_be_asked,
    assembly.traces_can_be_sent,
)


def for_running(path: Path | None) -> Settings:
    """For commands that use secrets: every check there is. Raises `ConfigError`."""
    return load(path, os.environ, checks=(*_SECRETS, *_SENSE, _secrets_fit))


def for_checking_without_secrets(path: Path | None) -> Settings:
    """Every check but those that read a secret or a certificate. Raises `ConfigError`."""
    return load(path, os.environ, checks=(assembly.traces_can_be_sent, *_SENSE))


def for_dry_run(path: Path | None) -> Settings:
    """For commands that need neither secrets nor network. Raises `ConfigError`."""
    return load(path, os.environ, checks=_SENSE)


def as_written(path: Path | None) -> Settings:
    """For commands that look at the journal only. Raises `ConfigError`."""
    return load(path, os.environ, checks=())


def for_role(settings: Settings, role: Role) -> None:
    """Whether there can be a process of this role. Raises `ConfigError`."""
    if role is not Role.ALL and not settings.journal.is_distributed:
        problem = "two halves of a relay meet in topics, and the journal is a folder"
        mend = "Set journal.kafka and journal.postgres, or leave --role out"
        raise ConfigError([Mistake("--role", problem, mend)])


def source_named(settings: Settings, name: str, kinds: Sequence[str] | None = None) -> Source:
    """The source of this name, of one of these kinds. Raises `ConfigError` as for a mistake."""
    found = next((each for each in settings.sources if each.name == name), None)
    if found is None:
        known = ", ".join(each.name for each in settings.sources) or "none"
        raise ConfigError(
            [Mistake("--source", "the configuration has none of this name", f"There are: {known}")]
        )
    if kinds is not None and found.kind not in kinds:
        problem = f"a file cannot come from a source of kind {found.kind}"
        mend = f"Name one of kind {' or '.join(kinds)}"
        raise ConfigError([Mistake("--source", problem, mend)])
    return found


def route_without_secrets(source: Source) -> Route:
    """The source, for reading bodies that nobody signed. Raises `ConfigError`."""
    built = registry.build(source.kind, source.name, [_NO_SECRET], source.options)
    return Route(built, source.routes)


def _secrets_fit(parts: Parts) -> Sequence[Mistake]:
    """What the kinds of sources say about the secrets themselves: empty, not base64, missing."""
    found: list[Mistake] = []
    for key, source in parts.sources.items():
        try:
            assembly.route_of(source)
        except ConfigError as mistaken:
            found += [
                Mistake(f"{key}.{each.key}", each.problem, each.mend)
                for each in mistaken.mistakes
                if each.key.startswith("secrets")  # the options were told by `sources_make_sense`
            ]
        except SecretUnavailable:
            continue  # told by `secrets_can_be_read`
    return found
