"""What each code of the Marketing API's answers means: the one table.

Names are those of TikTok's official SDK (`tiktok_code.py` of tiktok/tiktok-business-api-sdk); what
to do is the appendix "Return codes" of its documentation (1737172488964097) as others noted it,
where it lists the code. It differs from the table for the Events API: there an event must not be
lost, here a read must not be believed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple


class Kind(StrEnum):
    """What to do about an answer."""

    OK = "ok"
    PARTIAL = "partial"  # some items failed: take it, and say that it is not all
    CALLER = "caller"  # the request is wrong: never again as it is
    CREDENTIAL = "credential"  # the token or code is at fault: all calls of this token stop
    PERMISSION = "permission"  # a person has to grant something
    THROTTLED = "throttled"  # all requests of this token slower
    TRANSIENT = "transient"  # again later, a few times
    TIMED_OUT = "timed_out"  # took too long: penalties for those who insist
    POLL = "poll"  # not ready yet: ask again
    RETIRED = "retired"  # endpoint or field is gone


@dataclass(frozen=True, slots=True)
class Meaning:
    """`once` allows one more try only; `slow` asks for the long wait; `known` is False for a code
    that only its range explains."""

    kind: Kind
    name: str
    once: bool = False
    slow: bool = False
    known: bool = True


class Row(NamedTuple):
    """The codes `first` to `last` mean this."""

    first: int
    last: int
    meaning: Meaning


def _all(kind: Kind, names: dict[int, str], *, once: bool = False, slow: bool = False) -> list[Row]:
    return [Row(code, code, Meaning(kind, name, once, slow)) for code, name in names.items()]


def _range(first: int, last: int, kind: Kind, name: str) -> Row:
    return Row(first, last, Meaning(kind, name))


_CALLER: Final = {
    40000: "INVALID_PARAMS",
    40002: "PARAM_ERROR",
    40006: "VERSION_ERROR",
    40007: "NOT_EXIST",
    40008: "NOT_IMPL",
    40009: "UNSUPPORTED_IN_SANDBOX",
    40010: "UNSUPPORTED_DOMAIN",
    40011: "ID_LIMIT_EXCEED",
    40012: "NO_UPDATE",
    40013: "SANDBOX_ADV_NOT_EXIST",
    40014: "INVALID_CLUSTER",
    40050: "DUPLICATED_REQUEST",
    40051: "INVALID_API_VERSION",
    40052: "ACO_MATERIAL_EXIST",
    40053: "VIDEO_ID_INVALID",
    40061: "INVALID_BATCH_SIZE",
    40062: "PII_NOT_HASHED",
    40063: "INVALID_PARTNER_NAME",
    40065: "AGE_TARGETING",
    40300: "ADVERTISER_NOT_EXIST",
    40301: "ADVERTISER_ROLE_ERROR",
    40302: "CUSTOMER_ADVERTISER_NOT_EXIST",
    40400: "ROUTE_NOT_FOUND",
    40502: "AD_NUMBER_LIMIT",
    70001: "INVALID_BIZ_AUTH_TYPE",
}

_CREDENTIAL: Final = {
    40101: "INVALID_PARTNER",
    40102: "ACCESS_TOKEN_EXPIRE",
    40103: "REFRESH_TOKEN_EXPIRE",
    40104: "EMPTY_ACCESS_TOKEN",
    40105: "INVALID_ACCESS_TOKEN",
    40107: "INVALID_REFRESH_TOKEN",
    40108: "INVALID_GRANT_TYPE",
    40109: "ERROR_AES_DECIPHER",
    40110: "AUTH_CODE_ERROR",
    40115: "AUTH_TIMESTAMP_EXPIRE",
    40116: "AUTH_SIG_ERROR",
    40309: "REQUIRE_LOGIN",
}

_PERMISSION: Final = {
    40001: "PERMISSION_ERROR",
    40003: "FORBIDDEN",
    40106: "INVALID_CORE_USER",
    40112: "PASSWORD_ERROR",
    40113: "APP_FORBIDDEN",
    40114: "ADVERTISER_LOGOUT",
    40117: "APP_METHOD_FORBIDDEN",
    40118: "NOT_IN_WHITELIST",
    40119: "NOT_SAME_IDENTITY",
    40124: "DEVELOPER_REJECTED",
    40125: "DEVELOPER_NO_PERMISSION",
    40130: "SCOPE_NOT_AUTHORIZED",
    40131: "SCOPE_TT_USER_OAUTH_FAILED",
    41000: "BLOCKED",
}

_THROTTLED: Final = {
    40016: "BIZ_FC_ERROR",
    40100: "REQUEST_TOO_FREQUENT",
    40132: "REQUEST_FREQUENCY_LIMITED",
    40133: "ADVERTISER_TOO_FREQUENT",  # not in the SDK; two integrations met it
    51021: "TOO_MANY_REQUESTS",  # not in the SDK; one integration met it
}

#: A later row wins over an earlier one, so that a single code can stand out from its range.
TABLE: Final[tuple[Row, ...]] = (
    *_all(Kind.OK, {0: "OK"}),
    *_all(Kind.PARTIAL, {20001: "PARTIAL_OK"}),
    _range(40120, 40122, Kind.PERMISSION, "CREATOR_ACCOUNT"),
    _range(40126, 40129, Kind.PERMISSION, "GARM"),
    _range(40900, 40916, Kind.CALLER, "FILE_ERROR"),
    *_all(Kind.TRANSIENT, dict.fromkeys((40902, 40903, 40913), "FILE_ERROR")),
    _range(51000, 51067, Kind.TRANSIENT, "SERVICE_ERROR"),
    _range(52000, 52204, Kind.TRANSIENT, "STORAGE_ERROR"),
    _range(53102, 53103, Kind.TRANSIENT, "SERIALIZATION_ERROR"),
    *_all(Kind.CALLER, _CALLER),
    *_all(Kind.CREDENTIAL, _CREDENTIAL),
    *_all(Kind.PERMISSION, _PERMISSION),
    *_all(Kind.THROTTLED, _THROTTLED),
    *_all(Kind.THROTTLED, {61000: "TOO_MANY_REQUESTS_BL"}, slow=True),
    *_all(
        Kind.TRANSIENT,
        {40200: "GENERAL_TASK_ERROR", 40202: "WRITE_CONFLICT", 40700: "RPC_VALIDATION_ERROR"},
        once=True,
    ),
    *_all(Kind.POLL, {40201: "TASK_NOT_READY"}),
    *_all(
        Kind.RETIRED,
        {41001: "INTERFACE_OFFLINE", 41002: "FIELDS_OFFLINE", 41013: "SITE_TO_VIDEO"},
    ),
    *_all(Kind.TRANSIENT, {50000: "SYS_ERROR", 51099: "SERVICE_ERROR"}),
    *_all(Kind.TIMED_OUT, {50002: "SYS_TIMEOUT", 51010: "INTERNAL_TIME_OUT"}),
    *_all(Kind.TRANSIENT, {60001: "MAINTENANCE"}, slow=True),
)

#: The same, by code.
MEANINGS: Final[dict[int, Meaning]] = {
    code: row.meaning for row in TABLE for code in range(row.first, row.last + 1)
}

_BY_RANGE: Final = (
    Row(40100, 40199, Meaning(Kind.PERMISSION, "UNKNOWN_AUTH_CODE", known=False)),
    Row(40000, 49999, Meaning(Kind.CALLER, "UNKNOWN_REFUSAL", known=False)),
    Row(50000, 69999, Meaning(Kind.TRANSIENT, "UNKNOWN_FAILURE", known=False)),
)
_UNKNOWN: Final = Meaning(Kind.CALLER, "UNKNOWN_CODE", known=False)


def meaning_of(code: int) -> Meaning:
    """Say what `code` means; one that the table does not list is decided by its range.

    4xxxx is a refusal (401xx is about tokens, rights and rates: a person has to look), 5xxxx and
    6xxxx are failures worth another try, and anything else is never taken for a success.
    """
    known = MEANINGS.get(code)
    if known is not None:
        return known
    return next((row.meaning for row in _BY_RANGE if row.first <= code <= row.last), _UNKNOWN)
