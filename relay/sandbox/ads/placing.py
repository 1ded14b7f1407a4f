"""Which ads deliver when, and which of them a person meets."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from math import inf
from typing import NamedTuple

from relay.sandbox.ads import chance
from relay.sandbox.ads.model import Ad, AdGroup, Advertiser, Campaign
from relay.sandbox.ads.plan import WorldPlan


class Slot(NamedTuple):
    """An ad, its share of what its ad group delivers, and when it delivers."""

    ad: Ad
    group: AdGroup
    weight: float
    since: float
    until: float

    def delivers(self, at: float) -> bool:
        return self.since <= at < self.until


class Placing:
    """The ads of an account. What is changed in the account counts until it is first asked."""

    def __init__(self, plan: WorldPlan, account: Advertiser) -> None:
        self._plan = plan
        self._account = account
        self._met: dict[int, tuple[Sequence[float], Sequence[Ad]]] = {}

    @cached_property
    def slots(self) -> Sequence[Slot]:
        return [self._slot(ad) for ad in self._account.ads.values()]

    @cached_property
    def groups(self) -> Sequence[tuple[AdGroup, Sequence[Slot]]]:
        """Each ad group with its ads."""
        return [
            (group, [slot for slot in self.slots if slot.group is group])
            for group in self._account.adgroups.values()
        ]

    def ad_at(self, at: float, roll: float) -> Ad | None:
        """The ad that somebody met then; None: none delivered."""
        turn = bisect_right(self._turns, at)
        sums, ads = self._met.get(turn) or self._met.setdefault(turn, self._meetings(at))
        return ads[bisect_right(sums, roll * sums[-1])] if ads else None

    @cached_property
    def _turns(self) -> Sequence[float]:
        """When ads begin or end to deliver: in between the same ones do."""
        return sorted({at for slot in self.slots for at in (slot.since, slot.until)})

    def _meetings(self, at: float) -> tuple[Sequence[float], Sequence[Ad]]:
        """Running sums of how often each ad is met: as its ad group's budget has it."""
        pulls: list[tuple[float, Ad]] = []
        for group, slots in self.groups:
            there = [slot for slot in slots if slot.delivers(at)]
            total = sum(slot.weight for slot in there)
            pulls += [(float(group.budget) * slot.weight / total, slot.ad) for slot in there]
        return list(accumulate(pull for pull, _ in pulls)), [ad for _, ad in pulls]

    def _slot(self, ad: Ad) -> Slot:
        group = self._account.adgroups[ad.adgroup_id]
        campaign = self._account.campaigns[ad.campaign_id]
        since = max(self._plan.started_at, group.schedule_start_time, ad.create_time)
        until = min(self._pause(each) for each in (ad, group, campaign))
        weight = 0.75 + 0.5 * chance.draws(self._plan.seed, "weight", ad.ad_id)[0]
        return Slot(ad, group, weight, since, min(until, group.schedule_end_time or inf))

    def _pause(self, thing: Ad | AdGroup | Campaign) -> float:
        if thing.operation_status == "ENABLE":
            return inf
        if thing.operation_status != "DELETE" and self._plan.quirks.spends_when_paused:
            return inf
        return thing.modify_time or 0.0
