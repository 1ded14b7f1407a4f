"""Reports that were made of late, kept for the pages that follow the first. Pure."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, NamedTuple

#: So long do the pages of one reading belong together.
_KEPT_S: Final = 600.0


class Sheet(NamedTuple):
    """A report: its rows as JSON, in order; their total; whether ids were left out."""

    rows: list[bytes]
    total: dict[str, str]
    is_cut: bool
    made_at: float

    @property
    def size_bytes(self) -> int:
        return sum(map(len, self.rows)) + 60 * len(self.rows)


class Shelf:
    """The reports that were made of late."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._sheets: OrderedDict[bytes, tuple[Sheet, int]] = OrderedDict()
        self._size = 0

    def find(self, key: bytes, now: float) -> Sheet | None:
        kept = self._sheets.get(key)
        return kept[0] if kept and now - kept[0].made_at < _KEPT_S else None

    def put(self, key: bytes, sheet: Sheet) -> None:
        self._size -= self._sheets.pop(key, (sheet, 0))[1]
        size = sheet.size_bytes
        if size > self._most_bytes:
            return
        self._sheets[key] = (sheet, size)
        self._size += size
        while self._size > self._most_bytes:
            self._size -= self._sheets.popitem(last=False)[1][1]
