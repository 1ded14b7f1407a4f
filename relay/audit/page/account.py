"""One account: are the numbers true, what is to be done, and the pictures. Pure."""

from __future__ import annotations

from relay.audit.findings import Audit
from relay.audit.page.costs import costs
from relay.audit.page.findings import findings, since_when
from relay.audit.page.funnels import funnels
from relay.audit.page.judged import judged
from relay.audit.page.markup import Markup, named, tag
from relay.audit.page.matching import matching, undelivered
from relay.audit.summary import Summary
from relay.audit.verdict import verdict_of
from relay.audit.wording import (
    account,
    count,
    days,
    money,
    percent,
    plain,
    zone,
)


def section(audit: Audit, summary: Summary, number: int) -> Markup:
    facts = audit.facts
    title = f"account-{number}-title"
    about = (
        f"Advertiser {plain(facts.advertiser.id)} · {days(facts.period)} · days of "
        f"{zone(facts.advertiser, facts.now)} · money in {plain(facts.advertiser.currency, 8)}"
    )
    return tag(
        "section",
        tag("h2", named(account(facts)), id=title),
        tag("p", about, class_="muted small"),
        _verdict(audit),
        _partial(audit),
        _tiles(audit, summary),
        findings(audit),
        since_when(audit),
        funnels(audit, summary),
        costs(audit, summary),
        matching(summary),
        undelivered(summary, facts),
        judged(audit),
        id=f"account-{number}",
        class_="account",
        aria_labelledby=title,
    )


def _verdict(audit: Audit) -> Markup:
    answer, sentence = verdict_of(audit)
    word, _, rest = sentence.partition(":")
    said = tag(
        "p",
        tag("span", "Are the numbers true? ", class_="unseen"),
        tag("span", f"{word}:", class_="word"),
        f" {rest.strip()}",
    )
    return tag("div", said, class_=f"verdict {answer}")


def _partial(audit: Audit) -> Markup | None:
    """Loudly: what was not judged is not fine."""
    if not audit.is_partial:
        return None
    broken = [each for each in audit.facts.gathered.values() if each.problem]
    items = [tag("li", f"{each.part.value}: {each.problem}") for each in broken]
    said = tag(
        "p",
        tag("strong", "Partial run."),
        " Facts were missing. What could not be judged is listed below as not judged; "
        "it may be wrong.",
    )
    return tag("div", said, tag("ul", *items) if items else None, class_="partial", role="note")


def _tiles(audit: Audit, summary: Summary) -> Markup:
    total, currency = summary.total, audit.facts.advertiser.currency
    events = " + ".join(plain(each, 30) for each in summary.basis.events)
    places = ", ".join(plain(each.label, 40) for each in summary.basis.channels)
    of_clicks = f"{count(total.clicked)} of them with a click id"
    return tag(
        "dl",
        _tile("Spend", money(total.spend, currency), "as TikTok reports it"),
        _tile(f"{events} delivered", count(total.delivered), f"{of_clicks}; {places or 'nowhere'}"),
        _tile(
            "Conversions reported",
            count(total.reported),
            f"worth {money(total.reported_value, currency)}; by day of click or view",
        ),
        _tile(
            "Claimed by TikTok",
            percent(summary.settled.claimed),
            f"of what was delivered, by day of the event, {days(summary.mature)}",
        ),
        class_="tiles",
    )


def _tile(label: str, value: str, note: str) -> Markup:
    return tag(
        "div",
        tag("dt", label),
        tag("dd", value, class_="big"),
        tag("dd", note, class_="note"),
        class_="tile",
    )
