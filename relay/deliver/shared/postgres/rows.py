"""Tokens and destinations as PostgreSQL keeps them (migration 0002)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import orjson

from relay.deliver.breaker import Cause, LaneState, Standing
from relay.deliver.limiter import LimiterState
from relay.deliver.shared.standings import LaneRow
from relay.deliver.shared.tokens import Ledger
from relay.postgres.database import Connection

#: The database's time, in Unix seconds, beside every row.
_NOW = "extract(epoch from clock_timestamp())::float8 as now"


def token_key(reference: str) -> bytes:
    """Names a token by where its secret is kept; the token itself goes nowhere."""
    return hashlib.sha256(f"token {reference}".encode()).digest()


# --- tokens ---------------------------------------------------------------------------------------


async def ledgers(connection: Connection, keys: Sequence[bytes]) -> Sequence[Any]:
    """The rows of these tokens, as far as there are any; `ledger_of` reads one."""
    rows: Sequence[Any] = await connection.fetch(
        f"select *, {_NOW} from budgets where token = any($1::bytea[])",  # noqa: S608  # a constant
        list(keys),
    )
    return rows


async def locked_ledger(connection: Connection, key: bytes, rate: float) -> Any:
    """A token's row, which is ours until the transaction ends; made, with `rate`, if need be."""
    asked = f"select *, {_NOW} from budgets where token = $1 for update"  # noqa: S608  # a constant
    row = await connection.fetchrow(asked, key)
    if row is None:
        await connection.execute(
            "insert into budgets (token, rate) values ($1, $2) on conflict do nothing", key, rate
        )
        row = await connection.fetchrow(asked, key)
    return row


def ledger_of(row: Any) -> Ledger:
    limits = LimiterState(*(row[name] for name in LimiterState._fields))
    return Ledger(limits, row["lessee"], row["leased_at"], row["contested_at"])


async def store_ledger(connection: Connection, key: bytes, ledger: Ledger) -> None:
    await connection.execute(
        "update budgets set rate = $2, wall = $3, next_at = $4, held_until = $5, cut_at = $6, "
        "proved_at = $7, streak = $8, lessee = $9, leased_at = $10, contested_at = $11 "
        "where token = $1",
        key,
        *ledger.limits,
        ledger.lessee,
        ledger.leased_at,
        ledger.contested_at,
    )


# --- destinations ---------------------------------------------------------------------------------


async def lane_rows(connection: Connection, names: Sequence[str]) -> Sequence[Any]:
    """The rows of these destinations, as far as there are any; `lane_of` reads one."""
    rows: Sequence[Any] = await connection.fetch(
        f"select *, {_NOW} from lanes where destination = any($1::text[])",  # noqa: S608  # a constant
        list(names),
    )
    return rows


async def locked_lane(connection: Connection, name: str) -> Any:
    """A destination's row, which is ours until the transaction ends; made if need be."""
    asked = f"select *, {_NOW} from lanes where destination = $1 for update"  # noqa: S608  # a constant
    row = await connection.fetchrow(asked, name)
    if row is None:
        await connection.execute(
            "insert into lanes (destination) values ($1) on conflict do nothing", name
        )
        row = await connection.fetchrow(asked, name)
    return row


def lane_of(row: Any) -> LaneRow:
    cause = None if row["cause"] is None else Cause(**orjson.loads(row["cause"]))
    standing = Standing(
        LaneState(row["state"]), row["since"], cause, row["probe_at"], row["failures"]
    )
    return LaneRow(row["version"], standing, row["prober"], row["prober_until"])


async def store_lane(connection: Connection, name: str, row: LaneRow) -> None:
    state, since, cause, probe_at, failures = row.standing
    await connection.execute(
        "update lanes set version = $2, state = $3, since = $4, cause = $5, probe_at = $6, "
        "failures = $7, prober = $8, prober_until = $9 where destination = $1",
        name,
        row.version,
        state.value,
        since,
        None if cause is None else orjson.dumps(asdict(cause)).decode(),
        probe_at,
        failures,
        row.prober,
        row.prober_until,
    )
