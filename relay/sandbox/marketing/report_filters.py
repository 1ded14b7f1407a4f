"""Which objects a report is about: its filters, read and judged. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, get_args

import orjson

from relay.sandbox.ads.model import Advertiser
from relay.sandbox.answers import Answer, Code, answer
from relay.sandbox.marketing.forms import Name, Part, refused
from relay.sandbox.marketing.metrics import LEVELS
from relay.sandbox.marketing.statuses import Primary, has_primary

FilterType = Literal[
    "IN",
    "NOT_IN",
    "CONTAIN_ANY_OF",
    "MATCH",
    "GREATER_EQUAL",
    "GREATER_THAN",
    "LOWER_EQUAL",
    "LOWER_THAN",
    "BETWEEN",
    "RANGE",
]


class ReportFilter(Part):
    """`filter_value` is a text that itself holds JSON."""

    field_name: Name
    filter_type: FilterType
    filter_value: str


class Filters(NamedTuple):
    """What may be filtered by: names of fields, and how many ids each may have."""

    fields: frozenset[str]
    most_ids: int = 100


_IDS: Final[Mapping[str, tuple[str, ...]]] = {
    "campaign_ids": LEVELS[1:],
    "adgroup_ids": LEVELS[2:],
    "ad_ids": LEVELS[3:],
    "ad_ids_v2": LEVELS[3:],
}
_STATUSES: Final = {
    "campaign_status": LEVELS[1],
    "adgroup_status": LEVELS[2],
    "ad_status": LEVELS[3],
}
_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "campaign_automation_type": LEVELS[1:],
    "objective_type": LEVELS[1:],
    "promotion_type": LEVELS[2:],
    "buying_type": LEVELS,
}
_PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    **_IDS,
    **{name: (level,) for name, level in _STATUSES.items()},
    **_KINDS,
}

SYNC: Final = Filters(frozenset(_PLACES))
ASYNC: Final = Filters(frozenset(_IDS), most_ids=20_000)


@dataclass(frozen=True, slots=True)
class Criteria:
    """Filters that were read: `ids` and `kinds` by field, what is in and what is not."""

    status: str | None = None
    ins: Mapping[str, frozenset[str]] | None = None
    outs: Mapping[str, frozenset[str]] | None = None


def criteria(given: Sequence[ReportFilter], level: str, filters: Filters) -> Criteria | Answer:
    """What the filters mean at a level, or why they are refused."""
    status: str | None = None
    ins: dict[str, frozenset[str]] = {}
    outs: dict[str, frozenset[str]] = {}
    for each in given:
        values = _values(each, level, filters)
        if isinstance(values, Answer):
            return values
        if each.field_name in _STATUSES:
            status = values[0]
        else:
            (ins if each.filter_type == "IN" else outs)[each.field_name] = frozenset(values)
    return Criteria(status, ins, outs)


def _values(each: ReportFilter, level: str, filters: Filters) -> list[str] | Answer:
    name = each.field_name
    if name not in filters.fields or level not in _PLACES[name]:
        return refused("filtering", f"Invalid filter field {name[:40]} at data_level {level}.")
    allowed = ("IN",) if name in _STATUSES else ("IN", "NOT_IN")
    if each.filter_type not in allowed:
        return refused("filtering", f"filter_type {each.filter_type} is not supported for {name}.")
    values = _texts(each.filter_value)
    if not values:
        return refused("filtering", f"filter_value of {name} must be a JSON list of strings.")
    if name in _IDS and len(values) > _most(name, filters):
        return answer(Code.ID_LIMIT_EXCEED, f"filtering: at most {filters.most_ids} {name}.")
    if name in _STATUSES and (len(values) > 1 or values[0] not in get_args(Primary)):
        return refused("filtering", f"Not a valid {name}: {values[0][:40]}")
    return values


def _most(name: str, filters: Filters) -> int:
    return 100 if name == "ad_ids_v2" else filters.most_ids


def _texts(given: str) -> list[str]:
    try:
        values = orjson.loads(given)
    except orjson.JSONDecodeError:
        return []
    is_right = isinstance(values, list) and all(isinstance(value, str) for value in values)
    return values if is_right else []


def chosen(account: Advertiser, level: str, meant: Criteria, *, default: str) -> list[Any]:
    """The objects of an account that a report is about; `default` is the status where none is
    given. Of an account itself there is no choice."""
    kinds: Mapping[str, Mapping[str, Any]] = {
        LEVELS[1]: account.campaigns,
        LEVELS[2]: account.adgroups,
        LEVELS[3]: account.ads,
    }
    conditions = [has_primary(meant.status or default)]
    for name, values in (meant.ins or {}).items():
        conditions.append(_has(name, values, account))
    for name, values in (meant.outs or {}).items():
        conditions.append(_not(_has(name, values, account)))
    return [t for t in kinds[level].values() if all(wanted(t) for wanted in conditions)]


def _not(has: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda thing: not has(thing)


def _has(name: str, values: frozenset[str], account: Advertiser) -> Callable[[Any], bool]:
    if name == "buying_type":
        return lambda _thing: "AUCTION" in values
    if name in _IDS:
        field = name.removesuffix("_v2").removesuffix("s")
        return lambda thing: getattr(thing, field) in values
    if name == "promotion_type":
        groups = {g.adgroup_id for g in account.adgroups.values() if g.promotion_type in values}
        return lambda thing: thing.adgroup_id in groups
    campaigns = {c.campaign_id for c in account.campaigns.values() if getattr(c, name) in values}
    return lambda thing: thing.campaign_id in campaigns
