"""Sums that an earlier release left in the database, and what this one adds to them."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from relay.journal.distributed import book
from relay.journal.ledger import Sums
from relay.postgres.database import Database

pytestmark = pytest.mark.needs("postgres")

LINE = (7, "Purchase", "delivered")


async def test_rows_of_an_earlier_release_are_read_and_added_to(database: str) -> None:
    async with Database(lambda: database) as opened:
        await opened.execute(
            "insert into ledger (hour, destination, event, outcome, shard, count, keys) "
            "values (7, 'web', 'Purchase', 'delivered', 0, 2, '{1,2,0,0,0,0,0,0,0,0}')"
        )
        await opened.execute(
            "insert into ledger_values "
            "(hour, destination, event, outcome, shard, currency, amount) "
            "values (7, 'web', 'Purchase', 'delivered', 0, 'EUR', 1.50)"
        )
        (before,) = [row async for row in book.sums(opened, None, 0, 9)]
        more = Sums(
            3, {"EUR": Decimal("0.25")}, Counter(email=2), 1, {"EUR": Decimal("0.25")}, 1,
            Counter({"1h": 2, "7d": 1}), Counter(accepted=2),
        )  # fmt: skip
        for _ in range(2):
            async with opened.transaction() as connection:
                await book.add(connection, "web", 0, {LINE: more})
        (after,) = [row async for row in book.sums(opened, "web", 7, 8)]

    keys = Counter(ttclid=1, email=2)
    assert before.sums == Sums(2, {"EUR": Decimal("1.50")}, keys)
    assert after.sums == Sums(
        8, {"EUR": Decimal("2.00")}, keys + Counter(email=4), 2, {"EUR": Decimal("0.50")}, 2,
        Counter({"1h": 4, "7d": 2}), Counter(accepted=4),
    )  # fmt: skip
