"""The Dockerfile, read: its stages, and of each its instructions in order."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import NamedTuple


class Instruction(NamedTuple):
    word: str
    rest: str

    @property
    def words(self) -> list[str]:
        """The arguments, of the exec form (a JSON array) or split as a shell would."""
        found: list[str] = (
            json.loads(self.rest) if self.rest.startswith("[") else shlex.split(self.rest)
        )
        return found


class Stage(NamedTuple):
    instructions: list[Instruction]

    def all(self, word: str) -> list[Instruction]:
        return [each for each in self.instructions if each.word == word]

    def one(self, word: str) -> Instruction:
        (found,) = self.all(word)
        return found

    @property
    def labels(self) -> dict[str, str]:
        pairs = [pair for each in self.all("LABEL") for pair in each.words]
        return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


def stages(dockerfile: Path) -> list[Stage]:
    """What stands before the first FROM is left out."""
    text = re.sub(r"(?m)^\s*#.*\n", "", dockerfile.read_text())
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    found: list[Stage] = []
    for line in filter(None, map(str.strip, lines)):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            found.append(Stage([]))
        if found:
            found[-1].instructions.append(Instruction(word, rest.strip()))
    return found
