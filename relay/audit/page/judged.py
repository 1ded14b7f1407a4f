"""What was looked at, and what could not be. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from relay.audit.findings import Audit, Judgement, State
from relay.audit.page.markup import Markup, named, tag
from relay.audit.page.table import Column, Row, folded, table
from relay.audit.verdict import number
from relay.audit.wording import count, moment

_WORDS = {
    State.FOUND: "found something",
    State.NOT_JUDGED: "not judged: facts are missing",
    State.NOT_APPLICABLE: "nothing to judge",
    State.PASSED: "passed",
}


def judged(audit: Audit) -> Markup:
    states = ", ".join(f"{number(audit, state):,} {word}" for state, word in _WORDS.items())
    missing = [each for each in audit.judgements if each.state is State.NOT_JUDGED]
    return tag(
        "section",
        tag("h3", "What was looked at"),
        tag("p", f"{len(audit.judgements):,} checks: {states}."),
        _checks("Not judged", missing) if missing else None,
        folded("All checks", _checks("All checks", audit.judgements)),
        folded("What was gathered, and when", _parts(audit)),
    )


def _checks(caption: str, judgements: Sequence[Judgement]) -> Markup:
    columns = [Column(head, is_number=False) for head in ("check", "what", "outcome", "why")]
    rows = [
        Row((each.check, named(each.title), _WORDS[each.state], named(each.why)))
        for each in judgements
    ]
    return table(caption, columns, rows)


def _parts(audit: Audit) -> Markup:
    columns = (
        Column("part", is_number=False),
        Column("gathered", is_number=False),
        Column("rows"),
        Column("problem", is_number=False),
    )
    rows = [
        Row((
            each.part.value, moment(each.at, audit.facts.advertiser), count(each.rows),
            named(each.problem or "complete"),
        ))
        for each in audit.facts.gathered.values()
    ]  # fmt: skip
    return table("Facts of this audit", columns, rows)
