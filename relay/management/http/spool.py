"""Answers put aside until their list has proved itself: in memory while they are few, then in a
file that has no name and goes with the process."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO, Final

#: Kept in memory up to here.
_IN_MEMORY_BYTES: Final = 1024 * 1024
_LENGTH_BYTES: Final = 8


class Spool:
    """Bodies in the order they came. Close it."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(  # noqa: SIM115  # closed by `close`
            max_size=_IN_MEMORY_BYTES
        )

    def add(self, body: bytes) -> None:
        self._file.write(len(body).to_bytes(_LENGTH_BYTES, "big"))
        self._file.write(body)

    def bodies(self) -> Iterator[bytes]:
        self._file.seek(0)
        while head := self._file.read(_LENGTH_BYTES):
            yield self._file.read(int.from_bytes(head, "big"))

    def close(self) -> None:
        self._file.close()
