"""The ledger in PostgreSQL: exact sums by hour, destination, event and outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping

from relay.journal.ledger import LedgerRow, Sums
from relay.model import MatchKey, Outcome
from relay.postgres.database import Connection, Database

#: (hour, event, outcome)
Line = tuple[int, str, str]

_KEYS = [(key.name or "").lower() for key in MatchKey]

_ADD = """
insert into ledger (hour, destination, event, outcome, shard, count, keys)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (hour, destination, event, outcome, shard) do update set
    count = ledger.count + excluded.count,
    keys = (select array_agg(coalesce(a, 0) + coalesce(b, 0) order by place)
            from unnest(ledger.keys, excluded.keys) with ordinality as both_(a, b, place))
"""
_ADD_VALUE = """
insert into ledger_values (hour, destination, event, outcome, shard, currency, amount)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (hour, destination, event, outcome, shard, currency) do update set
    amount = ledger_values.amount + excluded.amount
"""

_WHERE = "where hour >= $1 and hour < $2 and ($3::text is null or destination = $3)"
_VALUES = (
    "select hour, destination, event, outcome, currency, sum(amount) as amount "  # noqa: S608
    f"from ledger_values {_WHERE} group by 1, 2, 3, 4, 5"
)
_SUMMED = ", ".join(f"sum(keys[{at}])::bigint" for at in range(1, len(_KEYS) + 1))
_SUMS = (
    "select hour, destination, event, outcome, sum(count)::bigint as count, "  # noqa: S608  # constants
    f"array[{_SUMMED}] as keys from ledger {_WHERE} group by 1, 2, 3, 4 order by 1, 2, 3, 4"
)


async def add(
    connection: Connection, destination: str, shard: int, lines: Mapping[Line, Sums]
) -> None:
    """Add sums. In order, so that two who add to the same rows never wait in a circle."""
    rows, values = [], []
    for (hour, event, outcome), sums in sorted(lines.items(), key=lambda line: line[0]):
        place = (hour, destination, event, outcome, shard)
        rows.append((*place, sums.count, [sums.keys.get(key, 0) for key in _KEYS]))
        values += [(*place, currency, amount) for currency, amount in sorted(sums.value.items())]
    if rows:
        await connection.executemany(_ADD, rows)
    if values:
        await connection.executemany(_ADD_VALUE, values)


async def sums(
    database: Database, destination: str | None, start_hour: int, end_hour: int
) -> AsyncIterator[LedgerRow]:
    """See `protocol.Records.sums`."""
    amounts: dict[tuple[int, str, str, str], dict[str, object]] = {}
    for row in await database.fetch(
        _VALUES,
        start_hour, end_hour, destination,
    ):  # fmt: skip
        amounts.setdefault(tuple(row)[:4], {})[row["currency"]] = row["amount"]
    for row in await database.fetch(
        _SUMS,
        start_hour, end_hour, destination,
    ):  # fmt: skip
        keys = {name: n for name, n in zip(_KEYS, row["keys"], strict=True) if n}
        value = amounts.get(tuple(row)[:4], {})
        yield LedgerRow(
            row["hour"], row["destination"], row["event"], Outcome(row["outcome"]),
            Sums(row["count"], value, Counter(keys)),  # type: ignore[arg-type]
        )  # fmt: skip
