"""Samples in PostgreSQL. All replicas salt their digests alike; each counts for itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

import asyncpg

from relay.journal.ledger import hour_of
from relay.journal.sample import Sample
from relay.journal.sampling import Sampler
from relay.model import Entry
from relay.postgres.database import Connection, Database

#: So many samples are read at once.
_PAGE = 5000

_SALT = "select salt from sampling"
_COLUMNS = (
    "event, event_id, event_time, delivered_at, purchase, click, buyer, value, currency, "
    "match_keys, from_tiktok, share"
)
_ADD = f"""
insert into samples (destination, hour, {_COLUMNS})
select $1, * from unnest(
    $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::float8[], $7::bigint[], $8::bigint[],
    $9::bigint[], $10::numeric[], $11::text[], $12::integer[], $13::boolean[], $14::float8[])
"""  # noqa: S608  # constants
_READ = (
    f"select hour, id, destination, {_COLUMNS} from samples "  # noqa: S608  # constants
    "where (hour, id) > ($1, $2) and hour < $3 and ($4::text is null or destination = $4) "
    "order by hour, id limit $5"
)
#: So many different digests there are.
_RANGE = 2**64


class Samples:
    """Samples what one destination delivers."""

    def __init__(self, destination: str) -> None:
        self._destination = destination
        self._sampler: Sampler | None = None

    async def add(self, connection: Connection, entries: Sequence[Entry], now: float) -> None:
        """Of entries that were delivered at `now`, keep a sample; within a transaction."""
        if self._sampler is None:
            # Not while an import decides what the salt is, see `take_salt`.
            await connection.execute("lock table samples in row exclusive mode")
            self._sampler = Sampler(await connection.fetchval(_SALT))
        kept = self._sampler.sample(self._destination, entries, now)
        if kept:
            rows = [(hour_of(entry.event_time), *_signed(sample)[1:]) for entry, sample in kept]
            columns = [list(column) for column in zip(*rows, strict=True)]
            await connection.execute(_ADD, self._destination, *columns)


async def salt_of(connection: Connection) -> bytes:
    """What digests are salted with."""
    salt: bytes = await connection.fetchval(_SALT)
    return salt


async def take_salt(connection: Connection, salt: bytes) -> bool:
    """Salt digests as another journal did; False where there are samples already. A replica that
    is about to store the first one waits, and then asks for the salt."""
    await connection.execute("lock table samples in exclusive mode")
    there = await connection.fetchval("select exists (select 1 from samples)")
    if not there:
        await connection.execute("update sampling set salt = $1", salt)
    return not there


async def receive(connection: Connection, samples: Sequence[Sample]) -> None:
    """Keep samples of another journal whose salt was taken."""
    by_name: dict[str, list[Sample]] = {}
    for each in samples:
        by_name.setdefault(each.destination, []).append(each)
    for destination, kept in sorted(by_name.items()):
        rows = [(hour_of(each.event_time), *_signed(each)[1:]) for each in kept]
        columns = [list(column) for column in zip(*rows, strict=True)]
        await connection.execute(_ADD, destination, *columns)


async def read(
    database: Database, destination: str | None, start_hour: int, end_hour: int
) -> AsyncIterator[Sample]:
    """See `protocol.Archive.samples`."""
    behind = (start_hour, -1)
    while True:
        rows = await database.fetch(_READ, *behind, end_hour, destination, _PAGE)
        for row in rows:
            yield _unsigned(row)
        if len(rows) < _PAGE:
            return
        behind = (rows[-1]["hour"], rows[-1]["id"])


async def forget(connection: Connection, digests: Sequence[str], event_ids: Sequence[str]) -> None:
    """Delete the samples of a person's events: by the person's digests, and by those events' ids,
    for the buyer may be named by another identifier."""
    sampler = Sampler(await connection.fetchval(_SALT))
    await connection.execute(
        "delete from samples where buyer = any($1::bigint[]) or event_id = any($2::bigint[])",
        [_to_signed(sampler.digest_of_person(digest)) for digest in digests],
        [_to_signed(sampler.digest(event_id)) for event_id in event_ids],
    )


def _signed(sample: Sample) -> Sample:
    """With digests as PostgreSQL's bigint has them."""
    return _with_digests(sample, _to_signed)


def _to_signed(digest: int) -> int:
    return digest - _RANGE if digest >= _RANGE // 2 else digest


def _unsigned(row: asyncpg.Record) -> Sample:
    return _with_digests(Sample(*tuple(row)[2:]), lambda each: each % _RANGE)


def _with_digests(sample: Sample, turned: Callable[[int], int]) -> Sample:
    order, click, buyer = sample.order, sample.click, sample.buyer
    return sample._replace(
        event_id=turned(sample.event_id),
        order=None if order is None else turned(order),
        click=None if click is None else turned(click),
        buyer=None if buyer is None else turned(buyer),
    )
