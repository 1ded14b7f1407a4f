"""The ledger in PostgreSQL: exact sums by hour, destination, event and outcome, and what was wrong
with fields."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from relay.journal.issues import IssueRow
from relay.journal.issues import Row as IssueCounts
from relay.journal.ledger import LATE, LedgerRow, Sums
from relay.model import MatchKey, Outcome
from relay.postgres.database import Connection, Database

#: (hour, event, outcome)
Line = tuple[int, str, str]

_KEYS = [(key.name or "").lower() for key in MatchKey]
_LATE = list(LATE)

_ADDED = (
    "(select array_agg(coalesce(a, 0) + coalesce(b, 0) order by place) "
    "from unnest(ledger.{0}, excluded.{0}) with ordinality as both_(a, b, place))"
)
_ADD = f"""
insert into ledger (hour, destination, event, outcome, shard, count, keys, tests, worthless, late)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (hour, destination, event, outcome, shard) do update set
    count = ledger.count + excluded.count,
    keys = {_ADDED.format("keys")},
    tests = ledger.tests + excluded.tests,
    worthless = ledger.worthless + excluded.worthless,
    late = {_ADDED.format("late")}
"""  # noqa: S608  # constants
_ADD_VALUE = """
insert into ledger_values (hour, destination, event, outcome, shard, currency, amount, click_amount)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (hour, destination, event, outcome, shard, currency) do update set
    amount = ledger_values.amount + excluded.amount,
    click_amount = ledger_values.click_amount + excluded.click_amount
"""
_ADD_REASON = """
insert into ledger_reasons (hour, destination, event, outcome, shard, reason, count)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (hour, destination, event, outcome, shard, reason) do update set
    count = ledger_reasons.count + excluded.count
"""
_ADD_ISSUE = """
insert into issues (hour, destination, event, field, reason, shard, count)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (hour, destination, event, field, reason, shard) do update set
    count = issues.count + excluded.count
"""

_WHERE = "where hour >= $1 and hour < $2 and ($3::text is null or destination = $3)"
_VALUES = (
    "select hour, destination, event, outcome, currency, sum(amount) as amount, "  # noqa: S608
    "sum(click_amount) as click_amount, "
    "bool_or(click_amount <> 0) as clicked "
    f"from ledger_values {_WHERE} group by 1, 2, 3, 4, 5"
)
_REASONS = (
    "select hour, destination, event, outcome, reason, sum(count)::bigint as count "  # noqa: S608
    f"from ledger_reasons {_WHERE} group by 1, 2, 3, 4, 5"
)


def _summed(array: str, length: int) -> str:
    places = ", ".join(f"coalesce(sum({array}[{at}]), 0)::bigint" for at in range(1, length + 1))
    return f"array[{places}] as {array}"


_SUMS = (
    "select hour, destination, event, outcome, sum(count)::bigint as count, "  # noqa: S608
    "sum(tests)::bigint as tests, sum(worthless)::bigint as worthless, "
    f"{_summed('keys', len(_KEYS))}, {_summed('late', len(_LATE))} "
    f"from ledger {_WHERE} group by 1, 2, 3, 4 order by 1, 2, 3, 4"
)
_ISSUES = (
    "select hour, destination, event, field, reason, sum(count)::bigint as count "  # noqa: S608
    f"from issues {_WHERE} group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5"
)

#: Tables whose rows are forgotten by their hour.
BY_HOUR = ("ledger", "ledger_values", "ledger_reasons", "issues")


async def add(
    connection: Connection, destination: str, shard: int, lines: Mapping[Line, Sums]
) -> None:
    """Add sums. In order, so that two who add to the same rows never wait in a circle."""
    rows: list[tuple[object, ...]] = []
    values: list[tuple[object, ...]] = []
    reasons: list[tuple[object, ...]] = []
    for (hour, event, outcome), sums in sorted(lines.items(), key=lambda line: line[0]):
        place = (hour, destination, event, outcome, shard)
        rows.append(
            (
                *place, sums.count, _array(sums.keys, _KEYS), sums.tests, sums.worthless,
                _array(sums.late, _LATE),
            )
        )  # fmt: skip
        values += [
            (*place, currency, amount, sums.click_value.get(currency, 0))
            for currency, amount in sorted(sums.value.items())
        ]
        reasons += [(*place, reason, count) for reason, count in sorted(sums.reasons.items())]
    for statement, added in ((_ADD, rows), (_ADD_VALUE, values), (_ADD_REASON, reasons)):
        if added:
            await connection.executemany(statement, added)


def _array(counts: Mapping[str, int], names: Sequence[str]) -> list[int]:
    return [counts.get(name, 0) for name in names]


async def add_issues(
    connection: Connection,
    destination: str,
    shard: int,
    found: Mapping[tuple[int, str], IssueCounts],
) -> None:
    """Add counts of field issues, by (hour, event). In order, as above."""
    rows = [
        (hour, destination, event, field, reason, shard, count)
        for (hour, event), counts in found.items()
        for (field, reason), count in counts.items()
    ]
    if rows:
        await connection.executemany(_ADD_ISSUE, sorted(rows))


async def sums(
    database: Database, destination: str | None, start_hour: int, end_hour: int
) -> AsyncIterator[LedgerRow]:
    """See `protocol.Archive.sums`."""
    asked = (start_hour, end_hour, destination)
    found: dict[tuple[Any, ...], Sums] = {}
    for row in await database.fetch(_SUMS, *asked):
        found[tuple(row)[:4]] = Sums(
            row["count"],
            keys=_counted(row["keys"], _KEYS),
            tests=row["tests"],
            worthless=row["worthless"],
            late=_counted(row["late"], _LATE),
        )
    for row in await database.fetch(_VALUES, *asked):
        mine = found.get(tuple(row)[:4], Sums())  # absent: it was booked between the two questions
        mine.value[row["currency"]] = row["amount"]
        if row["clicked"]:
            mine.click_value[row["currency"]] = row["click_amount"]
    for row in await database.fetch(_REASONS, *asked):
        found.get(tuple(row)[:4], Sums()).reasons[row["reason"]] = row["count"]
    for (hour, name, event, outcome), mine in found.items():
        yield LedgerRow(hour, name, event, Outcome(outcome), mine)


def _counted(array: Sequence[int], names: Sequence[str]) -> Counter[str]:
    return Counter({name: count for name, count in zip(names, array, strict=True) if count})


async def issues(
    database: Database, destination: str | None, start_hour: int, end_hour: int
) -> AsyncIterator[IssueRow]:
    """See `protocol.Archive.issues`."""
    for row in await database.fetch(_ISSUES, start_hour, end_hour, destination):
        yield IssueRow(*row)
