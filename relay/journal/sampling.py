"""Which delivered events are sampled, and what a sample says of them. Pure.

An event has a key for its order and one for its click: digests that mean nothing outside the
journal, for they are salted. It is kept when one of the keys lies below the share; so a sampled
order is there with all its events, and so is a sampled click. An event with neither is kept by
the digest of its id.

The share of a destination's event begins at 1 with each hour, and halves as the hour's count passes
`PLENTY` * (2^n - 1): each half adds about as many rows. It is counted by each process for itself.

Only what is kept has its body parsed. What is not costs a digest or two.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import orjson

from relay.journal.sample import Sample
from relay.model import Entry, MatchKey

#: So many events of an hour are sampled whole.
PLENTY: Final = 2000
SALT_BYTES: Final = 16

_HOUR_S: Final = 3600
_BYTES: Final = 8
_TTCLID: Final = MatchKey.TTCLID.value
#: A click id holds no quote and nothing that JSON escapes, and stands before the sender's own keys.
_CLICK_BEGINS: Final = b'"ttclid":"'
_CLICK_AT: Final = len(_CLICK_BEGINS)
_EVERYTHING: Final = b"\xff" * (_BYTES + 1)
_FEWEST: Final = 63


#: Digests of the order and the click of an event, where it has them.
_Keys = tuple[bytes | None, bytes | None]


class Kept(NamedTuple):
    """An entry that is sampled, and its sample."""

    entry: Entry
    sample: Sample


class Sampler:
    """Samples what is delivered; `salt` is the journal's own."""

    def __init__(self, salt: bytes) -> None:
        self._keyed = blake2b(digest_size=_BYTES, key=salt)
        self._hour = -1
        self._counts: defaultdict[tuple[str, str], int] = defaultdict(int)

    def digest(self, value: str) -> int:
        """What stands for a value in samples."""
        return int.from_bytes(self._digest(value.encode()), "big")

    def _digest(self, value: bytes) -> bytes:
        hashed = self._keyed.copy()
        hashed.update(value)
        return hashed.digest()

    def sample(self, destination: str, entries: Sequence[Entry], now: float) -> list[Kept]:
        """Of entries that were delivered at `now` (Unix seconds), those to keep; no test events."""
        hour = int(now // _HOUR_S)
        if hour != self._hour:
            self._hour = hour
            self._counts.clear()
        by_name: defaultdict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            if entry.test_event_code is None:
                by_name[entry.name].append(entry)
        kept: list[Kept] = []
        for name, named in by_name.items():
            count = self._counts[destination, name]
            self._counts[destination, name] = count + len(named)
            for halvings, start, stop in portions(count, len(named)):
                share = 2.0**-halvings
                kept += [
                    Kept(entry, self._sample(destination, entry, keys, now, share))
                    for entry, keys in self._below(named[start:stop], halvings)
                ]
        return kept

    def _below(self, entries: Sequence[Entry], halvings: int) -> Iterator[tuple[Entry, _Keys]]:
        """Entries to keep, with their keys. On the way of every event."""
        limit = (1 << 8 * _BYTES - halvings).to_bytes(_BYTES, "big") if halvings else _EVERYTHING
        keys_of = self._keys
        for entry in entries:
            keys = keys_of(entry)
            order, click = keys
            if order is not None and order < limit:
                yield entry, keys
            elif click is not None:
                if click < limit:
                    yield entry, keys
            elif order is None and self._digest(entry.event_id.encode()) < limit:
                yield entry, keys

    def _keys(self, entry: Entry) -> _Keys:
        order = click = None
        if entry.order_id is not None:
            order = self._digest(entry.order_id.encode())
        if entry.match_keys & _TTCLID:
            body = entry.body
            begin = body.find(_CLICK_BEGINS) + _CLICK_AT
            if begin >= _CLICK_AT:
                click = self._digest(body[begin : body.find(b'"', begin)])
        return order, click

    def _sample(
        self,
        destination: str,
        entry: Entry,
        keys: _Keys,
        now: float,
        share: float,
    ) -> Sample:
        order, click = (None if key is None else int.from_bytes(key, "big") for key in keys)
        item = _parsed(entry.body)
        buyer = _buyer(item.get("user"))
        value = entry.value
        return Sample(
            destination, entry.name, self.digest(entry.event_id), entry.event_time, now,
            order, click, None if buyer is None else self.digest(buyer),
            None if value is None else Decimal(value), entry.currency, entry.match_keys,
            came_from_tiktok(item.get("page")), share,
        )  # fmt: skip


def portions(count: int, more: int) -> list[tuple[int, int, int]]:
    """How often the share is halved for which of `more` events that come after `count` others, as
    (halvings, start, stop)."""
    found = []
    start = 0
    while start < more:
        halvings = min(((count + start) // PLENTY + 1).bit_length() - 1, _FEWEST)
        until = PLENTY * (2 ** (halvings + 1) - 1) - count
        stop = min(more, until) if halvings < _FEWEST else more
        found.append((halvings, start, stop))
        start = stop
    return found


# --- what a body says ----------------------------------------------------------------------------


def _parsed(body: bytes) -> dict[str, Any]:
    with suppress(orjson.JSONDecodeError):
        item = orjson.loads(body)
        if isinstance(item, dict):
            return item
    return {}


def _buyer(user: object) -> str | None:
    """What names the person best, as a digest."""
    if not isinstance(user, dict):
        return None
    for key in ("external_id", "email", "phone"):
        found = user.get(key)
        first = found[0] if isinstance(found, list) and found else found
        if isinstance(first, str):
            return first
    return None


def came_from_tiktok(page: object) -> bool:
    """Does the page's address or its referrer name TikTok, with a click id or without?"""
    if not isinstance(page, dict):
        return False
    return _names_tiktok(page.get("url")) or _is_tiktok(page.get("referrer"))


def _names_tiktok(url: object) -> bool:
    if not isinstance(url, str) or "?" not in url:
        return False
    with suppress(ValueError):  # no URL, or more parameters than any page has
        query = urlsplit(url).query
        for name, value in parse_qsl(query, keep_blank_values=False, max_num_fields=1000):
            if name == "ttclid" or (name == "utm_source" and "tiktok" in value.lower()):
                return True
    return False


def _is_tiktok(referrer: object) -> bool:
    if not isinstance(referrer, str):
        return False
    with suppress(ValueError):
        host = urlsplit(referrer).hostname or ""
        return host == "tiktok.com" or host.endswith(".tiktok.com")
    return False
