"""Claims of another journal on their way into a folder: whose they are here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from rocksdict import WriteBatch

from relay.journal import layout
from relay.journal.moving.rows import Claim, Moved, Row
from relay.journal.queue import Queue
from relay.journal.rocksdb import claims
from relay.journal.rocksdb.append import NO_ENTRY
from relay.journal.rocksdb.folder import CLAIMS
from relay.journal.rocksdb.state import State

_DAY_S = 86_400.0


class Taking(NamedTuple):
    """One write that takes rows in: what it changes, when, and how long a destination's claims
    last."""

    state: State
    batch: WriteBatch
    now: float
    window_s: Callable[[str], float]

    def queue(self, destination: str) -> Queue:
        return self.state.queue(destination, self.batch)

    def day_of(self, at: float) -> str:
        """The day whose family keeps what is of that time; none is later than today."""
        return min(layout.day_name(at), self.state.today)


class MovedClaims:
    """All claims that some rows could meet, and what they become. `destinations` are the file's."""

    def __init__(self, taking: Taking, destinations: Sequence[str], rows: Iterable[Row]) -> None:
        self._taking = taking
        self._destinations = destinations
        keys: list[bytes] = []
        for row in rows:
            if isinstance(row, Claim):
                keys += self._keys(row)
            elif isinstance(row, Moved) and row.outcome is None and row.claim is not None:
                lane = taking.queue(row.destination).number
                keys.append(layout.claim_key(lane, row.claim))
                keys.append(layout.receipt_claim_key(lane, row.receipt))
        found = claims.lookup(taking.state.folder, keys)
        self._owners = {key: value for key, value in zip(keys, found, strict=True) if value}

    def _keys(self, claim: Claim) -> list[bytes]:
        """Where the destination is mixed into the claim, it is set down for each: for any other
        one it is a number that no event ever has."""
        names = self._destinations if claim.destination is None else (claim.destination,)
        return [
            layout.claim_key(
                self._taking.queue(name).number,
                claim.claim if claim.destination else layout.mixed_claim(name, claim.claim),
            )
            for name in names
        ]

    def is_known(self, key: bytes, own: bytes, tag: tuple[int, int]) -> bool:
        """Is this receipt here already, under the event's key or under its own?"""
        owner = self._owners.get(key)
        return own in self._owners or (owner is not None and layout.unpack_claim(owner).tag == tag)

    def is_anothers(self, key: bytes, tag: tuple[int, int], destination: str) -> bool:
        """Does another receipt own the event still?"""
        owner = self._owners.get(key)
        if owner is None:
            return False
        claim = layout.unpack_claim(owner)
        lasting = self._taking.now - claim.at < self._taking.window_s(destination)
        return claim.tag != tag and lasting

    def reserve(self, key: bytes, at: float, tag: tuple[int, int]) -> None:
        """For the rows that follow in this write; `set_down` stores it."""
        self._owners[key] = layout.pack_claim(NO_ENTRY, at, tag)

    def set_down(self, key: bytes, claim: layout.Claim, day: str) -> None:
        """Store a claim among those of a day."""
        packed = layout.pack_claim(*claim)
        self._owners[key] = packed
        folder = self._taking.state.folder
        folder.create(CLAIMS + day)
        self._taking.batch.put(key, packed, folder.handle(CLAIMS + day))

    def take(self, row: Claim) -> bool:
        """Keep a claim, if it lasts and is not in the way of a newer one; False where it is past
        its time."""
        longest_s = max(map(self._taking.window_s, self._destinations), default=0.0)
        if row.at < self._taking.now - longest_s - _DAY_S:
            return False
        for key in self._keys(row):
            owner = self._owners.get(key)
            known = None if owner is None else layout.unpack_claim(owner)
            if known is None or (known.tag != row.tag and known.at < row.at - longest_s):
                day = self._taking.day_of(row.at)
                self.set_down(key, layout.Claim(NO_ENTRY, row.at, row.tag), day)
        return True
