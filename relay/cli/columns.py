"""What the columns of a table mean: a header line to conversions. Pure.

A column is called as the field is in JSON, with dots: `user.email`, `properties.value`,
`properties.contents.0.content_id`. Where a name alone says which field is meant, it is enough:
`email`, `value`, `contents.0.price`; and so are the usual other words for it (`timestamp`, `name`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from relay.normalize.fields import words

#: Fields of a conversion itself.
_TOP: Final = words(
    """
    event event_time event_id order_id consent country test_event_code destination
    limited_data_use
    """
)

#: Fields of its objects; no name is in two of them.
_OBJECTS: Final[Mapping[str, frozenset[str]]] = {
    "user": words(
        """
        email phone external_id ttclid ttp ip user_agent locale first_name last_name zip_code
        city state idfa idfv gaid att_status
        """
    ),
    "properties": words(
        """
        value currency content_type description query search_string num_items shop_id
        customer_type
        """
    ),
    "page": words("url referrer"),
    "app": words("app_id app_name app_version"),
    "lead": words("lead_id lead_event_source"),
    "ad": words(
        """
        callback campaign_id ad_id creative_id is_retargeting attributed attribution_type
        attribution_provider attribution_share
        """
    ),
}
_CONTENT: Final = words("content_id content_name content_category brand price quantity")

_BARE: Final = {
    **{name: f"{holder}.{name}" for holder, names in _OBJECTS.items() for name in names},
    **{name: f"properties.contents.0.{name}" for name in _CONTENT},
    **{name: name for name in _TOP},
    "event_name": "event",
    "timestamp": "event_time",
    "email_address": "user.email",
    "phone_number": "user.phone",
    "customer_id": "user.external_id",
    "zip": "user.zip_code",
    "amount": "properties.value",
}
#: Their text has to become true or false.
_BOOLEANS: Final = {"limited_data_use", "ad.is_retargeting", "ad.attributed"}
_TRUTH: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}

#: More lines than a table has columns for.
_MAX_INDEX: Final = 99

_Path = tuple[str | int, ...]


class Columns:
    """The columns of one file. `missing` names fields that no conversion can be without, `unknown`
    columns whose meaning is not known: they are left out."""

    def __init__(self, header: Sequence[str]) -> None:
        self._paths: list[tuple[int, str, _Path]] = []
        self.unknown: list[str] = []
        names = set()
        for index, title in enumerate(header):
            name = _field_of(title)
            path = _path_of(name)
            if path is None:
                self.unknown.append(title.strip())
            else:
                self._paths.append((index, name, path))
                names.add(name)
        self.missing = [name for name in ("event", "event_time") if name not in names]

    def conversion(self, row: Sequence[str]) -> dict[str, Any]:
        """The conversion of one row; empty cells are absent fields."""
        made: dict[str, Any] = {}
        for index, name, path in self._paths:
            text = row[index].strip() if index < len(row) else ""
            if text:
                value = _TRUTH.get(text.lower(), text) if name in _BOOLEANS else text
                _put(made, path, value)
        return made


def _field_of(title: str) -> str:
    name = title.strip().lower().replace(" ", "_")
    if name.startswith("contents."):
        return f"properties.{name}"
    return _BARE.get(name, name)


def _path_of(name: str) -> _Path | None:
    """The way to a field; None for one that a conversion does not have."""
    steps = name.split(".")
    path = tuple(int(step) if step.isascii() and step.isdigit() else step for step in steps)
    if any(isinstance(step, int) and step > _MAX_INDEX for step in path) or not all(steps):
        return None
    if len(path) == 1:
        return path if name in _TOP else None
    holds = path[0] in _OBJECTS or path[0] == "device"
    # An index stands behind a name: a list in a list, or one of conversions, there is not.
    return path if holds and _alternate(path) else None


def _alternate(path: _Path) -> bool:
    return isinstance(path[1], str) and not any(
        isinstance(one, int) and isinstance(other, int) for one, other in pairwise(path)
    )


def _put(root: dict[str, Any], path: _Path, value: object) -> None:
    here: Any = root
    for step, following in pairwise(path):
        here = _enter(here, step, [] if isinstance(following, int) else {})
    _set(here, path[-1], value)


def _enter(here: Any, step: str | int, fresh: object) -> Any:
    found = here.get(step) if isinstance(here, dict) else _at(here, step)
    if not isinstance(found, dict | list):
        _set(here, step, fresh)
        return fresh
    return found


def _at(here: list[Any], index: str | int) -> Any:
    return here[index] if isinstance(index, int) and index < len(here) else None


def _set(here: Any, step: str | int, value: object) -> None:
    if isinstance(here, dict):
        here[step] = value
    elif isinstance(step, int):
        here.extend([None] * (step + 1 - len(here)))
        here[step] = value
