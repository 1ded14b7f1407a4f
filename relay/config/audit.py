"""How the audit is run, and from which figures on it speaks.

Shares are of 1 (0.05 is 5 %), money is in the account's currency, durations are seconds once read.
The ideas are the field's; the figures are this project's proposals, but for those that TikTok's
help names (50 conversions to learn, a dynamic budget's 125 % a day and seven days a week, budgets
of ten times the cost per conversion).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field, StringConstraints

from relay.config.section import Section
from relay.config.values import Seconds, between, seconds

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Factor = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]
Number = Annotated[int, Field(ge=0, le=1_000_000_000)]
Money = Annotated[Decimal, Field(ge=0, le=1_000_000_000, allow_inf_nan=False)]
Days = Annotated[Seconds, between("1d", "760d")]
Hours = Annotated[Seconds, between("0s", "30d")]

#: ISO 4217.
CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class Thresholds(Section):
    """The figures of the checks."""

    min_count: Number = 20
    """Events. No ratio is judged while both of its sides are below this."""

    sigma: Factor = 3.0
    """Two counts differ when they are further apart than this many roots of the larger one."""

    settle: Hours = seconds("12h")
    """A day of event statistics is looked at this long after its end: TikTok mends at 12:00 UTC."""

    totals_from: Days = seconds("28d")
    """From so many mature days on, what TikTok counts by the day of the click is compared with what
    the relay counts by the day of the event; with fewer, only what both count alike."""

    semantics_error: Share = 0.01
    """API-02: two ways to the same value may be apart by this share."""

    event_seen_within: Days = seconds("7d")
    """CFG-01: an event that ads optimise for was sent in these last days."""

    latency_quantile: Share = 0.9
    """CFG-07: this share of the purchases should fall into the click window."""

    repeat_buyers: Share = 0.05
    """CFG-09: share of buyers with more than one purchase, where each counts once."""

    clicks_without_conversion: Number = 5
    """DEL-01: delivered events with a click id, while TikTok reports no conversion."""

    target_cpa: Money | None = None
    """DEL-02: what a conversion may cost; none: see `spend_without_conversion`."""

    target_cpa_factor: Factor = 3.0
    """DEL-02: spend without a conversion, in multiples of `target_cpa`."""

    spend_without_conversion: Money = Decimal(50)
    """DEL-02: spend without a conversion, where no `target_cpa` is given."""

    server_share_medium: Share = 0.95
    """DEL-03: TikTok's server events by the relay's delivered ones; below it: medium."""

    server_share_high: Share = 0.80
    """DEL-03: below it: high."""

    server_share_critical: Share = 0.50
    """DEL-03: below it: critical."""

    foreign_server: Factor = 1.05
    """DEL-04: TikTok's server events by the relay's delivered ones; above it others send, too."""

    silence_factor: Factor = 3.0
    """DEL-05: silence, in multiples of the usual longest gap of a day."""

    silence_history: Days = seconds("14d")
    """DEL-05: the days that say what is usual."""

    rejected_medium: Share = 0.02
    """DEL-06: share of the attempted events that TikTok refused; above it: medium."""

    rejected_critical: Share = 0.10
    """DEL-06: above it: critical."""

    test_events: Number = 0
    """DEL-07: so many events with a test code are a person trying things."""

    late_hour: Share = 0.05
    """DEL-08: share of the events sent more than an hour after they happened (web and app)."""

    late_week: Share = 0.0
    """DEL-08: share of the events sent more than seven days after they happened."""

    late_month: Share = 0.0
    """DEL-08: share of the events sent more than 28 days after they happened."""

    duplicates_medium: Factor = 1.02
    """DUP-01: arrivals by distinct events, or event ids by orders; above it: medium."""

    duplicates_high: Factor = 1.10
    """DUP-01: above it: high."""

    attributed_per_order: Factor = 1.0
    """DUP-02: events that TikTok attributed by orders that there were."""

    click_ids_medium: Share = 0.90
    """MAT-01: share with a click id of the events that came from TikTok; below it: medium."""

    click_ids_high: Share = 0.60
    """MAT-01: below it: high."""

    contact_coverage: Share = 0.30
    """MAT-02: share of events with an e-mail address, and with a phone number: both below it."""

    proxy_drop: Share = 0.20
    """MAT-02: drop of the match-key score from one week to the next, as a share of it."""

    bad_keys: Share = 0.01
    """MAT-03: share of the events whose match key could not be read."""

    attributed_drop: Share = 0.30
    """MAT-04: drop of the attributed share below its median, as a share of it."""

    attributed_history: Days = seconds("14d")
    """MAT-04: the days of that median."""

    attributed_recent: Days = seconds("3d")
    """MAT-04: the days that are compared with it."""

    stale_clicks: Share = 0.10
    """MAT-05: share of the events with a click id that is older than the click window."""

    landing_clicks: Number = 100
    """MAT-06: clicks from which on landings are counted against them."""

    landing_share: Share = 0.5
    """MAT-06: landing page views by clicks; below it people or parameters get lost."""

    worthless: Share = 0.005
    """VAL-01: share of the purchases without a value above 0 or without a currency."""

    unit_factor: Factor = 100.0
    """VAL-02: a value in cents is so many times the same value in euros."""

    unit_share: Share = 0.01
    """VAL-02: share of the purchases that look like another unit (ten times it for smaller
    ones).
    """

    value_ratio_low: Factor = 0.7
    """VAL-03: TikTok's value by the value of the relay's events with a click id; below it:
    medium.
    """

    value_ratio_high: Factor = 1.5
    """VAL-03: above it: medium."""

    distinct_values: Number = 1
    """VAL-04: so many distinct values are no signal to optimise for value with."""

    overclaim: Factor = 1.05
    """REC-01: conversions that TikTok reports by all events that the relay delivered."""

    underclaim: Factor = 0.7
    """REC-01: conversions that TikTok reports by delivered events with a click id."""

    view_share_medium: Share = 0.5
    """REC-02: share of the conversions without a click; above it: medium."""

    view_share_high: Share = 0.8
    """REC-02: above it: high."""

    cost_ratio: Factor = 2.0
    """REC-03: the platform's cost per conversion and the verified one are further apart than
    this.
    """

    unexplained: Share = 0.10
    """REC-04: share of the conversions that no click and no view accounts for."""

    drop_two_days: Share = 0.5
    """REC-05: drop below the median of the same weekdays, on two days running."""

    drop_one_day: Share = 0.8
    """REC-05: the same on one day."""

    drop_history: Days = seconds("28d")
    """REC-05: the days of that median."""

    spend_stable: Share = 0.30
    """REC-05: spend that is off its own median by more than this explains a drop."""

    zone_lags: Annotated[Seconds, between("1h", "14h")] = seconds("14h")
    """REC-06: how far apart the two clocks may be."""

    zone_correlation: Share = 0.5
    """REC-06: how alike the two series must be at the best lag (correlation)."""

    zone_sigma: Factor = 5.0
    """REC-06: by how many standard errors the best lag must beat none (Fisher's z)."""

    restated_spend: Share = 0.01
    """REC-08: change of a day's spend after `restated_after`."""

    restated_after: Days = seconds("2d")
    """REC-08: a day's spend should stand from then on."""

    conversions_shrunk: Share = 0.20
    """REC-08: share of a day's conversions that was taken back."""

    level_gap: Share = 0.005
    """REC-09: spend missing at one level, as a share of the account's."""

    overspend_day: Factor = 1.10
    """BUD-01: a day's spend by its budget."""

    overspend_dynamic_day: Factor = 1.25
    """BUD-01: the same of a dynamic daily budget."""

    overspend_dynamic_week: Factor = 7.0
    """BUD-01: seven days' spend by a dynamic daily budget."""

    overspend_lifetime: Factor = 1.05
    """BUD-01: all spend by a lifetime budget."""

    pacing_used: Share = 0.90
    """BUD-01: so much of a lifetime budget is used …"""

    pacing_elapsed: Share = 0.80
    """BUD-01: … before so much of its time."""

    learning_conversions: Number = 50
    """BUD-02: conversions of an ad group in `learning_days`; below it: low."""

    scarce_conversions: Number = 25
    """BUD-02: below it: medium."""

    learning_days: Days = seconds("7d")
    """BUD-02: the days in which they are counted."""

    budget_per_cpa: Factor = 10.0
    """BUD-02: a daily budget in multiples of the cost per conversion."""

    balance_days: Factor = 1.0
    """BUD-03: what is left of the balance, in days of spend."""

    changed_within: Hours = seconds("48h")
    """GOV-01: a change this long before the beginning of a finding may be its cause."""


class Audit(Section):
    """Comparing what was delivered with what TikTok counts, reports and charges."""

    every: Annotated[Seconds, between("30m", "30d")] = seconds("6h")
    """How often `relay serve` audits, where `management.access_token` is given."""

    since: Annotated[Seconds, between("1d", "90d")] = seconds("30d")
    """How far back it looks; whole days of the account's zone, today among them."""

    rates: dict[CurrencyCode, Annotated[Decimal, Field(gt=0, allow_inf_nan=False)]] = {}
    """What one unit of each currency is worth in one of your choice, `{ EUR = "1", USD = "0.92" }`:
    for events in other currencies than the account's. Without it their values are not compared."""

    keep_reports: Annotated[int, Field(ge=1, le=1000)] = 30
    """So many of the last reports are kept."""

    thresholds: Thresholds = Thresholds()
    """From which figures on it speaks."""
