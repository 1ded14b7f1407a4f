"""From a file and the environment to settings, or to every mistake at once."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar, cast

from pydantic import ValidationError

from relay.config.checks import STRUCTURE, Check, Parts, secrets_can_be_read, secrets_of
from relay.config.management import Management
from relay.config.overlay import lay_over, unknown_names
from relay.config.section import Section
from relay.config.settings import Destination, Journal, Listen, Settings, Source, TikTok
from relay.config.traces import Traces
from relay.config.wording import mistakes_of, unknown_variable
from relay.errors import ConfigError, Mistake

#: Read when it is there and no other file is named.
DEFAULT_FILE = Path("relay.toml")

_SECTIONS = tuple(Settings.model_fields)

_Part = TypeVar("_Part", bound=Section)


def load(
    path: Path | None,
    environ: Mapping[str, str],
    *,
    checks: Sequence[Check] = (secrets_can_be_read,),
) -> Settings:
    """The settings of `path` (else `$RELAY_CONFIG`, else `./relay.toml` where there is one), with
    the environment laid over them.

    `checks` come on top of those of the structure: leave out the secrets where they are not used,
    add the options of the sources where those are known. What an earlier check said about a key
    stands. Raises `ConfigError` with every mistake.
    """
    table = _read(path, environ)
    mistakes = lay_over(table, environ, sections=_SECTIONS)
    context = {"environ": environ}
    settings = None
    try:
        settings = Settings.model_validate(table, context=context)
    except ValidationError as invalid:
        mistakes += mistakes_of(invalid)
    parts = _parts(table, context)
    names = {secret.reference.removeprefix("env:") for _, secret in secrets_of(parts)}
    mistakes += [
        unknown_variable(name, _SECTIONS)
        for name in unknown_names(environ, sections=_SECTIONS, in_use=names)
    ]
    for check in (*STRUCTURE, *checks):
        told = {mistake.key for mistake in mistakes}
        mistakes += [mistake for mistake in check(parts) if mistake.key not in told]
    if mistakes or settings is None:
        raise ConfigError(mistakes)
    return settings


class AdAccount(Section):
    """The tables that reading an ad account takes; a configuration may have these alone."""

    tiktok: TikTok = TikTok()
    management: Management = Management()


def load_ad_account(path: Path | None, environ: Mapping[str, str]) -> AdAccount:
    """As `load`, of these tables only: what else a configuration has to have may be missing, and
    mistakes in the other tables are not looked for, but for a table that there is not. No secret is
    read. Raises `ConfigError`."""
    table = _read(path, environ)
    mistakes = lay_over(table, environ, sections=_SECTIONS)
    own = {
        name: value
        for name, value in table.items()
        if name in AdAccount.model_fields or name not in _SECTIONS
    }
    settings = None
    try:
        settings = AdAccount.model_validate(own, context={"environ": environ})
    except ValidationError as invalid:
        mistakes += mistakes_of(invalid)
    mistakes += [
        unknown_variable(name, _SECTIONS)
        for name in unknown_names(environ, sections=_SECTIONS, in_use=_references(table))
    ]
    if mistakes or settings is None:
        raise ConfigError(mistakes)
    return settings


def _references(value: object) -> set[str]:
    """The variables that any text of the table refers to."""
    if isinstance(value, str):
        return {value.removeprefix("env:")} if value.startswith("env:") else set()
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        return set().union(*map(_references, value))
    return set()


def _read(path: Path | None, environ: Mapping[str, str]) -> dict[str, object]:
    named = path or (Path(environ["RELAY_CONFIG"]) if environ.get("RELAY_CONFIG") else None)
    file = named or DEFAULT_FILE
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        if named is None:
            return {}
        raise ConfigError(
            [Mistake(str(file), "there is no such file", "Name it with --config")]
        ) from None
    except (OSError, UnicodeDecodeError) as exc:
        problem = f"cannot be read ({type(exc).__name__})"
        raise ConfigError([Mistake(str(file), problem, "Name a text file, UTF-8")]) from None
    return _parse(text, file)


def _parse(text: str, file: Path) -> dict[str, object]:
    """TOML, or JSON where the file is called so: a chart renders JSON without a library."""
    try:
        table = json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    except (tomllib.TOMLDecodeError, json.JSONDecodeError) as exc:
        language = "JSON" if file.suffix == ".json" else "TOML"
        raise ConfigError(
            [Mistake(str(file), f"not {language}: {exc}", "Correct the line")]
        ) from None
    if not isinstance(table, dict):
        raise ConfigError([Mistake(str(file), "not a table", "Write an object: {…}")])
    return cast("dict[str, object]", table)


def _parts(table: Mapping[str, object], context: Mapping[str, object]) -> Parts:
    declared = {
        item["name"]
        for item in _items(table.get("destinations"))
        if isinstance(item, dict) and isinstance(item.get("name"), str)
    }
    return Parts(
        journal=_sound(Journal, table.get("journal", {}), context),
        listen=_sound(Listen, table.get("listen", {}), context),
        management=_sound(Management, table.get("management", {}), context),
        traces=_sound(Traces, table.get("traces", {}), context),
        destinations=_each(Destination, "destinations", table, context),
        sources=_each(Source, "sources", table, context),
        declared=frozenset(declared),
    )


def _each(
    model: type[_Part], name: str, table: Mapping[str, object], context: Mapping[str, object]
) -> Mapping[str, _Part]:
    found = {
        f"{name}[{index}]": _sound(model, item, context)
        for index, item in enumerate(_items(table.get(name)))
    }
    return {key: part for key, part in found.items() if part is not None}


def _sound(model: type[_Part], item: object, context: Mapping[str, object]) -> _Part | None:
    try:
        return model.model_validate(item, context=dict(context))
    except ValidationError:
        return None


def _items(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()
