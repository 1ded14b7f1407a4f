"""What TikTok says: its envelope, its codes and the texts that go with them.

Texts marked "seen" were observed by public integrations or stand in TikTok's docs; the others are
ours, under the name the code has in TikTok's official SDK (`tiktok_code.py`). No sender should
read a text, except for the `Batch.<index>.` some of them begin with.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import IntEnum
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import orjson


class Code(IntEnum):
    """The codes that the stand-in itself answers with; faults may use any other."""

    OK = 0
    PARTIAL_OK = 20001
    INVALID_PARAMS = 40000
    PERMISSION_ERROR = 40001
    PARAM_ERROR = 40002
    DUPLICATED_REQUEST = 40050
    INVALID_BATCH_SIZE = 40061
    PII_NOT_HASHED = 40062
    INVALID_PARTNER_NAME = 40063
    REQUEST_TOO_FREQUENT = 40100
    ACCESS_TOKEN_EXPIRE = 40102
    EMPTY_ACCESS_TOKEN = 40104
    INVALID_ACCESS_TOKEN = 40105
    NOT_IN_WHITELIST = 40118
    ROUTE_NOT_FOUND = 40400


_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})

_TEXTS: Final[Mapping[int, str]] = {
    0: "OK",  # seen
    20001: "Partial success.",
    40000: "Invalid params.",
    40001: "No permission to operate this asset.",
    40002: "Invalid value.",
    40050: "Duplicated request.",
    40061: "Invalid batch size.",
    40062: "PII is not hashed.",
    40063: "Invalid partner name.",
    40100: "Too many requests. Please retry in some time.",  # seen
    40102: "Access token has expired.",
    40104: "Access token is empty.",
    40105: "Access token is incorrect or has been revoked.",  # seen
    40118: "This feature is available to allowlisted accounts only.",
    40132: "Request frequency is limited.",
    40133: "Too many requests.",
    40400: "Route not found.",
    50000: "System error.",  # seen
    50002: "System timeout.",
    60001: "The service is under maintenance.",
    61000: "Too many requests.",
}


class Answer(NamedTuple):
    """One answer of TikTok's: `code` 0 means done, everything else is an error."""

    code: int
    message: str
    data: Mapping[str, Any] = _NOTHING


OK: Final = Answer(Code.OK.value, "OK")


def answer(code: int, message: str | None = None) -> Answer:
    """An answer without data; its usual text when no `message` is given."""
    return Answer(int(code), message or _TEXTS.get(int(code), f"Error {int(code)}."))


def envelope(answer: Answer, request_id: str) -> bytes:
    """The JSON body of an answer."""
    return orjson.dumps(
        {
            "code": answer.code,
            "message": answer.message,
            "request_id": request_id,
            "data": dict(answer.data),
        }
    )


def request_id(now: float, number: int) -> str:
    """A log id in TikTok's form: UTC time to the second, then 18 characters."""
    return f"{datetime.fromtimestamp(now, UTC):%Y%m%d%H%M%S}{number:018X}"
