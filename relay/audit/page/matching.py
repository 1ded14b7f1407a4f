"""Who can be matched, and what was not delivered. Pure."""

from __future__ import annotations

from relay.audit.facts import Facts
from relay.audit.page.charts.coverage import coverage, key_name
from relay.audit.page.markup import Markup, named, tag
from relay.audit.page.table import Column, Row, folded, table
from relay.audit.summary import Coverage, Summary
from relay.audit.wording import UNKNOWN, count, plain, share


def matching(summary: Summary) -> Markup | None:
    if not summary.coverage:
        return None
    return tag(
        "section",
        tag("h3", "Who can be matched"),
        tag("p", "Of all delivered events, how many carried what TikTok can match a person by.",
            class_="muted small"),
        tag("div", *(_card(each) for each in summary.coverage), class_="cards"),
        folded("Match keys as a table", *(_keys(each) for each in summary.coverage)),
    )  # fmt: skip


def _card(each: Coverage) -> Markup:
    said = (named(each.channel.label, 60), f": {each.delivered:,} events")
    return tag("figure", tag("figcaption", *said), coverage(each), class_="card")


def _keys(each: Coverage) -> Markup:
    columns = (Column("key", is_number=False), Column("events with it"), Column("share"))
    rows = [
        Row((key_name(key), count(number), share(number, each.delivered)))
        for key, number in each.keys.items()
    ]
    caption = f"{plain(each.channel.label, 60)}: of {each.delivered:,} delivered events"
    return table(caption, columns, rows)


def undelivered(summary: Summary, facts: Facts) -> Markup | None:
    """With TikTok's codes, where there are dead letters."""
    if not summary.undelivered and not facts.refused:
        return None
    return tag(
        "section",
        tag("h3", "What was not delivered"),
        tag("div", _outcomes(summary), _letters(facts), class_="card"),
    )


def _outcomes(summary: Summary) -> Markup | None:
    if not summary.undelivered:
        return None
    columns = (
        Column("destination", is_number=False),
        Column("outcome", is_number=False),
        Column("reason", is_number=False),
        Column("events"),
    )
    rows = [
        Row((named(each.destination, 60), each.outcome, named(each.reason), count(each.count)))
        for each in summary.undelivered
    ]
    return table("Arrivals that ended otherwise", columns, rows)


def _letters(facts: Facts) -> Markup | None:
    if not facts.refused:
        return None
    columns = (
        Column("destination", is_number=False),
        Column("TikTok's code", is_number=False),
        Column("reason", is_number=False),
        Column("dead letters"),
    )
    rows = [
        Row((
            named(each.destination, 60), UNKNOWN if each.code is None else str(each.code),
            named(each.reason), count(each.count),
        ))
        for each in facts.refused
    ]  # fmt: skip
    return folded("Dead letters by TikTok's code", table("Dead letters", columns, rows))
