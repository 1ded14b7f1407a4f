"""Opening a journal folder, whatever state it is in."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from relay.errors import JournalUnavailable
from relay.journal.rocksdb.folder import Folder
from relay.journal.rocksdb.mend import finish, mend
from relay.journal.rocksdb.orphans import hold_lost_rows
from relay.journal.rocksdb.rebuild import account_is_readable, account_is_sound, rebuild
from relay.journal.rocksdb.trouble import Damaged


class Opened(NamedTuple):
    """A folder that can be worked with, and how many damages were found on the way."""

    folder: Folder
    damages: int


def open_folder(
    path: Path, *, create: bool, min_free_bytes: int = 0, damaged: bool = False
) -> Opened:
    """Open the folder; mend it first where it is `damaged` or turns out to be.

    Raises `JournalFormat`, and `JournalUnavailable` when the disk does not let us.
    """
    try:
        finish(path)
    except OSError as error:
        raise JournalUnavailable(f"journal.path cannot be used: {error.strerror}") from error
    damages = mend(path) if damaged else 0
    folder = None
    with suppress(Damaged):
        folder = _opened(path, create=create, min_free_bytes=min_free_bytes)
    if folder is None:
        damages += mend(path)
        folder = _opened(path, create=False, min_free_bytes=min_free_bytes)
    damages += folder.dropped
    try:
        damages += _make_sound(folder, anew=damages > 0)
        folder.unlink()
    except BaseException:
        folder.close()
        raise
    return Opened(folder, damages)


def _opened(path: Path, *, create: bool, min_free_bytes: int) -> Folder:
    """Open it, and raise `Damaged` for what RocksDB does not notice itself."""
    folder = Folder(path, create=create, min_free_bytes=min_free_bytes)
    try:
        readable = account_is_readable(folder)
        complete = not hold_lost_rows(folder, folder.gone_tables)
    except BaseException:
        folder.close()
        raise
    if not complete:
        folder.close_and_restore()
        raise Damaged("the journal is damaged: its manifest lacks tables")
    if not readable:
        folder.close()
        raise Damaged("the journal is damaged: its account cannot be read")
    return folder


def _make_sound(folder: Folder, *, anew: bool) -> int:
    """Make the account anew if need be; returns 1 where that comes as a surprise."""
    marker = folder.path / "rebuild"
    expected = anew or marker.exists()
    sound = account_is_sound(folder)
    if expected or folder.reading_was_cut or not sound:
        rebuild(folder)
        marker.unlink(missing_ok=True)
    return 0 if sound or expected else 1
