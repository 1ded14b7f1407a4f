"""What a world is made of: one ad account, the shop behind it, and what is odd about either."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

#: 2026-09-01 00:00 in the default zone.
STARTED_AT: Final = 1_788_217_200.0
#: Conversions a day that an ad group needs to learn from: TikTok asks for 50 a week, and for a
#: budget of ten conversions a day; half as many again leaves room for bad weeks.
_SIGNAL_PER_DAY: Final = 18.0
_CLICK: Final = 0.5


@dataclass(frozen=True, slots=True)
class Quirks:
    """What is odd about a world; by default nothing is. Shares are of 1, days count from the start.

    TikTok's side:
    uncounted_share         server events that are accepted and never counted
    foreign_share           purchases that another integration reports too, server-side, as its own
    credited_share          of conversions that would be attributed, those that are
    credited_from_day       from which day on `credited_share` holds
    restated                by how much spend grows on the fifth day after
    account_only_spend      spend that no campaign shows (GMV Max), of the rest
    overspend               spend of a day, of the budget; None: as usual
    spends_when_paused      what is paused spends on
    reports_zone            the zone that reports follow, if not the account's
    value_is_rate           `total_complete_payment_rate` is what its name says
    value_per_error         by how much `value_per_complete_payment` is off
    The shop's browser side:
    browser_silent          the browser reports nothing
    browser_value_factor    what the browser makes of a value
    browser_other_id_share  purchases whose id in the browser is another than the relay's
    query_lost_share        landings that lose the address's parameters
    The shop's server side, what it hands to the relay:
    missing_share           never handed over
    silent_from_day         nothing is handed over any more
    drop_from_day, drop_share   so many people stay away from then on
    two_ids_share           orders handed over twice, under two event ids
    without_id              no event carries an id
    without_contact         neither e-mail nor phone
    bad_keys_share          the e-mail is an MD5, the phone no number, the address private
    stale_click_share       of clickers, those that come back with a click id from long ago
    late_share, late_s      handed over this late
    clock_ahead_s, clock_share   how far the shop's clock is ahead, and for how many of its events
    without_value_share     purchases without a value
    cents_share             purchases whose value is in cents
    one_value               every order is worth the same
    big_order_day           on this day one order is worth fifty
    test_code_share         orders with a test event code
    test_views              a page view with a test event code each day
    """

    uncounted_share: float = 0.0
    foreign_share: float = 0.0
    credited_share: float = 1.0
    credited_from_day: int = 0
    restated: float = 0.0
    account_only_spend: float = 0.0
    overspend: float | None = None
    spends_when_paused: bool = False
    reports_zone: str | None = None
    value_is_rate: bool = False
    value_per_error: float = 0.0
    browser_silent: bool = False
    browser_value_factor: float = 1.0
    browser_other_id_share: float = 0.0
    query_lost_share: float = 0.0
    missing_share: float = 0.0
    silent_from_day: float | None = None
    drop_from_day: int | None = None
    drop_share: float = 0.0
    two_ids_share: float = 0.0
    without_id: bool = False
    without_contact: bool = False
    bad_keys_share: float = 0.0
    stale_click_share: float = 0.0
    late_share: float = 0.0
    late_s: float = 7200.0
    clock_ahead_s: float = 0.0
    clock_share: float = 1.0
    without_value_share: float = 0.0
    cents_share: float = 0.0
    one_value: bool = False
    big_order_day: int | None = None
    test_code_share: float = 0.0
    test_views: bool = False


@dataclass(frozen=True, slots=True)
class WorldPlan:
    """One account, its shop and its customers; all that happens follows from it.

    `started_at` is a moment of the first day, which begins at its midnight in the account's zone.
    `timezone` is the account's, `display_timezone` the one that people live by. `rates` turn one
    unit of a currency into the account's. `pixel_code` None: one is made up.
    `orders_per_day` includes those that no ad led to;
    `browsers_per_day` people look and do not buy (None: as many as go with the orders). `ads` are
    in each ad group, `adgroups` in each campaign. `relayed` is what the shop hands to the relay,
    the browser reports everything; `landings`: the shop hands over the view of a landing page, too,
    as soon as somebody comes by a click. `latency_*` is the time from click to order, lognormal.

    Shares of people: by what they came (click, engaged view, view; the rest by themselves),
    modelled (of the conversions that TikTok cannot attribute, those it claims all the same),
    blocked (the browser reports nothing), denied (consent), known (e-mail and phone of buyers),
    matchable (TikTok knows who they are), click_lost (came by a click, its id got lost), repeat
    (buyers who buy again within two days).
    """

    seed: int = 1
    advertiser_id: str = "7106541027904733185"
    name: str = "Nordlicht DE"
    currency: str = "EUR"
    event_currency: str | None = None
    rates: Mapping[str, Decimal] = field(default_factory=dict)
    timezone: str = "Etc/GMT-1"
    display_timezone: str = "Europe/Berlin"
    country: str = "DE"
    shop_url: str = "https://shop.example"
    pixel_code: str | None = None
    started_at: float = STARTED_AT
    orders_per_day: float = 60.0
    browsers_per_day: float | None = None
    campaigns: int = 1
    adgroups: int = 1
    ads: int = 2
    optimization_event: str = "SHOPPING"
    relayed: tuple[str, ...] = ("Purchase", "InitiateCheckout", "AddToCart")
    landings: bool = False
    price: float = 62.0
    price_sigma: float = 0.45
    cost_per_order: float = 0.24
    latency_median_s: float = 2400.0
    latency_sigma: float = 2.2
    reporting_latency_s: float = 1800.0
    click_share: float = 0.47
    engaged_share: float = 0.02
    view_share: float = 0.06
    modelled_share: float = 0.03
    blocked_share: float = 0.22
    denied_share: float = 0.04
    email_share: float = 0.9
    phone_share: float = 0.5
    matchable_share: float = 0.75
    click_lost_share: float = 0.02
    repeat_share: float = 0.02
    voucher_share: float = 0.05
    balance_days: float = 20.0
    quirks: Quirks = Quirks()

    @property
    def money(self) -> str:
        """The currency of the shop's events."""
        return self.event_currency or self.currency

    @property
    def looking_per_day(self) -> float:
        if self.browsers_per_day is not None:
            return self.browsers_per_day
        return max(90.0, 0.3 * self.orders_per_day)

    @property
    def spend_per_day(self) -> float:
        """What the ads cost a day, in the account's currency."""
        return self.orders_per_day * self.price * self.cost_per_order

    @property
    def cost_of_click(self) -> float:
        """In the account's currency; of a shop that sells nothing, what clicks cost elsewhere."""
        people = self.click_share * (self.orders_per_day + self.looking_per_day)
        clicks = max(40 * self.click_share * self.orders_per_day, 2.5 * people)
        return self.spend_per_day / clicks if self.orders_per_day and clicks else _CLICK


def shop(orders_per_day: float, **options: object) -> WorldPlan:
    """A sane account for so many orders a day: as many ad groups as get signal enough, up to four.

    A shop with few orders optimises for carts, as TikTok advises.
    """
    groups = int(orders_per_day / 2 / _SIGNAL_PER_DAY)
    plan: dict[str, object] = {
        "orders_per_day": orders_per_day,
        "campaigns": 2 if groups >= 4 else 1,
        "adgroups": max(1, min(groups, 2)),
        "optimization_event": "SHOPPING" if groups else "ON_WEB_CART",
    }
    return WorldPlan(**{**plan, **options})  # type: ignore[arg-type]  # keywords of the plan
