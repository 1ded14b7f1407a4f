"""Rows that are added to: those in use stay in memory, what changed is written with the group."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from rocksdict import WriteBatch

from relay.journal.rocksdb.folder import Folder
from relay.journal.rocksdb.trouble import Damaged

#: Rows in memory; the least recently touched are forgotten (they are stored).
ROWS = 4096

_Row = TypeVar("_Row")


class Tallies(Generic[_Row]):
    """The rows of one column family. `on_damage` is told how many could not be read; such a row
    begins anew."""

    def __init__(
        self,
        family: str,
        unpack: Callable[[bytes], _Row],
        pack: Callable[[_Row], bytes],
        on_damage: Callable[[int], None],
    ) -> None:
        self._family = family
        self._unpack = unpack
        self._pack = pack
        self._on_damage = on_damage
        self._rows: dict[bytes, _Row] = {}
        self._changed: dict[bytes, _Row] = {}

    def changing(self, folder: Folder, key: bytes) -> _Row:
        """The row, to be changed; `store` writes it."""
        row = self._rows.pop(key, None)
        if row is None:
            row = self._stored(folder, key)
        self._rows[key] = row  # moved to the end: the dict is in order of use
        self._changed[key] = row
        return row

    def _stored(self, folder: Folder, key: bytes) -> _Row:
        try:
            stored = folder.get(self._family, key)
        except Damaged:
            self._on_damage(1)
            stored = None
        return self._unpack(stored or b"{}")

    def store(self, folder: Folder, batch: WriteBatch) -> None:
        if not self._changed:
            return
        handle = folder.handle(self._family)
        for key, row in self._changed.items():
            batch.put(key, self._pack(row), handle)
        self._changed.clear()
        while len(self._rows) > ROWS:
            del self._rows[next(iter(self._rows))]

    def forget(self) -> None:
        """Forget what was not stored."""
        self._rows.clear()
        self._changed.clear()
