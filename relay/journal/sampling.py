"""Which delivered events are sampled, and what a sample says of them. Pure.

An event has a key for its order and one for its click: digests that mean nothing outside the
journal, for they are salted. It is kept when one of the keys lies below the share; so a sampled
order is there with all its events, and so is a sampled click. An event with neither is kept by
the digest of its id. What names a person is BLAKE2b; of the other digests the first two bytes are
a checksum, mixed with the salt: that decides about nearly all events, at a third of the price.

The share of a destination's event begins at 1 with each hour, and halves as the hour's count passes
`PLENTY` * (2^n - 1): each half adds about as many rows. It is counted by each process for itself.

Only what is kept has its body parsed. What is not costs a checksum or two: when measured, 0.4 us
an event, and 1.3 us more where its click has to be looked for in the body.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, urlsplit
from zlib import crc32

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
_LOW_BITS: Final = 48
_32_BITS: Final = 0xFFFF_FFFF
_FEWEST: Final = 63


#: Digests of the order and the click of an event, where it has them.
_Keys = tuple[int | None, int | None]


class Kept(NamedTuple):
    """An entry that is sampled, and its sample."""

    entry: Entry
    sample: Sample


class Sampler:
    """Samples what is delivered; `salt` is the journal's own."""

    def __init__(self, salt: bytes) -> None:
        self._keyed = blake2b(digest_size=_BYTES, key=salt)
        secret = blake2b(salt, digest_size=12, person=b"checksum").digest()
        self._seed, self._mask, odd = (int.from_bytes(secret[at : at + 4]) for at in (0, 4, 8))
        self._odd = odd | 1
        self._hour = -1
        self._counts: defaultdict[tuple[str, str], int] = defaultdict(int)

    def digest(self, value: str) -> int:
        """What stands for an order, a click or an event in samples."""
        return self._key(value.encode())

    def digest_of_person(self, identifier: str) -> int:
        """What stands for a buyer, who is known by a hashed identifier."""
        return self._hashed(identifier.encode())

    def _hashed(self, value: bytes) -> int:
        hashed = self._keyed.copy()
        hashed.update(value)
        return int.from_bytes(hashed.digest(), "big")

    def _key(self, value: bytes) -> int:
        mixed = (crc32(value, self._seed) ^ self._mask) * self._odd & _32_BITS
        return mixed >> 16 << _LOW_BITS | self._hashed(value) >> 16

    def sample(self, destination: str, entries: Sequence[Entry], now: float) -> list[Kept]:
        """Of entries that were delivered at `now` (Unix seconds), those to keep; no test events."""
        hour = int(now // _HOUR_S)
        if hour != self._hour:
            self._hour = hour
            self._counts.clear()
        kept: list[Kept] = []
        for name, named in _by_name(entries).items():
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
        """Entries to keep, with their keys."""
        limit = 1 << 8 * _BYTES - halvings
        for entry in self._maybe_below(entries, limit) if halvings else entries:
            keys = self._keys(entry)
            found = [key for key in keys if key is not None] or [self.digest(entry.event_id)]
            if min(found) < limit:
                yield entry, keys

    def _maybe_below(self, entries: Sequence[Entry], limit: int) -> Iterator[Entry]:
        """Leave out whose checksums rule it out. On the way of every event."""
        seed, mask, odd = self._seed, self._mask, self._odd
        bound = ((limit - 1 >> _LOW_BITS) + 1) << 16
        for entry in entries:
            order_id = entry.order_id
            if (
                order_id is not None
                and (crc32(order_id.encode(), seed) ^ mask) * odd & _32_BITS < bound
            ):
                yield entry
            elif order_id is None or entry.match_keys & _TTCLID:
                other = _click_of(entry)
                if other is None and order_id is None:
                    other = entry.event_id.encode()
                if other is not None and (crc32(other, seed) ^ mask) * odd & _32_BITS < bound:
                    yield entry

    def _keys(self, entry: Entry) -> _Keys:
        order = None if entry.order_id is None else self.digest(entry.order_id)
        click = _click_of(entry)
        return order, None if click is None else self._key(click)

    def _sample(
        self,
        destination: str,
        entry: Entry,
        keys: _Keys,
        now: float,
        share: float,
    ) -> Sample:
        order, click = keys
        item = _parsed(entry.body)
        buyer = _buyer(item.get("user"))
        value = entry.value
        return Sample(
            destination, entry.name, self.digest(entry.event_id), entry.event_time, now,
            order, click, None if buyer is None else self.digest_of_person(buyer),
            None if value is None else Decimal(value), entry.currency, entry.match_keys,
            came_from_tiktok(item.get("page")), share,
        )  # fmt: skip


def _by_name(entries: Sequence[Entry]) -> Mapping[str, Sequence[Entry]]:
    """Those that are no test events."""
    real = [entry for entry in entries if entry.test_event_code is None]
    names = {entry.name for entry in real}
    if len(names) == 1:
        return dict.fromkeys(names, real)
    found: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in real:
        found[entry.name].append(entry)
    return found


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


def _click_of(entry: Entry) -> bytes | None:
    """The click id as it stands in the body."""
    if not entry.match_keys & _TTCLID:
        return None
    body = entry.body
    begin = body.find(_CLICK_BEGINS) + _CLICK_AT
    return body[begin : body.find(b'"', begin)] if begin >= _CLICK_AT else None


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
