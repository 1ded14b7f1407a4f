"""A relay in fast-forward: the shop's conversions, really normalized, delivered at once.

And what is to be seen of it, by the symbols of attribution: `symbol("Srv/Rd", lived)`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from statistics import median, quantiles
from typing import Any, Final
from zlib import crc32

import orjson

from relay.model import Event, EventSource, Reason, Refusal
from relay.normalize.event import Normalizer
from relay.normalize.policy import Policy
from relay.sandbox.ads.attribution import WINDOW_DAYS
from relay.sandbox.ads.life import LivingWorld
from relay.sandbox.ads.model import AdGroup, Row
from relay.sandbox.ads.plan import WorldPlan
from relay.sandbox.ads.scenarios import Planting
from relay.sandbox.ads.season import Day, Handed, Season
from relay.sandbox.ads.zone import DAY_S, HOUR_S

NORMALIZE = Normalizer(Policy("shop", EventSource.WEB, default_country="DE"))
ACCOUNT, CAMPAIGN = "AUCTION_ADVERTISER", "AUCTION_CAMPAIGN"
ADGROUP, AD = "AUCTION_ADGROUP", "AUCTION_AD"
BY_DAY, BY_HOUR = "stat_time_day", "stat_time_hour"

Wire = dict[str, Any]


@dataclass
class Lived:
    """A season that was lived: what was delivered, and what was not."""

    season: Season
    days: list[Day] = field(default_factory=list)
    delivered: list[tuple[Handed, Event, Wire]] = field(default_factory=list)
    tests: list[Handed] = field(default_factory=list)
    refused: list[tuple[Handed, Refusal]] = field(default_factory=list)
    rejected: int = 0

    @property
    def world(self) -> LivingWorld:
        return self.season.world

    @property
    def plan(self) -> WorldPlan:
        return self.season.market.plan

    @property
    def now(self) -> float:
        return self.days[-1].end

    @cached_property
    def purchases(self) -> list[tuple[Handed, Event, Wire]]:
        return [each for each in self.delivered if each[1].name == "Purchase"]

    @cached_property
    def total(self) -> Counter[str]:
        """What the account's report sums up to."""
        return self.sums()

    @property
    def first_group(self) -> AdGroup:
        return next(iter(self.season.market.account.adgroups.values()))

    def day_of(self, at: float) -> int:
        """Which day of the season a time belongs to, counted from 0."""
        return self.season.market.local.day(at) - self.season.market.first_day

    def rows(self, level: str = ACCOUNT, by: str | None = None, now: float = 0.0) -> list[Row]:
        first, last = self.days[0].date, self.days[-1].date
        rows = self.world.rows(
            self.plan.advertiser_id, level, first, last, by=by, now=now or self.now + HOUR_S
        )
        return list(rows)

    def sums(self, level: str = ACCOUNT, now: float = 0.0) -> Counter[str]:
        """Everything that may be added up, of all objects of a level."""
        sums: Counter[str] = Counter()
        for row in self.rows(level, now=now):
            for name in ("spend", "conversion", "complete_payment", "clicks", "impressions",
                         "total_complete_payment_rate", "real_time_conversion", "cta_conversion",
                         "vta_conversion", "engaged_view_through_conversions",
                         "total_landing_page_view"):  # fmt: skip
                sums[name] += row.metrics[name]  # type: ignore[assignment]  # Decimal, or int
        return sums

    def statistics(self, event: str, last_days: int = 0) -> Counter[str]:
        """Of the shop's pixel, over all days of UTC or the last ones."""
        market = self.season.market
        pixel = next(iter(market.account.pixels))
        start, end = self.days[-last_days].date, self.days[-1].date + timedelta(days=1)
        found: Counter[str] = Counter()
        for each in self.world.statistics(pixel, start - timedelta(days=1), end, self.now + HOUR_S):
            if each.event == event:
                found["Tot"] += each.total_count
                found["Brw"] += each.browser_event_total_count
                found["Srv"] += each.server_event_total_count
                found["Att"] += each.attributed_count
        return found


def live(season: Season, days: int = 30, *, rejects: float = 0.0) -> Lived:
    """Live so many days; TikTok `rejects` this share of events for what is in them."""
    lived = Lived(season)
    code = season.market.pixel_code
    for day in season.days(days):
        lived.days.append(day)
        for handed in day.orders:
            result = NORMALIZE(handed.conversion, now=handed.at)
            if isinstance(result, Refusal):
                lived.refused.append((handed, result))
            elif result.test_event_code is not None:
                lived.tests.append(handed)
            elif crc32(result.event_id.encode()) < rejects * 2**32:
                lived.rejected += 1
            else:
                wire = orjson.loads(result.wire)
                lived.delivered.append((handed, result, wire))
                lived.world.receive("web", code, [wire], handed.at + 1)
    return lived


def live_planting(planting: Planting, *, days: int, **options: Any) -> Lived:
    shares = [fault["rule"]["share"] for fault in planting.sandbox if "rule" in fault]
    return live(planting.season(**options), days, rejects=sum(shares))


def symbol(name: str, lived: Lived) -> float:
    """What an audit would compare, over all days."""
    if name in SYMBOLS:
        return SYMBOLS[name](lived)
    over, by = name.split("/")
    return ratio(SYMBOLS[over](lived), SYMBOLS[by](lived))


def ratio(over: float, by: float) -> float:
    return over / by if by else 0.0


def share(of: Iterable[bool]) -> float:
    found = list(of)
    return ratio(sum(found), len(found))


def _counted(name: str) -> Callable[[Lived], float]:
    return lambda lived: lived.statistics("SHOPPING")[name]


def _reported(name: str) -> Callable[[Lived], float]:
    return lambda lived: float(lived.total[name])


def _with_key(key: str) -> Callable[[Lived], float]:
    return lambda lived: share(key in wire["user"] for _, _, wire in lived.delivered)


def _views(lived: Lived) -> float:
    return lived.total["vta_conversion"] + lived.total["engaged_view_through_conversions"]


def _modelled(lived: Lived) -> float:
    return lived.total["conversion"] - lived.total["cta_conversion"] - _views(lived)


def _values(lived: Lived) -> list[float]:
    return [float(event.value) for _, event, _ in lived.purchases if event.value is not None]


def _attributed_at_the_end(lived: Lived) -> float:
    last = lived.statistics("SHOPPING", last_days=2)
    return ratio(last["Att"], last["Tot"])


def _silent_h(lived: Lived) -> float:
    return (lived.now - max(handed.at for handed, _, _ in lived.delivered)) / HOUR_S


def _hundredfold(lived: Lived) -> float:
    values = _values(lived)
    usual = median(values)
    return sum(value > 60 * usual for value in values) / len(values)


def _refused_as_future(lived: Lived) -> float:
    future = sum(refusal.reason is Reason.FUTURE for _, refusal in lived.refused)
    return future / (len(lived.delivered) + len(lived.refused))


def _ages(lived: Lived) -> list[float]:
    """Of purchases with a click id, the time since the click."""
    market = lived.season.market
    clicked = {
        touch.ttclid: touch.at
        for day in range(market.first_day, market.first_day + len(lived.days) + 1)
        for person in market.people(day)
        for touch in person.touches
    }
    return [
        event.event_time - clicked[wire["user"]["ttclid"]]
        for _, event, wire in lived.purchases
        if "ttclid" in wire["user"]
    ]


def _late_buyers(lived: Lived) -> float:
    window = WINDOW_DAYS[lived.first_group.click_attribution_window] * DAY_S
    return share(age > window for age in _ages(lived))


def _repeat_buyers(lived: Lived) -> float:
    buyers = Counter(wire["user"]["external_id"] for _, _, wire in lived.purchases)
    return share(bought > 1 for bought in buyers.values())


def _with_click_id(lived: Lived) -> float:
    """Of purchases whose page or referrer names TikTok."""
    return share(
        "ttclid" in wire["user"]
        for _, _, wire in lived.purchases
        if any("tiktok" in text for text in wire["page"].values())
    )


def _of_group(lived: Lived) -> float:
    wanted = lived.first_group.adgroup_id
    rows = [row for row in lived.rows(ADGROUP) if row.id == wanted]
    return float(rows[0].metrics["conversion"]) if rows else 0.0


def _used(lived: Lived) -> float:
    groups = lived.season.market.account.adgroups.values()
    return (
        float(lived.total["spend"]) / float(sum(each.budget for each in groups)) / len(lived.days)
    )


def _days_of_balance(lived: Lived) -> float:
    balance = float(lived.season.market.account.balance)
    return balance / float(lived.total["spend"]) * len(lived.days)


def _per_group_and_week(lived: Lived) -> float:
    return lived.total["conversion"] / len(lived.rows(ADGROUP)) / len(lived.days) * 7


def _worth(lived: Lived) -> float:
    """The value that is reported, by count times average."""
    (row,) = lived.rows()
    average = row.metrics["complete_payment"] * row.metrics["value_per_complete_payment"]
    return float(row.metrics["total_complete_payment_rate"] / Decimal(average))


def _restated(lived: Lived) -> float:
    """How much the first day's spend grew after it was final."""
    first = lived.days[0].date
    fresh, old = (
        next(lived.world.rows(lived.plan.advertiser_id, ACCOUNT, first, first, by=None, now=now))
        for now in (lived.days[0].end + 4 * DAY_S, lived.now + 9 * DAY_S)
    )
    return float(old.metrics["spend"] / fresh.metrics["spend"]) - 1


def _spend_after_pause(lived: Lived) -> float:
    group = lived.first_group
    paused_on = lived.days[lived.day_of(group.modify_time)].date
    return sum(
        float(row.metrics["spend"])
        for row in lived.rows(ADGROUP, BY_DAY)
        if row.id == group.adgroup_id and row.at[:10] > str(paused_on)
    )


def _left(lived: Lived) -> float:
    """Purchases of a day after a drop, of those of a day before."""
    drop = lived.plan.quirks.drop_from_day or 0
    after = [lived.day_of(event.event_time) >= drop for _, event, _ in lived.purchases]
    return ratio(sum(after) / (len(lived.days) - drop), (len(after) - sum(after)) / drop)


def best_lag(lived: Lived) -> int:
    """By how many hours TikTok's conversions lie after the relay's, by the account's clock."""
    local, plan = lived.season.market.local, lived.plan
    sent = Counter(local.hour(event.event_time) for _, event, _ in lived.purchases)
    scores: defaultdict[int, int] = defaultdict(int)
    for day in lived.days:
        rows = lived.world.rows(
            plan.advertiser_id, ACCOUNT, day.date, day.date, by=BY_HOUR, now=lived.now + HOUR_S
        )
        for row in rows:
            hour = 24 * local.day(day.start) + int(row.at[11:13])
            for lag in range(-14, 15):
                scores[lag] += int(row.metrics["real_time_conversion"]) * sent[hour - lag]
    return max(scores, key=lambda lag: scores[lag])


SYMBOLS: Final[dict[str, Callable[[Lived], float]]] = {
    **{name: _counted(name) for name in ("Srv", "Brw", "Tot", "Att")},
    "Sp": _reported("spend"),
    "C": _reported("conversion"),
    "Crt": _reported("real_time_conversion"),
    "P": _reported("complete_payment"),
    "V": _reported("total_complete_payment_rate"),
    "views": _views,
    "modelled": _modelled,
    "landings": _reported("total_landing_page_view"),
    "clicks": _reported("clicks"),
    "Rd": lambda lived: len({event.event_id for _, event, _ in lived.purchases}),
    "Rclk": lambda lived: sum("ttclid" in wire["user"] for _, _, wire in lived.purchases),
    "Rval": lambda lived: sum(_values(lived)),
    "Rfail": lambda lived: lived.rejected,
    "Rtry": lambda lived: lived.rejected + len(lived.delivered),
    "orders": lambda lived: len({event.order_id for _, event, _ in lived.purchases}),
    "Att/Tot on the last days": _attributed_at_the_end,
    "email/Rd": _with_key("email"),
    "phone/Rd": _with_key("phone"),
    "without event_id": lambda lived: share(
        "event_id" not in handed.conversion for handed, _, _ in lived.delivered
    ),
    "late events": lambda lived: share(
        handed.at - event.event_time > HOUR_S for handed, event, _ in lived.delivered
    ),
    "bad keys": lambda lived: share(
        any(issue.field == "user.phone" for issue in event.issues)
        for _, event, _ in lived.delivered
    ),
    "without value": lambda lived: share(event.value is None for _, event, _ in lived.purchases),
    "hundredfold values": _hundredfold,
    "distinct values": lambda lived: len(set(_values(lived))),
    "test orders": lambda lived: sum("order_id" in each.conversion for each in lived.tests),
    "refused as future": _refused_as_future,
    "hours silent": _silent_h,
    "latency p90 h": lambda lived: quantiles(_ages(lived), n=10)[8] / HOUR_S,
    "late buyers": _late_buyers,
    "repeat buyers": _repeat_buyers,
    "click ids from TikTok": _with_click_id,
    "adgroup.C": _of_group,
    "Sp/budget": _used,
    "account/ads": lambda lived: float(lived.total["spend"] / lived.sums(AD)["spend"]),
    "days of balance": _days_of_balance,
    "weekly conversions": _per_group_and_week,
    "V/(P x value)": _worth,
    "restated": _restated,
    "mature days": lambda lived: max(0, len(lived.days) - 8),
    "spend after the pause": _spend_after_pause,
    "Rd left": _left,
    "lag h": best_lag,
}
