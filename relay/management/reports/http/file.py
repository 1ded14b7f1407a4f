"""The file of a report: on disk, or in memory while it is small; gone when it is closed."""

from __future__ import annotations

import hashlib
import tempfile
from typing import IO, Final

_IN_MEMORY_BYTES: Final = 1024 * 1024


class ReportFile:
    """A file that comes in pieces. It has no name, so nobody else can open it."""

    def __init__(self) -> None:
        self.file: IO[bytes] = tempfile.SpooledTemporaryFile(  # noqa: SIM115  # `close` does it
            max_size=_IN_MEMORY_BYTES
        )
        self.size = 0
        self._digest = hashlib.sha256()

    def write(self, piece: bytes) -> None:
        self.file.write(piece)
        self._digest.update(piece)
        self.size += len(piece)

    def start_over(self) -> None:
        """Forget what came."""
        self.file.seek(0)
        self.file.truncate()
        self.size = 0
        self._digest = hashlib.sha256()

    @property
    def digest(self) -> bytes:
        """The same for the same bytes."""
        return self._digest.digest()

    def close(self) -> None:
        self.file.close()
