"""What names a folder's journal, and those that were moved into it: so that none comes twice.

The name is made with the folder. It is not derived from anything, because two journals may hold the
same, and one holds other things tomorrow.
"""

from __future__ import annotations

import os

from relay.errors import JournalUnavailable
from relay.journal import layout
from relay.journal.moving import standing
from relay.journal.moving.standing import Standing
from relay.journal.rocksdb.folder import META, Folder
from relay.journal.rocksdb.scan import rows

_KEY = b"journal"
_BYTES = 16


def name(folder: Folder) -> None:
    """Give a journal its name, durably, where it has none. Raises `JournalUnavailable`."""
    if folder.get(META, _KEY) is None:
        batch = folder.batch()
        batch.put(_KEY, os.urandom(_BYTES).hex().encode(), folder.handle(META))
        folder.write(batch)
        folder.sync()


def journals_of(folder: Folder) -> list[str]:
    """The journals that are in the folder, its own first.

    Raises `JournalUnavailable` where no relay opened it since it was made or mended.
    """
    own = folder.get(META, _KEY)
    if own is None:
        raise JournalUnavailable(
            "the journal has no name yet: start the relay on it once, stop it, and try again"
        )
    moved = [name for each in imports_of(folder) for name in each.journals]
    return list(dict.fromkeys([own.decode(), *moved]))


def imports_of(folder: Folder) -> list[Standing]:
    """What was imported, and what is being imported."""
    found = rows(folder.family(META), layout.IMPORTS, layout.IMPORTS + b"\xff")
    return [standing.unpack(value) for _, value in found]
