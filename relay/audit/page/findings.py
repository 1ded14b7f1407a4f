"""What is wrong, what to do, and since when. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from relay.audit.facts import Edit, Facts
from relay.audit.findings import Audit, Finding
from relay.audit.page.charts.timeline import MOST_ROWS, changed_at, edits_by_day, timeline
from relay.audit.page.markup import Markup, named, tag
from relay.audit.page.table import Column, Row, folded, table
from relay.audit.wording import (
    UNKNOWN,
    day,
    figure,
    moment,
    money,
    plural,
    subject,
)


def findings(audit: Audit) -> Markup:
    """Those that stand, then, folded, those that another explains."""
    currency = audit.facts.advertiser.currency
    silenced = [each for each in audit.findings if each.is_silenced]
    standing = [_finding(each, currency) for each in audit.standing]
    return tag(
        "section",
        tag("h3", "What is wrong, and what to do"),
        tag("ol", *standing, class_="findings") if standing else tag("p", "No finding stands."),
        folded(
            f"{plural(len(silenced), 'finding')} explained by others",
            tag("ol", *(_finding(each, currency) for each in silenced), class_="findings"),
        )
        if silenced
        else None,
    )


def _finding(finding: Finding, currency: str) -> Markup:
    return tag(
        "li",
        tag("span", finding.severity, class_="tag"),
        tag("span", finding.check, class_="check"),
        tag("span", " · ", named(subject(finding.subject)), class_="muted small"),
        tag("p", named(finding.says), class_="says"),
        _figures(finding, currency),
        tag("p", tag("strong", "Do: "), named(finding.do), class_="do"),
        *_reasons(finding),
        class_=finding.severity,
    )


def _figures(finding: Finding, currency: str) -> Markup:
    shown = [finding.expected, finding.found, *finding.details]
    pairs = [_pair(each.label, figure(each)) for each in shown]
    pairs.append(_pair("since", UNKNOWN if finding.since is None else day(finding.since)))
    if finding.at_stake is not None:
        pairs.append(_pair("at stake", money(finding.at_stake, currency)))
    return tag("dl", *pairs, class_="pair")


def _pair(label: str, value: str) -> Markup:
    return tag("div", tag("dt", named(label, 60)), tag("dd", named(value)))


def _reasons(finding: Finding) -> Iterator[Markup]:
    if finding.explained_by:
        causes = ", ".join(finding.explained_by)
        yield tag("p", f"Explained by {causes}: mend that first.", class_="small")
    if finding.changed_before:
        edits = "; ".join(finding.changed_before)
        yield tag("p", "Changed shortly before: ", named(edits), class_="small")
    sure = {"certain": "certain", "likely": "likely", "hint": "one explanation among others"}
    how = sure[finding.certainty]
    yield tag("p", f"How sure: {how}. Source: ", named(finding.source), class_="muted small")


def since_when(audit: Audit) -> Markup | None:
    """On a line of time, with the changes of the account."""
    changes = edits_by_day(audit.facts)
    if not audit.findings and not changes:
        return None
    note = (
        "Numbered marks are days on which the ad account was changed; pale rows are explained by "
        "others."
    )
    if len(audit.findings) > MOST_ROWS:
        note += f" The picture shows the first {MOST_ROWS} findings, the table all."
    drawn = tag(
        "div", timeline(audit.findings, audit.facts),
        class_="scroll", tabindex="0", role="region", aria_label="Findings on a time line",
    )  # fmt: skip
    return tag(
        "section",
        tag("h3", "Since when"),
        tag("p", note, class_="muted small"),
        tag("div", drawn, folded("Findings and changes as tables", _begun(audit), _changes(audit)),
            class_="card"),
    )  # fmt: skip


def _begun(audit: Audit) -> Markup:
    columns = [Column(head, is_number=False) for head in ("check", "severity", "since", "about")]
    rows = [
        Row(
            (
                finding.check,
                finding.severity + (", explained" if finding.is_silenced else ""),
                UNKNOWN if finding.since is None else day(finding.since),
                named(subject(finding.subject)),
            )
        )
        for finding in audit.findings
    ]
    return table("Findings by their first day", columns, rows)


def _changes(audit: Audit) -> Markup | None:
    changes = edits_by_day(audit.facts)
    if not changes:
        return None
    columns = [Column(head, is_number=False) for head in ("mark", "when", "object", "what")]
    rows = [
        _change(str(number), edit, audit.facts)
        for number, edits in enumerate(changes.values(), start=1)
        for edit in edits
    ]
    return table("Changes of the ad account", columns, rows)


def _change(number: str, edit: Edit, facts: Facts) -> Row:
    when = moment(changed_at(edit).timestamp(), facts.advertiser)
    return Row((number, when, named(f"{edit.kind} {edit.object_id}", 60), named(edit.what)))
