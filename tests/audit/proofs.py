"""For each check, what its findings must say of the scenario planted for it: subject and numbers,
held against the world and the shop, or against what the scenario expects; never against the audit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from relay.audit.findings import Finding
from tests.audit.staging import Spent, Staged

Found = Sequence[Finding]
Proof = Callable[[Found, Staged], None]

CENT: Final = Decimal("0.01")
ADGROUPS, ACCOUNT = "AUCTION_ADGROUP", "AUCTION_ADVERTISER"


def one(found: Found) -> Finding:
    (finding,) = found
    return finding


def number(value: object) -> float:
    assert isinstance(value, Decimal | int)
    return float(value)


def share(finding: Finding) -> float:
    """What was found, of 1."""
    assert finding.found.unit == "%"
    return number(finding.found.value) / 100


def near(found: object, wanted: float | Decimal) -> bool:
    """The same but for what came in while the audit read: time goes on."""
    return abs(number(found) - float(wanted)) <= 0.002 * float(wanted)


def within(days: tuple[date, date], day: date) -> bool:
    return days[0] <= day <= days[1]


def detail(finding: Finding, label: str) -> float:
    return next(number(each.value) for each in finding.details if each.label.startswith(label))


def total(rows: Sequence[Spent], days: tuple[date, date], name: str) -> int:
    return sum(getattr(each, name) for each in rows if within(days, each.day))


def of_event(finding: Finding, staged: Staged, event: str = "SHOPPING") -> None:
    """It is about this event of the shop's pixel."""
    assert (finding.subject.kind, finding.subject.id) == ("event", f"{staged.pixels[0]}/{event}")


def of_destination(found: Found) -> None:
    assert {(each.subject.kind, each.subject.id) for each in found} == {("destination", "web")}


def of_account(finding: Finding, staged: Staged) -> None:
    advertiser = staged.audit.facts.advertiser
    assert (finding.subject.kind, finding.subject.id) == ("account", advertiser.id)


def of_groups(found: Found, groups: Sequence[str]) -> None:
    assert {each.subject.kind for each in found} == {"adgroup"}
    assert {each.subject.id for each in found} == set(groups)


# --- CFG ------------------------------------------------------------------------------------------


def cfg_01(found: Found, staged: Staged) -> None:
    finding, last = one(found), staged.days[1]
    of_event(finding, staged, "ON_WEB_REGISTER")
    assert finding.found.value == 0
    assert near(finding.at_stake, staged.spend((last - timedelta(days=6), last), staged.groups[0]))


def cfg_02(found: Found, staged: Staged) -> None:
    finding = one(found)
    assert (finding.subject.kind, finding.subject.id) == ("pixel", staged.pixels[1])
    assert finding.expected.value == staged.pixels[0]
    assert near(finding.at_stake, staged.spend(staged.days, staged.groups[0]))


def cfg_03(found: Found, staged: Staged) -> None:
    of_groups(found, staged.groups[:1])
    assert near(one(found).at_stake, staged.spend(staged.days, staged.groups[0]))


def cfg_04(found: Found, staged: Staged) -> None:
    finding = one(found)
    assert (finding.subject.kind, finding.subject.id) == ("pixel", staged.pixels[0])
    assert "UNBOUND" in str(finding.found.value)
    assert near(finding.at_stake, staged.spend(staged.days))


def cfg_05(found: Found, staged: Staged) -> None:
    of_event(one(found), staged, "INITIATE_ORDER")
    assert near(one(found).at_stake, staged.spend(staged.days, staged.groups[0]))


def cfg_06(found: Found, staged: Staged) -> None:
    of_account(one(found), staged)
    assert one(found).found.value == 2


def cfg_07(found: Found, staged: Staged) -> None:
    finding = one(found)
    of_event(finding, staged)
    assert finding.found.value == 1
    assert staged.expects("latency p90 h").holds(24 * number(finding.expected.value))
    assert staged.expects("late buyers").holds(detail(finding, "purchases outside") / 100)


def cfg_08(found: Found, staged: Staged) -> None:
    of_groups(found, staged.groups)
    assert {each.found.value for each in found} == {"1 d / 7 d"}


def cfg_09(found: Found, staged: Staged) -> None:
    of_event(one(found), staged)
    assert staged.expects("repeat buyers").holds(share(one(found)))


def cfg_10(found: Found, staged: Staged) -> None:
    finding = one(found)
    (conversion,) = staged.audit.facts.custom_conversions
    assert (finding.subject.kind, finding.subject.id) == ("custom_conversion", conversion.id)
    assert finding.found.value == "NO_RECENT_ACTIVITY"


def cfg_11(found: Found, staged: Staged) -> None:
    assert one(found).concerns >= {f"adgroup:{staged.groups[0]}", f"pixel:{staged.pixels[0]}"}


def cfg_12(found: Found, staged: Staged) -> None:
    finding = one(found)
    assert (finding.subject.kind, finding.subject.id) == ("pixel", staged.pixels[0])
    assert finding.expected.value == sum(within(staged.days, e.day) for e in staged.bought)
    assert finding.found.value == 0


# --- DEL and DUP ----------------------------------------------------------------------------------


def del_01(found: Found, staged: Staged) -> None:
    finding, days = one(found), staged.mature()
    of_event(finding, staged)
    clicked = sum(each.has_click and within(days, each.day) for each in staged.bought)
    assert (finding.expected.value, finding.found.value) == (clicked, 0)
    assert near(finding.at_stake, staged.spend(days))


def del_02(found: Found, staged: Staged) -> None:
    finding, days = one(found), staged.mature()
    of_event(finding, staged)
    assert not staged.bought
    assert finding.found.value == finding.at_stake
    assert near(finding.at_stake, staged.spend(days))
    assert finding.explained_by == ("CFG-01",)


def del_03(found: Found, staged: Staged) -> None:
    is_told(one(found), staged, lambda times: times < 0.95)


def del_04(found: Found, staged: Staged) -> None:
    is_told(one(found), staged, lambda times: times > 1.05)


def is_told(finding: Finding, staged: Staged, odd: Callable[[float], bool]) -> None:
    """Both counts, of the days of UTC that are odd; the last two are not all in."""
    of_event(finding, staged)
    sent = Counter(each.utc_day for each in staged.bought)
    server = {day: staged.counted.get((day, "SHOPPING"), (0, 0, 0))[1] for day in sent}
    settled = (staged.days[0], staged.days[1] - timedelta(days=2))
    days = [day for day in sent if within(settled, day) and odd(server[day] / sent[day])]
    assert finding.expected.value == sum(sent[day] for day in days)
    assert finding.found.value == sum(server[day] for day in days)
    assert staged.expects("Srv/Rd").holds(
        number(finding.found.value) / number(finding.expected.value)
    )


def del_05(found: Found, staged: Staged) -> None:
    of_destination(found)
    silent = number(one(found).found.value)
    assert staged.expects("hours silent").holds(silent)
    assert abs((staged.now - max(each.at for each in staged.bought)) / 3600 - silent) <= 1


def del_06(found: Found, staged: Staged) -> None:
    of_destination(found)
    finding = one(found)
    assert staged.expects("Rfail/Rtry").holds(share(finding))
    (code,) = finding.details
    assert code.label.startswith("40002 ")
    in_time = sum(within(staged.days, each) for each in staged.rejected)
    assert abs(number(code.value) - in_time) <= 2  # one may be settled over midnight


def del_07(found: Found, staged: Staged) -> None:
    of_destination(found)
    in_time = sum(within(staged.days, each) for each in staged.tested)
    assert one(found).found.value == in_time
    assert staged.expects("test orders").holds(len(staged.tested))


def del_08(found: Found, staged: Staged) -> None:
    of_destination(found)
    assert staged.expects("late events").holds(share(one(found)))


def del_09(found: Found, staged: Staged) -> None:
    of_destination(found)
    in_time = sum(within(staged.days, each) for each in staged.refused_as_future)
    assert abs(number(one(found).found.value) - in_time) <= 2  # an hour may lie over midnight
    assert in_time > 100


def dup_01(found: Found, staged: Staged) -> None:
    of_destination(found)
    times = number(one(found).found.value)
    orders = [each.order_id for each in staged.bought if within(staged.days, each.day)]
    assert abs(times - len(orders) / len(set(orders))) < 0.006


def dup_02(found: Found, staged: Staged) -> None:
    finding = one(found)
    of_event(finding, staged)
    first, last = staged.mature()
    days = (first, last - timedelta(days=1))  # of UTC, which ends an hour after the account's
    orders = sum(within(days, each.utc_day) for each in staged.bought)
    attributed = sum(
        counts[2]
        for (day, event), counts in staged.counted.items()
        if event == "SHOPPING" and within(days, day)
    )
    assert (finding.expected.value, finding.found.value) == (orders, attributed)
    assert staged.expects("Att/orders").holds(attributed / orders)


def dup_03(found: Found, staged: Staged) -> None:
    of_destination(found)
    assert {each.subject.name for each in found} == {
        "Purchase of web",
        "AddToCart of web",
        "InitiateCheckout of web",
    }
    assert {share(each) for each in found} == {1.0}


# --- MAT and VAL ----------------------------------------------------------------------------------


def mat_01(found: Found, staged: Staged) -> None:
    of_destination(found)
    assert staged.expects("click ids from TikTok").holds(share(one(found)))


def mat_02(found: Found, staged: Staged) -> None:
    of_destination(found)
    finding = one(found)
    came = sum(within(staged.days, each.day) for each in staged.bought)
    assert staged.expects("email/Rd").holds(detail(finding, "with an e-mail") / came)
    assert staged.expects("phone/Rd").holds(detail(finding, "with a phone") / came)


def mat_03(found: Found, staged: Staged) -> None:
    of_destination(found)
    fields = {each.subject.name.partition(" ")[0]: share(each) for each in found}
    assert set(fields) == {"user.email", "user.phone", "user.ip"}
    assert all(map(staged.expects("bad keys").holds, fields.values()))


def mat_04(found: Found, staged: Staged) -> None:
    assert {each.subject.id.partition("/")[0] for each in found} == {staged.pixels[0]}
    (finding,) = [each for each in found if each.subject.id.endswith("/SHOPPING")]
    assert staged.expects("Att/Tot on the last days").holds(share(finding))


def mat_05(found: Found, staged: Staged) -> None:
    of_event(one(found), staged)
    assert staged.expects("late buyers").holds(share(one(found)))


def mat_06(found: Found, staged: Staged) -> None:
    assert {each.subject.kind for each in found} == {"ad"}
    assert all(staged.expects("landings/clicks").holds(share(each)) for each in found)
    spend = staged.spend(staged.days, level="AUCTION_AD")
    assert near(sum(each.at_stake or Decimal(0) for each in found), spend)


def val_01(found: Found, staged: Staged) -> None:
    of_destination(found)
    worthless = sum(not e.value for e in staged.bought if within(staged.days, e.day))
    assert staged.expects("without value").holds(share(one(found)))
    assert detail(one(found), "purchases without value") == worthless


def val_02(found: Found, staged: Staged) -> None:
    of_destination(found)
    finding = one(found)
    times = number(finding.found.value) / number(finding.expected.value)
    assert 80 < times < 125
    dear = sum(e.value > 1500 for e in staged.bought if within(staged.days, e.day))
    assert int(finding.says.partition(" ")[0]) <= dear  # half to twice a hundredfold: not the ends
    assert int(finding.says.partition(" ")[0]) > 0.8 * dear


def val_03(found: Found, staged: Staged) -> None:
    finding, days = one(found), staged.mature()
    of_event(finding, staged)
    reported = sum(e.value for e in staged.spent[ADGROUPS] if within(days, e.day))
    all_in = (days[0], days[1] + timedelta(days=7))
    delivered = sum(e.value for e in staged.bought if within(all_in, e.day))
    assert finding.found.value == reported
    assert finding.expected.value == delivered
    assert finding.at_stake == reported - delivered


def val_04(found: Found, staged: Staged) -> None:
    of_event(one(found), staged)
    assert one(found).found.value == 1 == len({each.value for each in staged.bought})


# --- REC ------------------------------------------------------------------------------------------


def rec_01(found: Found, staged: Staged) -> None:
    finding, days = one(found), staged.mature()
    of_event(finding, staged)
    delivered = sum(within(days, each.day) for each in staged.bought)
    claimed = total(staged.spent[ADGROUPS], days, "conversions_by_event_day")
    assert (finding.expected.value, finding.found.value) == (delivered, claimed)
    assert staged.expects("Crt/Rd").holds(claimed / delivered)


def rec_02(found: Found, staged: Staged) -> None:
    assert {each.subject.id for each in found} <= set(staged.groups)
    assert all(staged.expects("views/C").holds(share(each)) for each in found)


def rec_03(found: Found, staged: Staged) -> None:
    finding, days = one(found), staged.mature()
    of_event(finding, staged)
    clicked = sum(each.has_click and within(days, each.day) for each in staged.bought)
    claimed = total(staged.spent[ADGROUPS], days, "conversions_by_event_day")
    assert abs(number(finding.expected.value) - float(staged.spend(days)) / clicked) < 0.01
    assert abs(number(finding.found.value) - float(staged.spend(days)) / claimed) < 0.01
    assert finding.explained_by == ("REC-01",)


def rec_04(found: Found, staged: Staged) -> None:
    of_event(one(found), staged)
    assert staged.expects("modelled/C").holds(share(one(found)))


def rec_05(found: Found, staged: Staged) -> None:
    finding = one(found)
    of_event(finding, staged)
    began = date(2026, 9, 1) + timedelta(days=33)
    assert finding.since == began
    assert finding.found.value == sum(each.day == began for each in staged.bought)
    assert staged.expects("Rd left").holds(
        number(finding.found.value) / number(finding.expected.value)
    )


def rec_06(found: Found, staged: Staged) -> None:
    of_account(one(found), staged)
    assert staged.expects("lag h").holds(number(one(found).found.value))


def rec_07(found: Found, staged: Staged) -> None:
    of_account(one(found), staged)
    assert one(found).found.value == staged.planting.days == 4


def rec_08(found: Found, staged: Staged) -> None:
    of_account(one(found), staged)
    before, after = number(one(found).expected.value), number(one(found).found.value)
    assert staged.expects("restated").holds(after / before - 1)
    assert staged.before is not None
    assert [each for each in staged.before.findings if each.check == "REC-08"] == []


def rec_09(found: Found, staged: Staged) -> None:
    assert len(found) == 3  # campaigns, ad groups and ads lack it alike
    for finding in found:
        of_account(finding, staged)
        whole, parts = number(finding.expected.value), number(finding.found.value)
        assert near(finding.expected.value, staged.spend(staged.days, level=ACCOUNT))
        assert near(finding.found.value, staged.spend(staged.days))
        assert staged.expects("account/ads").holds(whole / parts)


# --- BUD, GOV and API -----------------------------------------------------------------------------


def bud_01(found: Found, staged: Staged) -> None:
    of_groups(found, staged.groups)
    budgets = {each.id: each.budget for each in staged.audit.facts.adgroups}
    for finding in found:
        spent, budget = number(finding.found.value), budgets[finding.subject.id]
        assert budget is not None
        assert staged.expects("Sp/budget").holds(spent / float(budget))
        since = staged.days[1] - timedelta(days=13)
        rows = [e for e in staged.spent[ADGROUPS] if e.id == finding.subject.id and e.day >= since]
        assert near(finding.found.value, max(each.spend for each in rows))


def bud_02(found: Found, staged: Staged) -> None:
    of_groups(found, staged.groups)
    last = staged.mature()[1]
    week = (last - timedelta(days=6), last)
    scarce = [each for each in found if each.found.unit == "events"]
    assert scarce
    for finding in scarce:
        rows = [each for each in staged.spent[ADGROUPS] if each.id == finding.subject.id]
        assert finding.found.value == total(rows, week, "conversions")


def bud_03(found: Found, staged: Staged) -> None:
    finding = one(found)
    of_account(finding, staged)
    balance, a_day = number(finding.found.value), number(finding.expected.value)
    assert staged.expects("days of balance").holds(balance / a_day)
    last = staged.days[1] - timedelta(days=1)
    week = staged.spend((last - timedelta(days=6), last), level=ACCOUNT)
    assert abs(a_day - float(week) / 7) < 0.01


def bud_04(found: Found, staged: Staged) -> None:
    of_groups(found, staged.groups[:1])
    paused = date(2026, 9, 21)
    assert one(found).since == paused + timedelta(days=1)
    after = (paused + timedelta(days=1), staged.days[1])
    assert one(found).found.value == staged.spend(after, staged.groups[0])


def gov_01(found: Found, staged: Staged) -> None:
    (drop,) = staged.findings("REC-05")
    assert {each.says.partition(" ")[0] for each in found} == {"REC-05"}
    assert one(found).subject == drop.subject
    assert any("Targeting" in each for each in drop.changed_before)
    assert "Targeting" in one(found).says
    assert staged.groups[0] in one(found).says


def api_01(found: Found, staged: Staged) -> None:
    lost = {e.part.value for e in staged.audit.facts.gathered.values() if e.code == 40001}
    assert lost == {"account report", "campaign report", "ad group report", "ad report",
                    "hourly report"}  # fmt: skip
    (finding,) = found  # one cause is one finding
    assert finding.concerns == {f"part:{part}" for part in lost}
    assert staged.audit.is_partial


def api_02(found: Found, staged: Staged) -> None:
    for finding in found:
        of_account(finding, staged)
        assert staged.expects("V/(P x value)").holds(
            number(finding.found.value) / number(finding.expected.value)
        )


PROOFS: Final[Mapping[str, Proof]] = {
    name[:3].upper() + "-" + name[4:]: proof
    for name, proof in globals().items()
    if len(name) == 6 and name[3] == "_" and name[4:].isdigit()
}
