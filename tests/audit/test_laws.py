"""What holds for any facts whatever."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from relay.audit import guard
from relay.audit.checks import CHECKS
from relay.audit.facts import (
    Ad,
    AdGroup,
    Advertiser,
    Advice,
    Campaign,
    CustomConversion,
    Day,
    Edit,
    EventCount,
    Facts,
    Gathered,
    Hour,
    Level,
    Part,
    Period,
    Pixel,
    PixelEvent,
    Refused,
    Snapshot,
    Target,
)
from relay.audit.findings import Audit, State
from relay.audit.judge import judge
from relay.audit.triage import EXPLAINS, order
from relay.config.audit import Thresholds
from relay.journal.issues import IssueRow
from relay.journal.ledger import LedgerRow, Sums
from relay.journal.sample import Sample
from relay.model import EventSource, Outcome
from tests.unit.audit.world import MATURE, NOW, World

# --- arbitrary facts: few ids, so that things meet -----------------------------------------------

ids = st.sampled_from(["1", "2", "g1", ""])
codes = st.sampled_from(["C0DE", "1", "OTHER"])
names = st.sampled_from(["web", "crm", "another"])
words = st.sampled_from(
    [
        "ENABLE", "DISABLE", "SHOPPING", "CONVERT", "VALUE", "WEBSITE", "ONCE", "EVERY",
        "ON_WEB_ORDER",
        "ADGROUP_STATUS_PIXEL_UNBIND", "BUDGET_MODE_DAY", "BUDGET_MODE_TOTAL", "STATUS_LIMIT",
        "PIXEL",
        "BUDGET_MODE_DYNAMIC_DAILY_BUDGET", "ADGROUP_STATUS_AUDIT", "EVENT_TRACK", "http://[x", "",
    ]
)  # fmt: skip
texts = st.none() | words
event_names = st.sampled_from(["Purchase", "CompletePayment", "ViewContent", "Own"])
near = st.dates(date(2026, 9, 25), date(2026, 11, 25))
dates = near | st.dates()
counts = st.integers(0, 200) | st.integers(0, 10**12)
maybe_counts = st.none() | counts
amounts = st.decimals(-10, 10_000, places=2) | st.decimals(
    -(10**15), 10**15, allow_nan=False, allow_infinity=False
)
maybe_amounts = st.none() | amounts
times = st.none() | st.datetimes() | st.datetimes(timezones=st.timezones())
now = st.floats(1_790_000_000, 1_796_000_000)
moments = now | st.floats(-(10**13), 10**13)
hours = st.integers(497_200, 498_900) | st.integers(0, 2**32 - 1)
digests = st.none() | st.integers(0, 2**64 - 1) | st.integers(0, 3)
windows = st.none() | st.sampled_from([0, 1, 7, 28, 32])
currencies = st.sampled_from(["EUR", "USD", "JPY"])
values = st.dictionaries(currencies, amounts, max_size=2)
sources = st.sampled_from(list(EventSource))
booleans = st.none() | st.booleans()


def lists(strategy: st.SearchStrategy[Any], most: int = 6) -> st.SearchStrategy[Any]:
    return st.lists(strategy, max_size=most)


by_key = st.dictionaries(
    st.sampled_from(["ttclid", "email", "phone", "ip", "user_agent"]), counts
).map(Counter)
sums = st.builds(
    Sums, counts, values, by_key, counts, values, counts,
    st.dictionaries(st.sampled_from(["1h", "7d", "28d"]), counts).map(Counter),
    st.dictionaries(st.sampled_from(["future", "accepted"]), counts).map(Counter),
)  # fmt: skip
by_event = st.dictionaries(st.sampled_from(["SHOPPING", "FORM"]), counts, max_size=2)
worth = st.dictionaries(st.sampled_from(["SHOPPING", "FORM"]), amounts, max_size=2)
levels = st.sampled_from(list(Level))
facts = st.builds(
    Facts,
    now=now,
    period=st.builds(Period, near, near) | st.builds(Period, dates, dates),
    advertiser=st.builds(
        Advertiser, ids, words, currencies, words, texts, st.timezones(), words, maybe_amounts
    ),
    gathered=st.sets(st.sampled_from(list(Part)), max_size=1).map(
        lambda missing: {part: Gathered(part, 0.0) for part in Part if part not in missing}
    ),
    rates=st.dictionaries(currencies, st.decimals("0.01", 100, places=2)),
    campaigns=lists(
        st.builds(
            Campaign, ids, words, words, words, texts, texts, maybe_amounts, maybe_amounts, texts,
            times, times,
        )
    ),
    adgroups=lists(
        st.builds(
            AdGroup, ids, words, ids, texts, ids | st.none(), texts, texts, texts, ids | st.none(),
            windows, windows, windows, texts, words, texts, texts, maybe_amounts, maybe_amounts,
            texts, times, times, times, times,
        )
    ),
    ads=lists(st.builds(Ad, ids, words, ids, ids, words, texts, texts)),
    pixels=lists(
        st.builds(
            Pixel, ids, codes, words, texts, booleans,
            st.dictionaries(st.sampled_from(["email", "phone_number"]), st.booleans()), booleans,
            lists(st.builds(PixelEvent, texts, words, texts, st.booleans()), 3),
        )
    ),
    custom_conversions=lists(st.builds(CustomConversion, ids, words, ids, words)),
    advice=lists(st.builds(Advice, ids, words, words, codes | st.none())),
    edits=lists(st.builds(Edit, st.datetimes(), words, ids, words)),
    event_counts=lists(
        st.builds(EventCount, codes, words, dates, counts, counts, counts, counts), 20
    ),
    days=lists(
        st.builds(
            Day, levels, ids, dates, maybe_amounts, maybe_counts, maybe_counts, maybe_counts,
            maybe_counts, maybe_counts, maybe_counts, maybe_counts, maybe_counts, by_event, worth,
            maybe_amounts, maybe_amounts,
        ),
        20,
    ),
    hours=lists(st.builds(Hour, st.datetimes(), maybe_amounts, maybe_counts), 20),
    targets=lists(st.builds(Target, names, sources, codes)),
    ledger=lists(
        st.builds(LedgerRow, hours, names, event_names, st.sampled_from(list(Outcome)), sums), 20
    ),
    issues=lists(
        st.builds(
            IssueRow, hours, names, event_names,
            st.sampled_from(["event_id", "event_time", "user.email"]),
            st.sampled_from(["derived", "future", "milliseconds", "not_an_email"]), counts,
        )
    ),
    samples=lists(
        st.builds(
            Sample, names, event_names, st.integers(0, 5), st.integers(0, 2 * 10**9), moments,
            digests, digests, digests, maybe_amounts, currencies | st.none(), st.integers(0, 1023),
            st.booleans(), st.sampled_from([0.001, 0.5, 1.0]),
        ),
        20,
    ),
    refused=lists(st.builds(Refused, names, st.none() | st.just(40002), words, counts)),
    snapshots=lists(st.builds(Snapshot, levels, ids, dates, moments, maybe_amounts, maybe_counts)),
)  # fmt: skip
#: With these anything is worth a finding.
touchy = Thresholds.model_validate(
    {"min_count": 0, "sigma": 0.000001, "totals_from": "1d", "learning_days": "1d"}
)
thresholds = st.sampled_from([Thresholds(), touchy])


def weigh(audit: Audit) -> None:
    """What triage promises of any audit."""
    standing = {each.check for each in audit.standing}
    silenced = [each.is_silenced for each in audit.findings]
    assert silenced == sorted(silenced)
    for each in audit.findings:
        assert set(each.explained_by) <= standing
        assert not set(each.points_to) & set(each.explained_by)
    for half in (True, False):
        places = [order(each) for each in audit.findings if each.is_silenced is half]
        assert places == sorted(places)
    assert [each.check for each in audit.judgements] == [each.id for each in CHECKS]
    states = {each.check: each.state for each in audit.judgements}
    for each in audit.findings:
        assert states[each.check] is State.FOUND
    for judgement in audit.judgements:
        unseen = judgement.state in (State.NOT_JUDGED, State.NOT_APPLICABLE)
        assert bool(judgement.why) is unseen


@settings(max_examples=30, deadline=None)
@given(facts, thresholds)
def test_no_facts_are_too_odd_to_be_judged(facts: Facts, limits: Thresholds) -> None:
    audit = judge(facts, limits)

    weigh(audit)
    for check in CHECKS:
        lacking = {part for part in check.needs if part not in facts.gathered}
        state = next(each.state for each in audit.judgements if each.check == check.id)
        assert (state is State.NOT_JUDGED) is bool(lacking)


@given(facts)
@settings(max_examples=10, deadline=None)
def test_silencing_never_hides_how_bad_it_is(facts: Facts) -> None:
    audit = judge(facts, touchy)

    if audit.findings:
        assert audit.worst is min((e.severity for e in audit.findings), key=lambda s: s.rank)


# --- a clean world, shaken -----------------------------------------------------------------------


def shaken(seed: int) -> World:
    """Much of what a clean world has, some of it gone, zero, unknown or a multiple."""
    dice = random.Random(seed)
    world = World()
    server, sent = dice.choice([0.0, 0.3, 1.0, 3.0]), dice.choice([0.0, 0.3, 1.0, 3.0])
    world.days = [
        _shaken_day(row, dice) if dice.random() < 0.2 else row
        for row in world.days
        if dice.random() < 0.98
    ]
    world.each_count(
        lambda e: replace(e, server=int(e.server * server), browser=dice.choice([0, 64]))
    )
    world.each_row(lambda row: _shaken_row(row, sent, dice))
    world.samples = [
        each._replace(
            value=dice.choice([each.value, None, Decimal(4000)]),
            order=dice.choice([each.order, None, 7]),
            share=dice.choice([1, 0.5]),
        )
        for each in world.samples
    ]
    world.adgroups = [_shaken_group(each, dice) for each in world.adgroups]
    world.more["snapshots"] = [Snapshot(Level.ADGROUP, "g1", MATURE, world.now, Decimal(9), 40)]
    world.more["edits"] = [Edit(NOW - timedelta(dice.randrange(40)), "ADGROUP", "g1", "x")]
    return world


def _shaken_day(row: Day, dice: random.Random) -> Day:
    unknown: dict[str, Any] = {dice.choice(["spend", "conversions", "clicks"]): None}
    return replace(row, **unknown, view_through=dice.choice([0, 9, None]))


def _shaken_row(row: LedgerRow, times: float, dice: random.Random) -> LedgerRow:
    outcome = dice.choice([Outcome.DELIVERED] * 9 + list(Outcome))
    new = replace(row.sums, count=int(row.sums.count * times), tests=dice.choice([0, 0, 1]))
    return row._replace(outcome=outcome, sums=new)


def _shaken_group(adgroup: AdGroup, dice: random.Random) -> AdGroup:
    changes = {
        "optimization_event": ["SHOPPING", "FORM", None],
        "click_window": [7, 0, 1, 28, None],
        "view_window": [0, 1, 7],
        "pixel_id": ["9", None],
        "counting": ["ONCE"],
        "roas_bid": [Decimal(2)],
        "budget_mode": ["BUDGET_MODE_TOTAL", "BUDGET_MODE_DYNAMIC_DAILY_BUDGET"],
        "secondary_status": ["ADGROUP_STATUS_PIXEL_UNBIND", "ADGROUP_STATUS_AUDIT"],
    }
    for name, choices in changes.items():
        if dice.random() < 0.3:
            adgroup = replace(adgroup, **{name: dice.choice(choices)})  # type: ignore[arg-type]
    return adgroup


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**6), thresholds)
def test_whatever_is_wrong_is_told_in_order(seed: int, limits: Thresholds) -> None:
    weigh(judge(shaken(seed).facts(), limits))


# --- the guard -----------------------------------------------------------------------------------


@given(st.integers(0, 19), st.integers(0, 19))
def test_two_small_numbers_are_never_apart(a: int, b: int) -> None:
    limits = Thresholds()

    assert not guard.apart(a, b, limits)
    assert not guard.above(a, b, 1.05, limits)
    assert not guard.below(a, b, 0.7, limits)


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_counts_are_apart_by_three_roots_of_the_larger(a: int, b: int) -> None:
    is_apart = guard.apart(a, b, Thresholds())

    assert is_apart is (max(a, b) >= 20 and (a - b) ** 2 > 9 * max(a, b))
    assert is_apart is guard.apart(b, a, Thresholds())


@given(st.integers(0, 10**5), st.integers(0, 10**5), st.floats(0, 1))
def test_a_share_is_never_both_too_large_and_too_small(
    found: int, total: int, share: float
) -> None:
    limits = Thresholds()
    over = guard.more_than(found, total, share, limits)
    under = guard.less_than(found, total, share, limits)

    assert not (over and under)
    assert not over or found > share * total
    assert not under or found < share * total


def test_every_check_is_named_in_its_own_words_and_none_explains_itself() -> None:
    assert len({each.title for each in CHECKS}) == 50
    assert all(cause not in effects for cause, effects in EXPLAINS.items())
