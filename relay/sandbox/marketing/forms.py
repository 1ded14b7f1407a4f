"""Parameters as TikTok wants them: ids are texts, what is no text is JSON in a query. Pure.

A form says what an endpoint may be asked. The texts are those of the library whose texts were seen
from TikTok ("Not a valid string"), under 40002; too many ids are 40011.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar, Final, TypeVar

import orjson
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from relay.sandbox.answers import Answer, Code, answer

Id = Annotated[str, Field(pattern=r"^[0-9]{1,20}$")]
Ids = Annotated[tuple[Id, ...], Field(min_length=1, max_length=100)]
Name = Annotated[str, Field(min_length=1, max_length=512)]


def words(text: str) -> frozenset[str]:
    """A list of names, as readable as it can be."""
    return frozenset(text.split())


def _moment(value: object) -> object:
    """`YYYY-MM-DD HH:MM:SS`, in UTC."""
    return datetime.strptime(str(value), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


def _day(value: object) -> object:
    return datetime.strptime(str(value), "%Y-%m-%d").replace(tzinfo=UTC).date()


def _uniform(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) != len(values):
        raise ValueError("Duplicate values.")
    return values


Moment = Annotated[datetime, BeforeValidator(_moment)]
Day = Annotated[date, BeforeValidator(_day)]
Names = Annotated[tuple[Name, ...], Field(min_length=1), AfterValidator(_uniform)]


class Part(BaseModel):
    """An object within the parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Form(Part):
    """The parameters of one endpoint. `json_fields` are JSON where they come in a query."""

    json_fields: ClassVar[frozenset[str]] = frozenset()

    def accounts(self) -> tuple[str, ...]:
        """The ad accounts that it asks for."""
        return ()


class AccountForm(Form):
    advertiser_id: Id

    def accounts(self) -> tuple[str, ...]:
        return (self.advertiser_id,)


class Paged(Form):
    """`page_size` has another maximum at other endpoints."""

    page: Annotated[int, Field(ge=1)] = 1
    page_size: Annotated[int, Field(ge=1, le=1000)] = 10


F = TypeVar("F", bound=Form)

_TEXTS: Final = {
    "missing": "Missing data for required field.",
    "string_type": "Not a valid string",
    "string_pattern_mismatch": "Not a valid id",
    "int_parsing": "Not a valid integer",
    "int_type": "Not a valid integer",
    "bool_parsing": "Not a valid boolean",
    "bool_type": "Not a valid boolean",
    "tuple_type": "Not a valid list",
    "extra_forbidden": "Unknown field.",
}


def of_query(form: type[F], query: Mapping[str, str], *, unknown: bool) -> F | Answer:
    """Read a query. `unknown`: what no document names is passed over."""
    values: dict[str, Any] = dict(query)
    for name in form.json_fields & values.keys():
        try:
            values[name] = orjson.loads(values[name])
        except orjson.JSONDecodeError:
            return refused(name, "Not a valid JSON")
    return _read(form, values, unknown=unknown)


def of_body(form: type[F], document: object, *, unknown: bool) -> F | Answer:
    """Read the JSON of a body."""
    if not isinstance(document, dict):
        return answer(Code.PARAM_ERROR, "The request body must be a JSON object.")
    return _read(form, document, unknown=unknown)


def refused(field: str, problem: str) -> Answer:
    return answer(Code.PARAM_ERROR, f"{field}: {problem}")


def _read(form: type[F], values: Mapping[str, Any], *, unknown: bool) -> F | Answer:
    try:
        return form.model_validate(values)
    except ValidationError as exc:
        errors = exc.errors(include_url=False, include_input=False, include_context=False)
    strange = [error["loc"] for error in errors if error["type"] == "extra_forbidden"]
    if unknown and strange:
        return _read(form, _without(values, strange), unknown=False)
    return _said(errors[0]["loc"], errors[0]["type"], errors[0]["msg"])


def _said(place: tuple[int | str, ...], kind: str, text: str) -> Answer:
    field = ".".join(map(str, place))
    if kind == "too_long" and field.rpartition(".")[2].endswith("ids"):
        return answer(Code.ID_LIMIT_EXCEED, f"{field}: {text}")
    return refused(field, _TEXTS.get(kind, text))


def _without(values: Mapping[str, Any], places: list[tuple[int | str, ...]]) -> dict[str, Any]:
    rest = deepcopy(dict(values))
    for *steps, last in places:
        holder: Any = rest
        for step in steps:
            holder = holder[step]
        holder.pop(last, None)
    return rest
