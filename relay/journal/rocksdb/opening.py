"""Opening a journal folder, whatever state it is in."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from relay.journal.rocksdb import identity
from relay.journal.rocksdb.folder import Folder
from relay.journal.rocksdb.mend import finish, mend
from relay.journal.rocksdb.orphans import hold_lost_rows
from relay.journal.rocksdb.rebuild import account_is_sound, read_account, rebuild
from relay.journal.rocksdb.trouble import Damaged, reachable

#: A folder with more damages than this is given up on; each mend gets rid of one at least.
_MOST_DAMAGES = 20


class Opened(NamedTuple):
    """A folder that can be worked with, and how many damages were found on the way."""

    folder: Folder
    damages: int


def open_folder(
    path: Path, *, create: bool, min_free_bytes: int = 0, damage: Damaged | None = None
) -> Opened:
    """Open the folder; mend it first where there is a `damage`, or turns out to be one.

    Raises `JournalFormat`, and `JournalUnavailable` when the disk does not let us.
    """
    finish(path)
    damages = 0 if damage is None else mend(path, damage.tables)
    folder = None
    while folder is None:
        try:
            folder = _opened(path, create=create, min_free_bytes=min_free_bytes)
        except Damaged as error:
            if damages > _MOST_DAMAGES:
                raise
            damage = error
        if folder is None and damage is not None:
            damages += mend(path, damage.tables)
    damages += folder.dropped
    try:
        damages += _make_sound(folder, anew=damages > 0)
        identity.name(folder)
        folder.unlink()
    except BaseException:
        folder.close()
        raise
    return Opened(folder, damages)


def _opened(path: Path, *, create: bool, min_free_bytes: int) -> Folder:
    """Open it, and raise `Damaged` for what RocksDB does not notice itself."""
    folder = Folder(path, create=create, min_free_bytes=min_free_bytes)
    try:
        folder.check_tables()
        complete = not hold_lost_rows(folder, folder.gone_tables)
        if complete:
            read_account(folder)
            return folder
    except BaseException:
        folder.close()
        raise
    folder.close_and_restore()
    raise Damaged("the journal is damaged: its manifest lacks tables")


def _make_sound(folder: Folder, *, anew: bool) -> int:
    """Make the account anew if need be; returns 1 where that comes as a surprise."""
    marker = folder.path / "rebuild"
    expected = anew or marker.exists()
    sound = account_is_sound(folder)
    if expected or folder.reading_was_cut or not sound:
        rebuild(folder)
        with reachable():
            marker.unlink(missing_ok=True)
    return 0 if sound or expected else 1
