"""The checks, one file for each thing they look at, in the order of triage.

A check is a function from `Books` and thresholds to findings, or to why there was nothing to judge;
it may rely on the parts that it needs. Ids and numbers do not change.
"""

from __future__ import annotations

from typing import Final

from relay.audit.checks import (
    api,
    arrival,
    bidding,
    budget,
    claims,
    clocks,
    configuration,
    credit,
    delivery,
    drops,
    duplicates,
    governance,
    links,
    match_keys,
    matching,
    outflow,
    payload,
    restatement,
    revenue,
    signal,
    standing,
    value,
    views,
    windows,
)
from relay.audit.checks.check import Check, check
from relay.audit.facts import Part

_LEDGER = Part.LEDGER
_GROUPS = (Part.CAMPAIGNS, Part.ADGROUPS)
#: What lines are made of: the ad groups of a pixel's event, and what they report.
_LINES = (*_GROUPS, Part.PIXELS, Part.ADGROUP_REPORT)

CHECKS: Final[tuple[Check, ...]] = (
    check("API-01", "Incomplete data", api.incomplete_data),
    check("API-02", "Meaning of the purchase value", api.semantics, Part.ADGROUP_REPORT),
    check(
        "CFG-01", "Optimised event is not sent", configuration.event_not_sent,
        *_GROUPS, Part.PIXELS, _LEDGER, Part.PIXEL_STATS,
    ),
    check(
        "CFG-02", "Pixel is not the one that the relay feeds", configuration.wrong_pixel,
        *_GROUPS, Part.PIXELS,
    ),
    check("CFG-03", "Web conversions without a pixel", configuration.no_pixel, *_GROUPS),
    check(
        "CFG-04", "Pixel is unbound or not linked", links.pixel_unbound,
        Part.ADGROUPS, Part.ADS, Part.PIXELS, Part.PIXEL_LINKS,
    ),
    check("CFG-05", "Deprecated event", configuration.deprecated_event, *_GROUPS, Part.PIXELS),
    check("CFG-06", "Inconsistent windows", windows.inconsistent_windows, *_GROUPS),
    check(
        "CFG-07", "Window is shorter than people take", windows.window_too_short,
        *_LINES, Part.SAMPLES,
    ),
    check("CFG-08", "Click window off or short, views long", windows.view_driven, *_GROUPS),
    check("CFG-09", "Repeat purchases counted once", windows.counted_once, *_LINES, Part.SAMPLES),
    check(
        "CFG-10", "Custom conversion is asleep", links.conversion_asleep,
        *_GROUPS, Part.CUSTOM_CONVERSIONS,
    ),
    check("CFG-11", "TikTok's own diagnosis", links.diagnosis, Part.DIAGNOSIS),
    check(
        "CFG-12", "Matching features are off", configuration.matching_features_off,
        Part.PIXELS, _LEDGER,
    ),
    check(
        "DEL-01", "Clicks, but no conversion", delivery.clicks_without_conversions,
        *_LINES, Part.ACCOUNT_REPORT, _LEDGER,
    ),
    check(
        "DEL-02", "Spend, no conversion, nothing sent", delivery.spend_without_events,
        *_LINES, _LEDGER,
    ),
    check(
        "DEL-03", "Loss between relay and TikTok", arrival.lost_on_the_way,
        Part.PIXELS, Part.PIXEL_STATS, _LEDGER,
    ),
    check(
        "DEL-04", "Somebody else sends, too", arrival.foreign_sender,
        Part.PIXELS, Part.PIXEL_STATS, _LEDGER,
    ),
    check("DEL-05", "Silence", outflow.silence, _LEDGER),
    check("DEL-06", "Rejections", outflow.rejections, _LEDGER, Part.LETTERS),
    check("DEL-07", "Test codes in production", payload.test_coded_events, _LEDGER),
    check("DEL-08", "Late events", payload.late_events, _LEDGER),
    check("DEL-09", "Wrong clocks", payload.clock_errors, _LEDGER),
    check("DUP-01", "Duplicates", duplicates.repeats, _LEDGER, Part.SAMPLES),
    check(
        "DUP-02", "Browser and server counted twice", duplicates.not_deduplicated,
        *_LINES, Part.PIXEL_STATS, _LEDGER,
    ),
    check("DUP-03", "No event_id", duplicates.missing_event_ids, Part.PIXEL_STATS, _LEDGER),
    check("MAT-01", "Click ids are missing", matching.click_ids, Part.SAMPLES),
    check("MAT-02", "Match keys are missing", matching.coverage, _LEDGER),
    check("MAT-03", "Bad form of match keys", match_keys.bad_keys, _LEDGER),
    check(
        "MAT-04", "Fewer events are attributed", credit.attributed_share,
        *_LINES, Part.PIXEL_STATS,
    ),
    check("MAT-05", "Old click ids", credit.stale_clicks, *_LINES, Part.SAMPLES),
    check(
        "MAT-06", "Landing pages lose people or parameters", credit.lost_landings,
        Part.ADGROUPS, Part.ADS, Part.AD_REPORT,
    ),
    check("VAL-01", "Purchases without value", value.worthless, _LEDGER, *_GROUPS),
    check(
        "VAL-02", "Currency and unit", value.currency_and_unit,
        Part.ADVERTISER, _LEDGER, Part.SAMPLES,
    ),
    check(
        "VAL-03", "Value differs", revenue.revenue,
        Part.ADVERTISER, *_LINES, _LEDGER, Part.SAMPLES,
    ),
    check(
        "VAL-04", "Bids for value without values", bidding.no_value_signal, *_LINES, Part.SAMPLES,
    ),
    check("REC-01", "Counts differ", claims.counts, *_LINES, Part.ACCOUNT_REPORT, _LEDGER),
    check("REC-02", "Share of views", views.view_share, *_LINES),
    check(
        "REC-03", "Cost per conversion differs", claims.costs,
        *_LINES, Part.ACCOUNT_REPORT, _LEDGER,
    ),
    check(
        "REC-04", "Conversions that nothing accounts for", claims.unexplained,
        *_LINES, Part.ACCOUNT_REPORT, _LEDGER,
    ),
    check("REC-05", "Sudden drop", drops.sudden_drop, *_LINES, Part.PIXEL_STATS, _LEDGER),
    check(
        "REC-06", "Shifted zone", clocks.zone_shift,
        Part.ADVERTISER, *_LINES, Part.HOURLY_REPORT, _LEDGER,
    ),
    check("REC-07", "Days that are not mature", restatement.immature_days, *_LINES),
    check(
        "REC-08", "Restated days", restatement.restated,
        Part.SNAPSHOTS, Part.ACCOUNT_REPORT, Part.CAMPAIGN_REPORT, Part.ADGROUP_REPORT,
    ),
    check(
        "REC-09", "Levels do not add up", restatement.levels,
        Part.ACCOUNT_REPORT, Part.CAMPAIGN_REPORT, Part.ADGROUP_REPORT, Part.AD_REPORT,
    ),
    check("BUD-01", "Pacing", budget.pacing, *_GROUPS, Part.CAMPAIGN_REPORT, Part.ADGROUP_REPORT),
    check("BUD-02", "Not enough signal", signal.scarce, *_LINES),
    check(
        "BUD-03", "Cannot deliver", standing.cannot_deliver,
        Part.ADVERTISER, Part.ADGROUPS, Part.ACCOUNT_REPORT,
    ),
    check(
        "BUD-04", "Spend after the end", standing.spend_at_rest,
        Part.ADGROUPS, Part.ADGROUP_REPORT,
    ),
    check(
        "GOV-01", "What was changed before", governance.none_by_itself,
        Part.CHANGES, Part.ADGROUPS,
    ),
)  # fmt: skip
