"""Which finding is the cause of which, so that a person reads of causes first.

A cause comes earlier in the order of triage, is about the same thing (they share an ad group, a
pixel, a destination, an event: of each kind that both name, at least one) and is no milder than
what it explains: a low finding never hides a critical one, it is only pointed to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from relay.audit.findings import Family, Finding

_ORDER: Final = {family: place for place, family in enumerate(Family)}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Check -> the checks whose findings follow from it.
EXPLAINS: Final[Mapping[str, frozenset[str]]] = {
    # The value means something else: what is computed from it means nothing.
    "API-02": _words("VAL-03"),
    # TikTok cannot count what the ad groups wait for.
    "CFG-01": _words("CFG-11 DEL-01 DEL-02 REC-01 REC-03 REC-05 BUD-02"),
    "CFG-02": _words("CFG-01 CFG-11 DEL-01 DEL-02 VAL-03 REC-01 REC-03 REC-04 REC-05 BUD-02"),
    "CFG-03": _words("BUD-02"),
    "CFG-04": _words(
        "CFG-01 CFG-11 DEL-01 DEL-02 DEL-03 MAT-04 VAL-03 REC-01 REC-03 REC-05 BUD-02 BUD-03"
    ),
    "CFG-05": _words("CFG-11 DEL-01 DEL-02 BUD-02"),
    "CFG-10": _words("CFG-11 BUD-02"),
    # TikTok counts otherwise than the relay does.
    "CFG-07": _words("MAT-05 VAL-03 REC-01 REC-03"),
    "CFG-08": _words("MAT-05 VAL-03 REC-01 REC-02 REC-03"),
    "CFG-09": _words("VAL-03 REC-01 REC-03"),
    "CFG-12": _words("MAT-02 MAT-04"),
    # The events do not arrive, or do not count.
    "DEL-01": _words("VAL-03 REC-01 REC-03 REC-05 BUD-02"),
    "DEL-02": _words("REC-05 BUD-02"),
    "DEL-03": _words("DEL-01 MAT-04 VAL-03 REC-01 REC-03 REC-05"),
    "DEL-04": _words("DUP-02 VAL-03 REC-01 REC-03"),
    "DEL-05": _words("DEL-02 REC-05"),
    "DEL-06": _words("DEL-01 DEL-02 DEL-05 REC-05"),
    "DEL-07": _words("DEL-01 DEL-02 DEL-03 DEL-05 MAT-04 VAL-03 REC-01 REC-03 REC-05"),
    "DEL-08": _words("DEL-01 MAT-04 MAT-05 VAL-03 REC-01 REC-03"),
    "DEL-09": _words("DEL-06 DEL-08 REC-06"),
    # One purchase is several events.
    "DUP-01": _words("DUP-02 VAL-03 REC-01 REC-03"),
    "DUP-02": _words("MAT-04 VAL-03 REC-01 REC-03"),
    "DUP-03": _words("DUP-02 VAL-03 REC-01 REC-03"),
    # TikTok cannot tell whose they are.
    "MAT-01": _words("MAT-02 MAT-04 VAL-03 REC-01 REC-03"),
    "MAT-02": _words("MAT-04"),
    "MAT-03": _words("MAT-02 MAT-04"),
    "MAT-05": _words("REC-01"),
    "MAT-06": _words("MAT-01 VAL-03 REC-01 REC-03"),
    # The amounts are wrong.
    "VAL-01": _words("VAL-03 VAL-04"),
    "VAL-02": _words("VAL-03 VAL-04"),
    # One comparison of counts is behind another.
    "REC-01": _words("REC-03 REC-04"),
    "REC-02": _words("REC-03 REC-04"),
    "BUD-03": _words("BUD-02"),
}

_CAUSES: Final = {
    effect: frozenset(cause for cause, effects in EXPLAINS.items() if effect in effects)
    for effect in frozenset[str]().union(*EXPLAINS.values())
}


def order(finding: Finding) -> tuple[object, ...]:
    """Layer by layer; in a layer the worst first."""
    family = _ORDER[finding.family]
    rest = (finding.check, finding.subject.kind, finding.subject.id, finding.says)
    return (family, finding.severity.rank, *rest)


def triage(findings: Iterable[Finding]) -> Sequence[Finding]:
    """In order, silenced ones last, each with what explains it.

    Whatever is explained is explained by a finding that stands: where the nearest cause has a cause
    itself, that one is named."""
    waiting = sorted(findings, key=_by_cause)
    by_check: defaultdict[str, list[tuple[Finding, _Things]]] = defaultdict(list)
    told = []
    for finding in waiting:
        things = _things(finding)
        causes = [
            cause
            for check in sorted(_CAUSES.get(finding.check, ()))
            for cause, others in by_check[check]
            if _same(things, others)
        ]
        judged = _explained(finding, causes)
        by_check[finding.check].append((judged, things))
        told.append(judged)
    told.sort(key=lambda each: (each.is_silenced, *order(each)))
    return told


def _explained(finding: Finding, causes: Sequence[Finding]) -> Finding:
    """Standing causes, or those that the silenced ones follow from."""
    weighty = [each for each in causes if each.severity.rank <= finding.severity.rank]
    milder = [each for each in causes if each.severity.rank > finding.severity.rank]
    explained_by = [root for each in weighty for root in each.explained_by or (each.check,)]
    points_to = [root for each in milder for root in each.explained_by or (each.check,)]
    if not causes:
        return finding
    return replace(
        finding,
        explained_by=tuple(dict.fromkeys(explained_by)),
        points_to=tuple(each for each in dict.fromkeys(points_to) if each not in explained_by),
    )


def _depths() -> Mapping[str, int]:
    """How many causes may stand behind a check: causes are judged before what they explain."""
    depths: dict[str, int] = {}

    def depth(check: str) -> int:
        if check not in depths:
            depths[check] = 1 + max(map(depth, _CAUSES.get(check, ())), default=-1)
        return depths[check]

    for check in {*EXPLAINS, *_CAUSES}:
        depth(check)
    return depths


_DEPTH: Final = _depths()


def _by_cause(finding: Finding) -> tuple[object, ...]:
    return (_DEPTH.get(finding.check, 0), *order(finding))


_Things = Mapping[str, frozenset[str]]


def _things(finding: Finding) -> _Things:
    """What a finding is about, by kind. Nothing at all: the account as a whole."""
    things: defaultdict[str, set[str]] = defaultdict(set)
    for concern in finding.concerns:
        kind, _, name = concern.partition(":")
        things[kind].add(name)
    return {kind: frozenset(ids) for kind, ids in things.items()}


def _same(one: _Things, other: _Things) -> bool:
    """They share something of every kind that both name; who names nothing is about all."""
    if not one or not other:
        return True
    shared = one.keys() & other.keys()
    return bool(shared) and not any(one[kind].isdisjoint(other[kind]) for kind in shared)
