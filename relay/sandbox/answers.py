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
    NOT_EXIST = 40007
    NOT_IMPL = 40008
    ID_LIMIT_EXCEED = 40011
    BIZ_FC_ERROR = 40016
    DUPLICATED_REQUEST = 40050
    INVALID_BATCH_SIZE = 40061
    PII_NOT_HASHED = 40062
    INVALID_PARTNER_NAME = 40063
    REQUEST_TOO_FREQUENT = 40100
    INVALID_PARTNER = 40101
    ACCESS_TOKEN_EXPIRE = 40102
    EMPTY_ACCESS_TOKEN = 40104
    INVALID_ACCESS_TOKEN = 40105
    INVALID_GRANT_TYPE = 40108
    AUTH_CODE_ERROR = 40110
    APP_FORBIDDEN = 40113
    NOT_IN_WHITELIST = 40118
    SCOPE_NOT_AUTHORIZED = 40130
    ADVERTISER_TOO_FREQUENT = 40133
    GENERAL_TASK_ERROR = 40200
    TASK_NOT_READY = 40201
    ROUTE_NOT_FOUND = 40400


_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})

_TEXTS: Final[Mapping[int, str]] = {
    0: "OK",  # seen
    20001: "Partial success.",
    40000: "Invalid params.",
    40001: "No permission to operate this asset.",
    40002: "Invalid value.",
    40007: "The object does not exist.",
    40008: "Not implemented.",
    40011: "Too many ids.",
    40016: "Too many requests. Please retry in some time.",
    40050: "Duplicated request.",
    40061: "Invalid batch size.",
    40062: "PII is not hashed.",
    40063: "Invalid partner name.",
    40100: "Too many requests. Please retry in some time.",  # seen
    40101: "App id and secret do not match.",
    40102: "Access token has expired.",
    40104: "Access token is empty.",
    40105: "Access token is incorrect or has been revoked.",  # seen
    40108: "Invalid grant type.",
    40110: "Auth_code is expired or has been used",
    40113: "The app does not exist or is blocked.",
    40118: "This feature is available to allowlisted accounts only.",
    40130: "The scope is not authorized.",
    40132: "Request frequency is limited.",
    40133: "Too many requests.",
    40200: "Task error.",
    40201: "The task is not ready.",
    40400: "Route not found.",
    50000: "System error.",  # seen
    51010: "Internal service timed out. Please retry in sometime.",  # seen
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


def done(data: Mapping[str, Any]) -> Answer:
    """A good answer with data."""
    return Answer(Code.OK.value, "OK", data)


def no_advertiser(advertiser_id: str) -> Answer:
    """The text was seen."""
    return answer(
        Code.PERMISSION_ERROR, f"No permission to operate advertiser {advertiser_id[:40]}"
    )


def envelope(answer: Answer, request_id: str, extra_info: Mapping[str, Any] | None = None) -> bytes:
    """The JSON body of an answer."""
    document = {
        "code": answer.code,
        "message": answer.message,
        "request_id": request_id,
        "data": dict(answer.data),
    }
    if extra_info is not None:
        document["extra_info"] = dict(extra_info)
    return orjson.dumps(document)


def request_id(now: float, number: int) -> str:
    """A log id in TikTok's form: UTC time to the second, then 18 characters."""
    return f"{datetime.fromtimestamp(now, UTC):%Y%m%d%H%M%S}{number:018X}"
