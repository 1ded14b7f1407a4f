"""How numbers, days and names are written for a person. Pure.

Names come from people and other machines: what could steer a terminal or turn a line around is
taken out of them. Nothing here escapes for HTML.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from relay.audit.facts import Advertiser, Facts, Period
from relay.audit.findings import Figure, Finding, Severity, Subject
from relay.normalize.money import exponent

#: What stands where nothing can be said.
UNKNOWN: Final = "\N{EN DASH}"

#: The longest name that is shown in a line.
NAME_LENGTH: Final = 60

_JOINER: Final = "\u200d"
_STEERING: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def plain(text: str, limit: int | None = None) -> str:
    """One line without control characters, marks of direction or halves of characters; at most
    `limit` characters, an ellipsis included."""
    kept = "".join(_kept(char) for char in text)
    one_line = " ".join(kept.split())
    if limit is not None and len(one_line) > limit:
        return one_line[: limit - 1].rstrip() + "…"
    return one_line


def _kept(char: str) -> str:
    if char == _JOINER:  # holds emoji together
        return char
    category = unicodedata.category(char)
    if category == "Cs":
        return "\N{REPLACEMENT CHARACTER}"
    if category == "Cc":
        return " "
    return "" if category in _STEERING else char


def count(number: int | None) -> str:
    return UNKNOWN if number is None else f"{number:,}"


def amount(value: Decimal | None, currency: str) -> str:
    """With as many decimals as the currency has, without its name."""
    return UNKNOWN if value is None else f"{value:,.{exponent(currency)}f}"


def money(value: Decimal | None, currency: str) -> str:
    return UNKNOWN if value is None else f"{amount(value, currency)} {plain(currency, 8)}"


def ratio(value: Decimal | None) -> str:
    return UNKNOWN if value is None else f"{value:,.2f}"


def percent(share: Decimal | None) -> str:
    """Of a share: 0.5 is 50 %. What is not all never reads as 100 %."""
    if share is None:
        return UNKNOWN
    if Decimal("0.9995") <= share < 1:
        return "99.9 %"
    return f"{share * 100:,.1f} %"


def share(part: int | None, whole: int | None) -> str:
    """A part of a whole, in percent."""
    return UNKNOWN if part is None or not whole else percent(Decimal(part) / Decimal(whole))


def day(when: date) -> str:
    return f"{when.day} {when:%b %Y}"


def short_day(when: date) -> str:
    return f"{when.day} {when:%b}"


def days(period: Period | None) -> str:
    """Both ends; the year once, and the month."""
    if period is None:
        return UNKNOWN
    if period.first == period.last:
        return day(period.first)
    if (period.first.year, period.first.month) == (period.last.year, period.last.month):
        return f"{period.first.day} {UNKNOWN} {day(period.last)}"
    if period.first.year == period.last.year:
        return f"{short_day(period.first)} {UNKNOWN} {day(period.last)}"
    return f"{day(period.first)} {UNKNOWN} {day(period.last)}"


def zone(advertiser: Advertiser, now: float) -> str:
    """The zone of the account's days, and its offset at that moment. TikTok's own name of a zone
    may have its sign turned round (`Etc/GMT-1` is an hour ahead of UTC), the offset has not."""
    offset = datetime.fromtimestamp(now, advertiser.zone).isoformat()[-6:]
    name = advertiser.display_timezone or advertiser.timezone
    return f"{plain(name, 40)}, UTC{offset}"


def moment(at: float, advertiser: Advertiser) -> str:
    when = datetime.fromtimestamp(at, advertiser.zone)
    return f"{day(when.date())} {when:%H:%M} UTC{when.isoformat()[-6:]}"


def figure(found: Figure) -> str:
    """A number with its unit, without its label."""
    value = found.value
    if value is None:
        return UNKNOWN
    if isinstance(value, str):
        return plain(f"{value} {found.unit}", NAME_LENGTH)
    return f"{_number(value, found.unit)} {_unit(found.unit)}".rstrip()


def _unit(unit: str) -> str:
    return "" if unit == "ratio" else plain(unit, 20)


def _number(value: Decimal | int, unit: str) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    if len(unit) == 3 and unit.isupper():
        return amount(value, unit)
    return f"{value:,.2f}".removesuffix("0").removesuffix("0").removesuffix(".")


def subject(about: Subject, limit: int = NAME_LENGTH) -> str:
    """What it is, and what it is called; its id where it has no name."""
    kind = {"adgroup": "ad group", "custom_conversion": "custom conversion"}.get(
        about.kind, about.kind
    )
    return f"{plain(kind, 20)} {plain(about.name, limit) or plain(about.id, limit)}"


def account(facts: Facts) -> str:
    return plain(facts.advertiser.name, NAME_LENGTH) or plain(facts.advertiser.id)


def stake(finding: Finding, currency: str) -> str:
    """Nothing where no money is at stake, or none that could be named."""
    if not finding.at_stake:
        return ""
    return f"{money(finding.at_stake, currency)} at stake"


def tally(findings: Sequence[Finding]) -> str:
    """`1 critical and 2 high`: worst first, without a noun."""
    counts = {each: sum(finding.severity is each for finding in findings) for each in Severity}
    parts = [f"{number} {severity}" for severity, number in counts.items() if number]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def plural(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
