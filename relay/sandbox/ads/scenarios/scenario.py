"""What may be wrong with an ad account or with what is sent, as data: one fault, and its like."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from relay.sandbox.ads.market import Market
from relay.sandbox.ads.model import AdGroup
from relay.sandbox.ads.plan import Quirks, WorldPlan, shop
from relay.sandbox.ads.season import Season
from relay.sandbox.ads.zone import DAY_S

#: Changes an account before its first day.
Plant = Callable[[Market], None]


class Between(NamedTuple):
    """A number that is expected, both ends included."""

    low: float
    high: float

    def holds(self, number: float) -> bool:
        return self.low <= number <= self.high


@dataclass(frozen=True, slots=True)
class Planting:
    """A world that is odd in one way.

    `plan` and `quirks` are fields of `WorldPlan` and `Quirks`; `account` changes the account;
    `sandbox` are faults for the plan of the stand-in that serves the world; `days` are to be lived,
    and the audit to be run at their end. `expected` says what is to be seen: numbers by the symbols
    of attribution (`Srv/Rd`: server events that TikTok counts by events that the relay delivered;
    `Sp` spend, `C` and `Crt` conversions by day of the click and of the event, `P` purchases, `V`
    their value, `Rclk` delivered with a click id, `Rval` the value of what was delivered, `Att`
    attributed), over all days; or fields of the account's first ad group (`adgroup.pixel_id`).
    """

    says: str
    orders: float = 72.0
    plan: Mapping[str, Any] = field(default_factory=dict)
    quirks: Mapping[str, Any] = field(default_factory=dict)
    account: Sequence[Plant] = ()
    sandbox: Sequence[Mapping[str, Any]] = ()
    days: int = 30
    expected: Mapping[str, Between | str | None] = field(default_factory=dict)

    def plan_for(self, **options: Any) -> WorldPlan:
        """The plan of this world; `options` are fields of it that the planting leaves open."""
        plan = shop(self.orders, **{**options, **self.plan})
        return replace(plan, quirks=Quirks(**self.quirks))

    def season(self, **options: Any) -> Season:
        """The world, planted, on its first day."""
        season = Season.of(self.plan_for(**options))
        for plant in self.account:
            plant(season.market)
        return season


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a check must find, and the nearest thing that it must not.

    `severity` is what the finding has at least; `also` are checks that `planted` gives reason to as
    well (that which explains, or is explained).
    """

    check: str
    severity: str
    planted: Planting
    harmless: Planting
    also: frozenset[str] = frozenset()


def adgroups(nth: int | None = None, **values: object) -> Plant:
    """Set fields of one ad group, or of all."""

    def plant(market: Market) -> None:
        found = list(market.account.adgroups.values())
        for group in found if nth is None else [found[nth]]:
            _set(group, values)

    return plant


def another_adgroup(status: str, **values: object) -> Plant:
    """Add an ad group like the first that has never delivered: `DISABLE` or `DELETE`."""

    def plant(market: Market) -> None:
        account = market.account
        group = copy(next(iter(account.adgroups.values())))
        group.adgroup_id, group.adgroup_name = f"{group.adgroup_id[:-3]}999", "Put aside"
        group.operation_status, group.secondary_status = status, f"ADGROUP_STATUS_{status}"
        group.modify_time = group.create_time
        _set(group, values)
        account.adgroups[group.adgroup_id] = group

    return plant


def pixels(**values: object) -> Plant:
    """Set fields of the shop's pixel."""

    def plant(market: Market) -> None:
        _set(next(iter(market.account.pixels.values())), values)

    return plant


def old_pixel(plant_with: Callable[[str], Plant]) -> Plant:
    """Plant something that needs the id of the pixel that the relay does not feed."""

    def plant(market: Market) -> None:
        plant_with(list(market.account.pixels)[1])(market)

    return plant


def paused(nth: int, day: float) -> Plant:
    """Pause an ad group on a day of the world."""

    def plant(market: Market) -> None:
        group = list(market.account.adgroups.values())[nth]
        group.operation_status, group.secondary_status = "DISABLE", "ADGROUP_STATUS_DISABLE"
        group.modify_time = market.plan.started_at + DAY_S * day

    return plant


def first_group(market: Market) -> AdGroup:
    return next(iter(market.account.adgroups.values()))


def _set(thing: object, values: Mapping[str, object]) -> None:
    for name, value in values.items():
        getattr(thing, name)  # a field that is not there is a mistake here
        setattr(thing, name, value)
