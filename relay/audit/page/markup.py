"""HTML and SVG made of values: every text and every attribute is escaped, whoever wrote it. Pure.

Plain Python instead of a template language: there a filter that is forgotten is a hole, here what
is not `Markup` is text. It is one dependency less, and the types are checked.
"""

from __future__ import annotations

from html import escape
from typing import Final

from relay.audit.wording import plain


class Markup(str):
    """Text that is HTML already. Made by the functions here only."""

    __slots__ = ()


Child = Markup | str | None

_VOID: Final = frozenset({"br", "col", "meta"})


def tag(name: str, *children: Child, **attributes: str | float | None) -> Markup:
    """An element. An attribute's name loses its last `_`, its others become `-`; one that is None
    is left out. `name` and the names of attributes are ours, never data."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_attribute(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{join(*children)}</{name}>")


def join(*children: Child) -> Markup:
    return Markup("".join(text(child) for child in children if child is not None))


def text(value: str) -> Markup:
    """Escaped unless it is markup; without what could turn a line around."""
    return value if isinstance(value, Markup) else Markup(escape(_lines_kept(value)))


def named(value: str, limit: int | None = None) -> Markup:
    """A name that somebody else gave: it cannot change the direction of what stands beside it."""
    return tag("bdi", plain(value, limit))


def raw(style: str) -> Markup:
    """A style sheet of ours, as it stands."""
    return Markup(style)


def _lines_kept(value: str) -> str:
    leading = " " if value[:1].isspace() else ""
    trailing = " " if value[-1:].isspace() and value.strip() else ""
    return f"{leading}{plain(value)}{trailing}"


def _attribute(value: str | float) -> str:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return escape(plain(str(value)), quote=True)
