"""A world in which nothing is wrong, and worlds that are as good."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from relay.audit.facts import Day
from relay.audit.findings import Audit, Severity, State
from relay.audit.judge import judge
from relay.config.audit import Thresholds
from tests.unit.audit.world import NOW, World, hourly


def above_info(audit: Audit) -> list[str]:
    return [each.says for each in audit.findings if each.severity is not Severity.INFO]


def test_a_clean_world_yields_nothing_above_info() -> None:
    audit = World().audit()

    assert above_info(audit) == []
    assert State.NOT_JUDGED not in {each.state for each in audit.judgements}
    assert not audit.is_partial
    assert audit.worst is Severity.INFO


@pytest.mark.parametrize(
    "name",
    ["Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata", "Pacific/Auckland", "Etc/GMT+8"],
)
def test_so_it_is_in_every_zone_and_over_a_day_of_25_hours(name: str) -> None:
    """Berlin's and Los Angeles' clocks change within the six weeks."""
    zone = ZoneInfo(name)
    offset = zone.utcoffset(NOW.replace(tzinfo=None))
    assert offset is not None
    world = World(hours=hourly(offset))
    world.zone(zone, name)

    assert above_info(world.audit()) == []


@pytest.mark.parametrize("rate", ["0.5", "2", "165.3"])
def test_so_it_is_in_another_currency(rate: str) -> None:
    """Orders in yen or dollars; the account and its reports in euros."""
    world = World(more={"rates": {"USD": Decimal(1) / Decimal(rate)}})

    def exchanged(sums: Any) -> Any:
        def in_dollars(amounts: dict[str, Decimal]) -> dict[str, Decimal]:
            return {"USD": amounts["EUR"] * Decimal(rate)}

        return replace(sums, value=in_dollars(sums.value), click_value=in_dollars(sums.click_value))

    world.each_sums(exchanged)
    world.samples = [each._replace(currency="USD") for each in world.samples]

    assert above_info(world.audit()) == []


@pytest.mark.parametrize("times", [10, 1000])
def test_so_it_is_of_a_large_shop(times: int) -> None:
    world = World()

    def more(sums: Any) -> Any:
        return replace(
            sums,
            count=sums.count * times,
            value={"EUR": sums.value["EUR"] * times},
            click_value={"EUR": sums.click_value["EUR"] * times},
            keys=Counter({key: count * times for key, count in sums.keys.items()}),
        )

    def more_reported(row: Day) -> Day:
        counts: dict[str, Any] = {
            name: (getattr(row, name) or 0) * times
            for name in (
                "conversions", "conversions_by_event_day", "click_through", "view_through",
                "engaged_view_through",
            )
        }  # fmt: skip
        return replace(
            row, **counts, counts={"SHOPPING": row.counts["SHOPPING"] * times},
            values={"SHOPPING": row.values["SHOPPING"] * times},
            purchase_roas=None,
        )  # fmt: skip

    world.each_sums(more)
    world.each_day(more_reported)
    world.each_count(
        lambda e: replace(e, total=64 * times, server=64 * times, attributed=24 * times)
    )
    world.hours = [
        replace(each, conversions_by_event_day=(each.conversions_by_event_day or 0) * times)
        for each in world.hours
    ]

    assert above_info(world.audit()) == []


def test_so_it_is_of_a_shop_that_sells_three_times_a_day() -> None:
    """One of the three after a click on an ad of the only group."""
    world = World(samples=[])
    world.adgroups = world.adgroups[:1]
    world.each_row(lambda row: row if row.hour % 24 in (8, 13, 18) else None)
    world.each_row(
        lambda row: row._replace(
            sums=replace(
                row.sums, count=1, value={"EUR": Decimal(50)},
                click_value={"EUR": Decimal(50 if row.hour % 24 == 8 else 0)},
                keys=Counter(ttclid=int(row.hour % 24 == 8), email=1, phone=1, ip=1, user_agent=1),
            )
        )
    )  # fmt: skip
    world.days = [
        replace(
            row, spend=Decimal(18), clicks=30, conversions=1, conversions_by_event_day=1,
            click_through=1, view_through=0, engaged_view_through=0, landing_page_views=26,
            counts={"SHOPPING": 1}, values={"SHOPPING": Decimal(50)}, purchase_roas=None,
        )
        for row in world.days
        if row.id not in ("g2", "a2")
    ]  # fmt: skip
    world.each_count(lambda e: replace(e, total=3, server=3, attributed=1))
    world.hours = []

    assert above_info(world.audit()) == []


def test_an_audit_in_the_middle_of_a_day_is_as_clean() -> None:
    for hours in range(0, 24, 5):
        at = datetime(2026, 11, 22, hours, 30, tzinfo=UTC)
        world = World(now=at.timestamp())
        world.each_row(lambda row, at=at: row if row.hour < at.timestamp() // 3600 else None)  # type: ignore[misc]

        assert above_info(world.audit()) == []


class _Once(list[Day]):
    """Rows that may be read once: those of ads would not fit into memory."""

    reads = 0

    def __iter__(self) -> Iterator[Day]:
        self.reads += 1
        assert self.reads == 1
        return super().__iter__()


def test_the_rows_of_reports_are_read_once() -> None:
    world = World()
    world.days = rows = _Once(world.days)

    audit = judge(world.facts(), Thresholds())

    assert rows.reads == 1
    assert above_info(audit) == []
