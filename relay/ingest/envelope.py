"""TikTok's words: what the drop-in for its own endpoint is answered. Pure.

`{"code", "message", "request_id", "data"}` with HTTP 200 for errors too, code 0 alone is success
(TikTok docs, Events API 2.0, "Response"; codes by the names of TikTok's business SDK).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from relay.ingest.answers import JSON, Answer, Result, head, is_all_invalid, refusal_head
from relay.ingest.protocol import InvalidItem, Mismatch, Taken
from relay.ingest.refusals import NO_KEY, Refused

_OK = 0
_PARTIAL_OK = 20001
_PERMISSION_ERROR = 40001
_PARAM_ERROR = 40002
_EMPTY_ACCESS_TOKEN = 40104
_INVALID_ACCESS_TOKEN = 40105
_SYS_ERROR = 50000

_NOTHING: Final[Mapping[str, Any]] = {}
_HEAD: Final = head(200, JSON)


class Envelope:
    """The words of `/open_api/v1.3/event/track/`."""

    def taken(self, result: Result) -> Answer:
        """Code 0; 20001 where some events are invalid, 40002 where all are; `failed_events` then
        names them by their place in `data`, from 0, and says why. 40001 for a mismatch."""
        if isinstance(result, Mismatch):
            message = f"No permission: {result.field} {result.reason}."
            return _answer(_PERMISSION_ERROR, message)
        if not isinstance(result, Taken):
            return _answer(_OK, "OK")
        request_id = result.request_id
        if not result.invalid:
            return _answer(_OK, "OK", request_id)
        failed = {"failed_events": [_failed(item) for item in result.invalid]}
        if is_all_invalid(result):
            return _answer(_PARAM_ERROR, _first_error(result.invalid), request_id, failed)
        some = f"Partial success: {len(result.invalid)} of {result.total} events are invalid."
        return _answer(_PARTIAL_OK, some, request_id, failed)

    def refused(self, refused: Refused) -> Answer:
        """A key that is missing (40104) or wrong (40105), a body that cannot be read (40002), or
        50000, which clients repeat, with the HTTP status that says the same."""
        code, message = _code(refused)
        in_http = refused.status not in (400, 401)
        status = refused.status if in_http else 200
        return Answer(status, refusal_head(refused, status, JSON), _body(code, message))


def _code(refused: Refused) -> tuple[int, str]:
    if refused is NO_KEY:
        return _EMPTY_ACCESS_TOKEN, "Access token is empty."
    if refused.status == 401:
        return _INVALID_ACCESS_TOKEN, "Access token is incorrect or has been revoked."
    if refused.status in (400, 413, 415):
        return _PARAM_ERROR, refused.message
    return _SYS_ERROR, "System error."


def _failed(item: InvalidItem) -> dict[str, object]:
    errors = [{"field": issue.field, "reason": issue.reason} for issue in item.errors]
    return {"order_in_batch": item.index, "event_id": item.event_id, "errors": errors}


def _first_error(invalid: Sequence[InvalidItem]) -> str:
    """As TikTok names a culprit: by its path."""
    first = invalid[0]
    for issue in first.errors:
        place = f"Batch.{first.index}.{issue.field}".rstrip(".")
        return f"{place}: {issue.reason}."
    return f"Batch.{first.index}: invalid."


def _answer(
    code: int, message: str, request_id: str = "", data: Mapping[str, Any] = _NOTHING
) -> Answer:
    return Answer(200, _HEAD, _body(code, message, request_id, data))


def _body(
    code: int, message: str, request_id: str = "", data: Mapping[str, Any] = _NOTHING
) -> bytes:
    told = {"code": code, "message": message, "request_id": request_id, "data": data}
    return orjson.dumps(told)


ENVELOPE: Final = Envelope()
