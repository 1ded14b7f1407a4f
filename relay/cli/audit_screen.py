"""An audit on one screen of a terminal: are the numbers true, what do they say, what is to be done.

One account fits 80 columns and 40 lines; of several a table comes first, then the worst finding of
each. Names are written without anything that could steer the terminal.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len, set_cell_size

from relay.audit.facts import Gathered
from relay.audit.findings import Audit, Finding, Severity, State
from relay.audit.summary import Summary, summarise
from relay.audit.summary.funnel import Flow
from relay.audit.verdict import Answer, number, verdict_of
from relay.audit.wording import (
    account,
    amount,
    count,
    days,
    figure,
    money,
    percent,
    plain,
    plural,
    ratio,
    short_day,
    stake,
    subject,
    tally,
    zone,
)
from relay.cli.terminal import GREEN, RED, YELLOW, table
from relay.model import Outcome

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

#: What an account's summary may take, in lines; one more is the prompt's.
LINES = 40
#: Longer lines are hard to read.
_WIDEST = 120

_ANSWERS = {
    Answer.YES: GREEN,
    Answer.MOSTLY: YELLOW,
    Answer.DOUBTFUL: YELLOW,
    Answer.NO: RED,
    Answer.UNKNOWN: YELLOW,
}
_SEVERITIES = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}
_COUNTED = (Severity.CRITICAL, Severity.HIGH)
_MAX_FLOWS = 6
#: What is left for the name of a destination, at least.
_NAME = 9
_STEPS = ("arrived", "delivered", "server", "browser", "attrib.", "reported", "spend")


class _Line(NamedTuple):
    text: str
    style: str = ""


def show(console: Console, audits: Sequence[Audit]) -> None:
    """Print them."""
    if len(audits) == 1:
        _show_one(console, audits[0])
        return
    console.print(_accounts(audits))
    for audit in audits:
        _show_worst(console, audit)


def _show_one(console: Console, audit: Audit) -> None:
    summary, width = summarise(audit.facts), min(console.width, _WIDEST)
    flows = _funnel(_flows(summary), audit.facts.advertiser.currency, width)
    above = [*_head(audit, width), *_money(audit, summary, width), *flows, _Line("")]
    below = [*_footer(audit, summary, width)]
    found = _findings(audit, width, LINES - len(above) - len(below) - 1)
    _print(console, [*above, *found, *below])


def _print(console: Console, lines: Sequence[_Line]) -> None:
    for line in lines:
        console.print(line.text, style=line.style or None, soft_wrap=True)


def _head(audit: Audit, width: int) -> Iterator[_Line]:
    facts, verdict = audit.facts, verdict_of(audit)
    yield _Line(_fit(f"{account(facts)}  {plain(facts.advertiser.id, 30)}", width), "bold")
    period = f"{days(facts.period)}, {zone(facts.advertiser, facts.now)}"
    yield _Line(_fit(f"{period}, {plain(facts.advertiser.currency, 8)}", width), "dim")
    for text in _wrap(verdict.sentence, width, 2):
        yield _Line(text, f"bold {_ANSWERS[verdict.answer]}")
    if audit.is_partial:
        for text in _wrap(_missing(audit), width, 2):
            yield _Line(text, "bold yellow")


def _missing(audit: Audit) -> str:
    """Loudly: what a partial run does not say is not fine."""
    broken = [each for each in audit.facts.gathered.values() if each.problem]
    text = "PARTIAL RUN"
    if broken:
        text += f": {_broken(broken[0])}"
    if len(broken) > 1:
        text += f" (and {len(broken) - 1} more)"
    return f"{text}. What was not judged may be wrong."


def _broken(part: Gathered) -> str:
    return plain(f"{part.part.value}: {part.problem}", 70)


def _money(audit: Audit, summary: Summary, width: int) -> Iterator[_Line]:
    total, settled = summary.total, summary.settled
    currency = audit.facts.advertiser.currency
    yield _Line("")
    events = plain(", ".join(summary.basis.events), 30)
    said = (
        f"spend {money(total.spend, currency)}; {events}: {count(total.delivered)} delivered, "
        f"{count(total.reported)} reported, {percent(settled.claimed)} claimed"
    )
    for text in _wrap(said, width, 2):
        yield _Line(text, "bold")
    yield _Line(
        f"{'':<6}{'platform':>12}{'verified':>12}{'blended':>12}   {_mature(summary)}", "dim"
    )
    texts = [amount(each, currency) for each in settled.cpa]
    yield _Line("CPA   " + "".join(f"{text:>12}" for text in texts))
    yield _Line("ROAS  " + "".join(f"{ratio(each):>12}" for each in settled.roas))


def _mature(summary: Summary) -> str:
    if summary.mature is None:
        return "no day is old enough"
    if summary.immature is None:
        return "every day counts"
    return f"{days(summary.immature)} too young"


def _flows(summary: Summary) -> Sequence[Flow]:
    """What money is spent on; where nothing is known of that, whatever there is."""
    paid = [flow for flow in summary.flows if flow.is_paid_for]
    return (paid or summary.flows)[:_MAX_FLOWS]


def _funnel(flows: Sequence[Flow], currency: str, width: int) -> Iterator[_Line]:
    """A row for each; the event is in the head where there is one only."""
    if not flows:
        return
    events = {flow.event for flow in flows}
    rows = [_steps(flow, currency, count) for flow in flows]
    if sum(_sizes(rows)) > width - _NAME:
        rows = [_steps(flow, currency, _brief) for flow in flows]
    sizes = _sizes(rows)
    name_size = width - sum(sizes)
    head = plain(flows[0].event) if len(events) == 1 else "funnel"
    names = [
        plain(flow.channel.label if len(events) == 1 else f"{flow.event} {flow.channel.label}")
        for flow in flows
    ]
    yield _Line("")
    for name, cells in zip((head, *names), (_STEPS, *rows), strict=True):
        numbers = "".join(f"{cell:>{size}}" for cell, size in zip(cells, sizes, strict=True))
        style = "dim" if cells is _STEPS else ""
        yield _Line(f"{set_cell_size(_fit(name, name_size - 1), name_size)}{numbers}", style)


def _steps(flow: Flow, currency: str, written: Callable[[int | None], str]) -> Sequence[str]:
    total = flow.total
    numbers = (
        total.arrivals,
        total.delivered,
        total.server,
        total.browser,
        total.attributed,
        total.reported,
    )
    return [*(written(each) for each in numbers), amount(total.spend, currency)]


def _sizes(rows: Sequence[Sequence[str]]) -> Sequence[int]:
    """Of the columns of numbers, each with what sets it apart from the one before."""
    return [max(map(len, column)) + 2 for column in zip(_STEPS, *rows, strict=True)]


def _brief(number: int | None) -> str:
    """Where there is no room for millions in full."""
    if number is None or number < 100_000:
        return count(number)
    return f"{number / 1000:,.0f}k" if number < 10**7 else f"{number / 10**6:,.1f}M"


def _findings(audit: Audit, width: int, lines: int) -> Sequence[_Line]:
    """The worst first, each in full where all of them fit, else in two lines; what does not fit is
    counted."""
    standing = sorted(audit.standing, key=lambda each: each.severity.rank)
    if verdict_of(audit).answer is Answer.YES and not standing:
        return [_Line("Nothing is wrong that could be seen.", GREEN)]
    currency = audit.facts.advertiser.currency
    full = [line for each in standing for line in _in_full(each, currency, width)]
    if len(full) <= lines:
        return full
    room = max(1, (lines - 1) // 2)
    short = [line for each in standing[:room] for line in _in_short(each, width)]
    rest = standing[room:]
    if rest:
        short.append(_Line(_fit(f"and {tally(rest)} more (--html, --json)", width), "dim"))
    return short


def _in_full(finding: Finding, currency: str, width: int) -> Iterator[_Line]:
    since = f"since {short_day(finding.since)}" if finding.since else ""
    facts = ", ".join(each for each in (since, stake(finding, currency)) if each)
    text = f"{_tag(finding)}{plain(finding.says)}{f' ({facts})' if facts else ''}"
    for line in _wrap(text, width, 3):
        yield _Line(line, _SEVERITIES[finding.severity])
    for line in _wrap(f"  > {plain(finding.do)}", width, 2):
        yield _Line(line)


def _in_short(finding: Finding, width: int) -> Iterator[_Line]:
    """One line that has both numbers, and one that says what to do."""
    text = f"{_tag(finding)}{plain(finding.says)}"
    if len(text) > width:
        found, expected = finding.found, finding.expected
        numbers = (
            f"{plain(found.label, 30)} {figure(found)}, "
            f"{plain(expected.label, 30)} {figure(expected)}"
        )
        text = f"{_tag(finding)}{numbers}; {subject(finding.subject)}"
    yield _Line(_fit(text, width), _SEVERITIES[finding.severity])
    yield _Line(_fit(f"  > {plain(finding.do)}", width))


def _tag(finding: Finding) -> str:
    return f"{finding.severity.upper()} {plain(finding.check, 10)}  "


def _footer(audit: Audit, summary: Summary, width: int) -> Iterator[_Line]:
    silenced = len(audit.findings) - len(audit.standing)
    states = (
        f"{number(audit, State.PASSED)} passed, {number(audit, State.NOT_JUDGED)} not judged, "
        f"{number(audit, State.NOT_APPLICABLE)} had nothing to judge"
    )
    explained = f"{plural(silenced, 'finding')} explained by others"
    yield _Line("")
    yield from _lost(summary, width)
    if summary.unconvertible:
        missing = plain(", ".join(summary.unconvertible), 30)
        yield _Line(_fit(f"no rate for {missing}: amounts with it cannot be said", width), YELLOW)
    for text in _wrap(f"{states}; {explained}", width, 2):
        yield _Line(text, "dim")


def _lost(summary: Summary, width: int) -> Iterator[_Line]:
    """The most frequent reasons of what was not delivered and is no duplicate."""
    lost = [each for each in summary.undelivered if each.outcome != Outcome.DUPLICATE]
    if not lost:
        return
    worst = ", ".join(
        f"{each.count:,} {plain(each.reason or each.outcome, 24)} ({plain(each.destination, 20)})"
        for each in lost[:3]
    )
    yield _Line(_fit(f"{sum(each.count for each in lost):,} not delivered: {worst}", width))


def _accounts(audits: Sequence[Audit]) -> Table:
    numbers = ("spend", "delivered", "reported", *(each.value for each in _COUNTED))
    shown = table("account", "true?", *numbers, right=numbers, fold=("account",))
    for audit in audits:
        answer, total = verdict_of(audit).answer, summarise(audit.facts).total
        severities = [each.severity for each in audit.standing]
        shown.add_row(
            account(audit.facts),
            f"{answer}{'*' if audit.is_partial else ''}",
            money(total.spend, audit.facts.advertiser.currency),
            count(total.delivered),
            count(total.reported),
            *(str(severities.count(each)) for each in _COUNTED),
            style=None if answer is Answer.YES else _ANSWERS[answer],
        )
    if any(audit.is_partial for audit in audits):
        shown.caption = "* partial run: what was not judged may be wrong"
    return shown


def _show_worst(console: Console, audit: Audit) -> None:
    """Of several accounts each says only this."""
    width = min(console.width, _WIDEST)
    lines = [_Line(_fit(f"{account(audit.facts)}  {plain(audit.facts.advertiser.id, 30)}", width))]
    if audit.is_partial:
        lines += [_Line(text, "bold yellow") for text in _wrap(_missing(audit), width, 2)]
    worst = min(audit.standing, key=lambda each: each.severity.rank, default=None)
    if worst is None:
        lines += [_Line(text) for text in _wrap(verdict_of(audit).sentence, width, 2)]
    else:
        lines += _in_full(worst, audit.facts.advertiser.currency, width)
    _print(console, [*lines, _Line("")])


def _wrap(text: str, width: int, lines: int) -> Sequence[str]:
    """At most so many lines, the last one cut."""
    made = textwrap.wrap(text, width, max_lines=lines, placeholder=" …", subsequent_indent="    ")
    return [_fit(line, width) for line in made]


def _fit(text: str, width: int) -> str:
    """In cells of the terminal: letters of some scripts take two."""
    return text if cell_len(text) <= width else set_cell_size(text, width - 1).rstrip() + "…"
