"""Why TikTok would refuse a request of events: the strict check. Pure.

A refusal is for the whole request, and names the first mistake only. No text holds a value that
was sent, but for the pixel code, which TikTok names too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from relay.sandbox.answers import Answer, Code, answer
from relay.sandbox.settings import SandboxSettings, Strictness
from relay.wire import DIGEST_BRANCHES, HASHED_FIELDS, MAX_EVENTS, REQUEST

#: TikTok's standard events of web and offline, with the names they had before 2025.
STANDARD_EVENTS: Final = frozenset(
    {
        "AddPaymentInfo",
        "AddToCart",
        "AddToWishlist",
        "ApplicationApproval",
        "ClickButton",
        "CompletePayment",
        "CompleteRegistration",
        "Contact",
        "CustomizeProduct",
        "Download",
        "FindLocation",
        "InitiateCheckout",
        "Lead",
        "PlaceAnOrder",
        "Purchase",
        "Schedule",
        "Search",
        "StartTrial",
        "SubmitApplication",
        "SubmitForm",
        "Subscribe",
        "ViewContent",
    }
)

_CUSTOM_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,49}")

# The library whose texts TikTok's resemble (marshmallow) says these; only the first was seen.
_PROBLEMS: Final[Mapping[str, str]] = {
    "string_type": "Not a valid string",
    "missing": "Missing data for required field",
    "int_type": "Not a valid integer",
    "float_type": "Not a valid number",
    "bool_type": "Not a valid boolean",
    "list_type": "Not a valid list",
    "dict_type": "Invalid input type",
    "literal_error": "Not a valid choice",
    "string_pattern_mismatch": "String does not match expected pattern",
    "string_too_short": "Shorter than minimum length 1",
    "too_short": "Shorter than minimum length 1",
}

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field of one event; `index` None: of the request itself."""

    index: int | None
    path: Path
    text: str
    code: int = Code.PARAM_ERROR


def shape_refusal(document: object) -> Answer | None:
    """Refuse what is not a request at all; whatever passes can be counted."""
    if not isinstance(document, dict):
        return answer(Code.PARAM_ERROR, "Invalid JSON body.")
    if not isinstance(document.get("event_source_id"), str):
        return _about_request("event_source_id", document)
    events = document.get("data")
    if not isinstance(events, list):
        return _about_request("data", document)
    if not set(map(type, events)) <= {dict}:
        return answer(Code.PARAM_ERROR, "Invalid value for data: Invalid input type.")
    return None


def size_refusal(events: Sequence[object], settings: SandboxSettings) -> Answer | None:
    """Refuse more events than a request may bring."""
    if len(events) <= MAX_EVENTS:
        return None
    return answer(settings.oversize_code, f"Invalid batch size: more than {MAX_EVENTS} events.")


def account_refusal(document: Mapping[str, Any], rules: Strictness) -> Answer | None:
    """Refuse what the account behind the token is not set up for."""
    if document.get("event_source") == "app" and not rules.app_allowed:
        return answer(Code.NOT_IN_WHITELIST)
    names = rules.partner_names
    if names is not None and document.get("partner_name", "") not in {"", *names}:
        return answer(Code.INVALID_PARTNER_NAME)
    return None


def content_refusal(document: Mapping[str, Any], settings: SandboxSettings) -> Answer | None:
    """Refuse the request for its first event with a wrong, missing or unhashed field."""
    problem = next(_problems(document, settings.rules), None)
    if problem is None:
        return None
    if problem.path[-1] == "price":
        # Seen for a price that was null or a string; names neither the event nor the field.
        return answer(Code.INVALID_PARAMS, "Invalid Price Field")
    return refusal(problem, names_index=settings.names_index)


def refusal(problem: Problem, *, names_index: bool) -> Answer:
    """The answer for a problem, in one of the two forms that were seen of TikTok's."""
    path = ".".join(map(str, problem.path))
    if names_index and problem.index is not None:
        return answer(problem.code, f"Batch.{problem.index}.{path}: {problem.text}")
    return answer(
        problem.code, f"Invalid value for {path}: {problem.text[:1].lower()}{problem.text[1:]}."
    )


def _about_request(field: str, document: Mapping[str, Any]) -> Answer:
    text = "Missing data for required field"
    if field in document:
        text = "Not a valid list" if field == "data" else "Not a valid string"
    return refusal(Problem(None, (field,), text), names_index=False)


def _problems(document: Mapping[str, Any], rules: Strictness) -> Iterator[Problem]:
    try:
        REQUEST.validate_python(document)
    except ValidationError as exc:
        for error in exc.errors(include_url=False, include_input=False, include_context=False):
            problem = _problem(error["loc"], error["type"])
            if not _is_forgiven(problem, rules):
                yield problem
    if document.get("event_source") == "offline":
        yield from _offline_problems(document["data"], rules)
    elif document.get("event_source") != "crm" and rules.custom_event_names:
        yield from _name_problems(document["data"])


def _problem(loc: Path, kind: str) -> Problem:
    path = tuple(step for step in loc if step not in DIGEST_BRANCHES)[1:]
    text = _PROBLEMS.get(kind, "Invalid value")
    if not path:  # the union of the four event sources found no branch
        return Problem(None, ("event_source",), "Not a valid choice")
    if path[0] != "data" or len(path) == 1:
        return Problem(None, path, text)
    index, rest = int(path[1]), path[2:]
    if kind == "string_pattern_mismatch" and rest[0] == "user" and rest[1] in HASHED_FIELDS:
        return Problem(index, rest, "PII is not hashed", Code.PII_NOT_HASHED)
    return Problem(index, rest, text)


def _is_forgiven(problem: Problem, rules: Strictness) -> bool:
    if problem.text == "Missing data for required field" and problem.path[0] == "page":
        return not rules.page_url
    if problem.code == Code.PII_NOT_HASHED and problem.path[1] == "external_id":
        return not rules.hashed_external_id
    return False


def _offline_problems(events: Sequence[Mapping[str, Any]], rules: Strictness) -> Iterator[Problem]:
    for index, event in enumerate(events):
        if rules.offline_standard_events and event["event"] not in STANDARD_EVENTS:
            yield Problem(index, ("event",), "Not a standard event")
        if rules.offline_identity and not {"email", "phone"} & event.get("user", {}).keys():
            yield Problem(index, ("user",), "Missing email or phone")


def _name_problems(events: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    for index, event in enumerate(events):
        if not _CUSTOM_NAME.fullmatch(event["event"]):
            yield Problem(index, ("event",), "Not a valid event name")
