"""What happens together: faults of reading, several accounts, few orders, clocks."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any, Final, TypeVar

import pytest

from relay.audit.books import Books
from relay.audit.checks import CHECKS
from relay.audit.facts import Level, Part
from relay.audit.findings import Audit, Severity, State
from relay.sandbox.ads.big import big_account
from relay.sandbox.ads.life import LivingWorld
from relay.sandbox.ads.plan import Quirks, shop
from relay.sandbox.ads.season import Season
from relay.sandbox.ads.zone import DAY_S, LocalTime
from tests.audit.rehearsal import Rehearsal, Relay, audited
from tests.audit.staging import SMALL, Staged, journal_folder

T = TypeVar("T")

REPORTS: Final = "*/report/integrated/get/"
REPORT_PARTS: Final = {
    Part.ACCOUNT_REPORT,
    Part.CAMPAIGN_REPORT,
    Part.ADGROUP_REPORT,
    Part.AD_REPORT,
    Part.HOURLY_REPORT,
}


def lived(work: Coroutine[Any, Any, T]) -> T:
    """Run it in a loop of its own: fixtures of a module outlive the loops of its tests."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


@pytest.fixture(scope="module")
def quiet() -> Iterator[Rehearsal]:
    """Three weeks in which nothing is wrong."""
    season = Season.of(shop(40.0, seed=5, **SMALL))
    with journal_folder() as folder:
        until = season.market.plan.started_at + 21 * DAY_S
        yield lived(Relay([season], folder).live(until))


@pytest.fixture(scope="module")
def neighbours() -> Iterator[Rehearsal]:
    """Two accounts with a shop each; of the second's events TikTok counts two thirds."""
    one = shop(40.0, seed=5, **SMALL)
    other = shop(
        40.0,
        seed=6,
        advertiser_id="7106541027904739999",
        name="Sydlicht SE",
        quirks=Quirks(uncounted_share=0.33),
        **SMALL,
    )
    world = LivingWorld(one, other)
    seasons = [Season(world, each.advertiser_id) for each in (one, other)]
    with journal_folder() as folder:
        yield lived(Relay(seasons, folder).live(one.started_at + 21 * DAY_S))


def lacking(audit: Audit) -> set[Part]:
    return {part for part, each in audit.facts.gathered.items() if each.problem is not None}


def is_honest(audit: Audit) -> None:
    """What was not read was not judged, and says so; nothing else was left out."""
    lost = lacking(audit)
    states = {each.check: each for each in audit.judgements}
    for check in CHECKS:
        judged = states[check.id].state is not State.NOT_JUDGED
        assert judged == check.needs.isdisjoint(lost), check.id
        assert judged or states[check.id].why
    assert audit.is_partial == bool(lost)
    assert {each.check for each in audit.findings if each.severity is not Severity.INFO} <= {
        "API-01"
    }
    assert (states["API-01"].state is State.FOUND) == bool(lost)


async def audit_of(rehearsal: Rehearsal, *faults: Mapping[str, Any], **options: Any) -> Audit:
    (audit,) = await audited(rehearsal, faults=faults, **options)
    return audit


# --- faults of reading ----------------------------------------------------------------------------


async def test_nothing_is_wrong_to_begin_with(quiet: Rehearsal) -> None:
    audit = await audit_of(quiet)

    assert lacking(audit) == set()
    is_honest(audit)


async def test_reports_that_are_throttled_for_good_make_it_partial(quiet: Rehearsal) -> None:
    audit = await audit_of(quiet, {"kind": "code", "codes": [40100], "path": REPORTS})

    assert lacking(audit) == REPORT_PARTS
    told = [audit.facts.gathered[part].problem or "" for part in REPORT_PARTS]
    assert all("too many requests" in each.lower() or "no time" in each.lower() for each in told), (
        told
    )
    is_honest(audit)


async def test_a_short_throttle_is_sat_out(quiet: Rehearsal) -> None:
    audit = await audit_of(quiet, {"kind": "code", "codes": [40100], "path": REPORTS, "count": 2})

    assert lacking(audit) == set()
    is_honest(audit)


@pytest.mark.parametrize("skip", range(7, 40, 4))
async def test_a_token_revoked_in_the_middle(quiet: Rehearsal, skip: int) -> None:
    audit = await audit_of(quiet, {"kind": "code", "codes": [40105], "skip": skip})

    assert {audit.facts.gathered[part].code for part in lacking(audit)} <= {40105}
    is_honest(audit)


async def test_a_revoked_token_costs_what_was_left_to_read(quiet: Rehearsal) -> None:
    early = await audit_of(quiet, {"kind": "code", "codes": [40105], "skip": 8})

    assert lacking(early) >= REPORT_PARTS
    assert Part.LEDGER not in lacking(early)


@pytest.mark.parametrize("times", [1, 99])
async def test_pages_that_change_under_the_reader_are_read_again(times: int) -> None:
    big = big_account(ads=1500, adgroups=3, days=3)
    with journal_folder() as folder:
        audit = await audit_of(
            Rehearsal(big, folder, big.now),
            {"kind": "page_shift", "path": "*/ad/get/", "count": times},
        )

    if times == 1:
        assert lacking(audit) == set()
        assert len(audit.facts.ads) == len({each.id for each in audit.facts.ads}) == 1500
    else:
        assert lacking(audit) == {Part.ADS}
        assert "MAT-06" in {e.check for e in audit.judgements if e.state is State.NOT_JUDGED}
        assert audit.is_partial


async def test_rows_that_are_counted_and_do_not_come(quiet: Rehearsal) -> None:
    audit = await audit_of(quiet, {"kind": "short_page", "path": "*/adgroup/get/"})

    assert lacking(audit) == {Part.ADGROUPS}
    assert audit.facts.adgroups == []
    is_honest(audit)


#: TikTok cannot make any report at once: all but the account's become tasks.
_TOO_SLOW: Final = {"kind": "code", "codes": [51010], "path": REPORTS}


async def test_reports_that_take_too_long_come_as_files(quiet: Rehearsal) -> None:
    at_once, as_files = await audit_of(quiet), await audit_of(quiet, _TOO_SLOW)

    assert lacking(as_files) <= {Part.ACCOUNT_REPORT, Part.HOURLY_REPORT}
    assert rows_of(as_files, Level.ADGROUP) == rows_of(at_once, Level.ADGROUP)
    is_honest(as_files)


def rows_of(audit: Audit, level: Level) -> list[Any]:
    """Of days that stand: time goes on while TikTok makes a file."""
    last = audit.facts.period.last - timedelta(days=4)
    return sorted(
        (e.id, e.day, e.spend, e.clicks)
        for e in audit.facts.days
        if e.level is level and e.day <= last
    )


@pytest.mark.parametrize("fault", ["truncated_file", "stuck_task", "failed_task"])
async def test_files_that_end_early_and_tasks_that_never_do(quiet: Rehearsal, fault: str) -> None:
    audit = await audit_of(quiet, _TOO_SLOW, {"kind": fault})

    assert lacking(audit) >= {Part.CAMPAIGN_REPORT, Part.ADGROUP_REPORT, Part.AD_REPORT}
    assert rows_of(audit, Level.ADGROUP) == []
    is_honest(audit)


@pytest.mark.parametrize("seconds", [-7200.0, 7200.0])
async def test_a_clock_of_tiktok_that_is_off_changes_nothing(
    quiet: Rehearsal, seconds: float
) -> None:
    right = await audit_of(quiet)
    audit = await audit_of(quiet, {"kind": "clock_skew", "seconds": seconds})

    assert audit.findings == right.findings
    assert audit.judgements == right.judgements
    assert audit.facts.days == right.facts.days


# --- several accounts -----------------------------------------------------------------------------


async def test_each_account_is_audited_with_its_own_destination(neighbours: Rehearsal) -> None:
    sound, lossy = await audited(neighbours)

    assert [each.name for each in sound.facts.targets] == ["web"]
    assert [each.name for each in lossy.facts.targets] == ["web-2"]
    assert {each.destination for each in sound.facts.ledger} == {"web"}
    assert {each.destination for each in lossy.facts.ledger} == {"web-2"}
    assert [each for each in sound.findings if each.severity is not Severity.INFO] == []
    (loss,) = [each for each in lossy.findings if each.check == "DEL-03"]
    assert loss.subject.id.startswith(lossy.facts.targets[0].event_source_id)
    assert loss.severity is Severity.HIGH


async def test_an_account_lost_in_the_middle_leaves_the_other_whole(neighbours: Rehearsal) -> None:
    ids = list(neighbours.world.advertisers)
    fault = {"kind": "lost_advertiser", "advertiser_ids": ids[:1], "skip": 8}

    lost, whole = await audited(neighbours, faults=[fault])

    assert {lost.facts.gathered[part].code for part in lacking(lost)} == {40001}
    is_honest(lost)
    assert lacking(whole) == set()
    assert [each.check for each in whole.findings if each.check == "DEL-03"] == ["DEL-03"]


# --- what explains what ---------------------------------------------------------------------------


@pytest.mark.parametrize("staged", [("CFG-02", "planted")], indirect=True)
def test_a_wrong_pixel_explains_that_there_are_no_conversions(staged: Staged) -> None:
    (silenced,) = staged.findings("DEL-01")

    assert silenced.explained_by == ("CFG-02",)
    grave = {Severity.CRITICAL, Severity.HIGH}
    assert [e.check for e in staged.audit.standing if e.severity in grave] == ["CFG-02"]


# --- few orders, and clocks -----------------------------------------------------------------------

#: Faults that a shop with many orders hears of.
_FEW_OF: Final[Mapping[str, Mapping[str, Any]]] = {
    "some are not counted": {"uncounted_share": 0.2},
    "somebody else sends, too": {"foreign_share": 0.3},
    "some are late": {"late_share": 0.15},
    "some have no value": {"without_value_share": 0.08},
    "some are in cents": {"cents_share": 0.05},
    "some have two ids": {"two_ids_share": 0.08},
    "some are not credited": {"credited_share": 0.5},
    "some are missing": {"missing_share": 0.5},
}


@pytest.mark.parametrize("quirks", _FEW_OF.values(), ids=_FEW_OF)
async def test_three_orders_a_day_raise_no_alarm_about_a_share(quirks: Mapping[str, Any]) -> None:
    options = {
        "relayed": ("Purchase",),
        "optimization_event": "SHOPPING",
    }  # or there were many carts
    plan = shop(3.0, seed=9, quirks=Quirks(**quirks), **options)
    with journal_folder() as folder:
        rehearsal = await Relay([Season.of(plan)], folder).live(plan.started_at + 30 * DAY_S)
        audit = await audit_of(rehearsal)

    loud = {each.check for each in audit.findings if each.severity is not Severity.INFO}
    assert loud <= {"BUD-02"}  # a budget too small for purchases is no matter of chance


@pytest.mark.parametrize(
    ("zone", "change", "hours"),
    [("Europe/Berlin", date(2026, 10, 25), 25), ("America/New_York", date(2027, 3, 14), 23)],
)
async def test_a_day_on_which_the_clocks_change(zone: str, change: date, hours: int) -> None:
    local = LocalTime(zone)
    first = (change - timedelta(days=10)).toordinal() - date(1970, 1, 1).toordinal()
    plan = shop(
        60.0,
        seed=10,
        timezone=zone,
        display_timezone=zone,
        started_at=local.starts(first),
        **SMALL,
    )
    with journal_folder() as folder:
        rehearsal = await Relay([Season.of(plan)], folder).live(local.starts(first + 14))
        audit = await audit_of(rehearsal)

    calendar = audit.facts.advertiser.zone
    bought = Counter(
        datetime.fromtimestamp(each.event_time, calendar).date()
        for each in rehearsal.true.purchases()
    )
    booked = Books(audit.facts).deliveries.days(("web", "SHOPPING"))
    assert {day: each.live for day, each in booked.items()} == bought
    assert len(local.hours(first + 10)) == hours
    assert bought[change] > 0
    assert [each for each in audit.findings if each.severity is not Severity.INFO] == []
