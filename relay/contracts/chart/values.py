"""`values.yaml` with its comments, as a tree.

# @section -- Network                 begins a section, for the values behind it
# -- What it is, on as many
# lines as it takes.                  describes the value below
# @schema {minimum: 1}                goes into the value's schema, as YAML
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

_SECTION = re.compile(r"# @section -- (.+)")
_SCHEMA = re.compile(r"# @schema (.+)")
_TEXT = re.compile(r"# ?(?:-- )?(.*)")


@dataclass(frozen=True, slots=True)
class Value:
    """One value. `children` are those of a table whose keys are the chart's; a table that takes
    any key has none."""

    path: tuple[str, ...]
    default: Any
    description: str
    schema: dict[str, Any]
    section: str
    children: tuple[Value, ...] = ()

    @property
    def key(self) -> str:
        return ".".join(self.path)

    def leaves(self) -> Iterator[Value]:
        """What has a description of its own: this, or what is in it."""
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()


def read_values(text: str) -> tuple[Value, ...]:
    """The values of the file, in its order. ValueError where a comment is not understood."""
    import yaml  # noqa: PLC0415  # the relay itself has no use for it

    node = yaml.compose(text, yaml.SafeLoader)
    return _Reader(text.splitlines(), yaml.safe_load).table(node, yaml.safe_load(text), ())


@dataclass(frozen=True, slots=True)
class _Comment:
    description: str
    schema: dict[str, Any]


class _Reader:
    def __init__(self, lines: Sequence[str], parse: Any) -> None:
        self._lines = lines
        self._parse = parse

    def table(self, node: Any, given: dict[str, Any], path: tuple[str, ...]) -> tuple[Value, ...]:
        return tuple(
            self._value(key, node, given[key.value], path=(*path, key.value))
            for key, node in node.value
        )

    def _value(self, key: Any, node: Any, default: Any, *, path: tuple[str, ...]) -> Value:
        line = key.start_mark.line
        comment = self._comment(line)
        is_ours = isinstance(default, dict) and default and not comment.description
        children = self.table(node, default, path) if is_ours else ()
        section = self._section(line)
        return Value(path, default, comment.description, comment.schema, section, children)

    def _section(self, line: int) -> str:
        """The last that was begun above this line."""
        found = (_SECTION.fullmatch(each) for each in reversed(self._lines[:line]))
        return next((match[1] for match in found if match), "")

    def _comment(self, line: int) -> _Comment:
        """What stands right above this line."""
        words: list[str] = []
        schema: dict[str, Any] = {}
        for text in self._above(line):
            if match := _SCHEMA.fullmatch(text):
                schema.update(self._parse(match[1]))
            elif text.startswith("# -- "):
                words = [text.removeprefix("# -- ")]
            elif words:
                words.append(_continued(text))
        return _Comment(" ".join(words), schema)

    def _above(self, line: int) -> list[str]:
        first = line
        while first and self._lines[first - 1].lstrip().startswith("#"):
            first -= 1
        return [text.strip() for text in self._lines[first:line]]


def _continued(text: str) -> str:
    match = _TEXT.fullmatch(text)
    if match is None or text.startswith("# @"):
        raise ValueError(f"not understood: {text}")
    return match[1]
