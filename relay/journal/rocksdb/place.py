"""Where the database lies: is it still there, and is there room?"""

from __future__ import annotations

import shutil
from pathlib import Path

from relay.errors import JournalUnavailable


def free_bytes(path: Path) -> int | None:
    """Free on the file system of `path`; None where it cannot be told."""
    try:
        return shutil.disk_usage(path).free
    except OSError:
        return None


class Place:
    """The folder of an open database, noted when it was opened. Raises OSError."""

    def __init__(self, database: Path, min_free_bytes: int) -> None:
        self._database = database
        self._min_free_bytes = min_free_bytes
        self._identity = self._current_identity()

    def check(self) -> None:
        """Raise `JournalUnavailable` when writing on would be a lie or fill the disk.

        A deleted folder accepts writes and syncs to files nobody will find again, so its identity
        is compared with that at opening.
        """
        try:
            identity = self._current_identity()
            free = shutil.disk_usage(self._database).free
        except OSError as error:
            raise JournalUnavailable(f"the journal folder is gone: {error.strerror}") from error
        if identity != self._identity:
            raise JournalUnavailable("the journal folder was replaced; start the relay anew")
        if free < self._min_free_bytes:
            raise JournalUnavailable(f"the disk of the journal has only {free} bytes left")

    def _current_identity(self) -> tuple[int, int]:
        (self._database / "CURRENT").stat()
        folder = self._database.stat()
        return folder.st_dev, folder.st_ino
