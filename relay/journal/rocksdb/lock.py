"""One relay a folder: a lock that is held until the process ends, through every reopening."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from relay.errors import JournalLocked, JournalUnavailable


class FolderLock:
    """Locks `path/lock`, made when it is missing. Raises `JournalLocked`, `JournalUnavailable`.

    RocksDB has a lock of its own, but lets go of it while the database is mended.
    """

    def __init__(self, path: Path) -> None:
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise JournalUnavailable(f"journal.path cannot be used: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            if isinstance(error, BlockingIOError):
                raise JournalLocked(
                    f"another relay has the journal folder {path} open; "
                    "stop it, or set journal.path to a folder of its own"
                ) from error
            raise JournalUnavailable(f"journal.path cannot be locked: {error.strerror}") from error

    def release(self) -> None:
        """Let another process have the folder; asking twice does no harm."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
