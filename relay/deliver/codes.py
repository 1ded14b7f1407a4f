"""What each code in the body of TikTok's answer means: the one table.

TikTok answers HTTP 200 for errors too; the body's `code` decides. Names are those of TikTok's
official SDK (`tiktok_code.py` of tiktok/tiktok-business-api-sdk). What to do about a code is
TikTok's word where there is one, else what the official mobile SDKs and several integrations in
production do. Codes of other endpoints stand here too: that one comes back is never the event's
fault, so the lane pauses and nothing is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from relay.model import Reason


class VerdictKind(StrEnum):
    """What an answer means for the entries of the request."""

    DELIVERED = "delivered"
    PARTIAL = "partial"  # delivered, but for those it names
    RETRY = "retry"  # the same request again, later
    THROTTLED = "throttled"  # the same request again, and all requests of this token slower
    SPLIT = "split"  # one of them is refused: send them in parts
    REJECT = "reject"  # this one is refused for good
    PAUSE_CREDENTIAL = "pause_credential"  # the token is at fault: the lane waits for a new one
    PAUSE_CONFIG = "pause_config"  # a right or a setting is missing: the lane waits for a person


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code means. `reason` is why entries end by it, once one of them stands alone;
    `slow` asks for the long back-off; `unknown` says that TikTok may have the events."""

    kind: VerdictKind
    name: str
    reason: Reason | None = None
    slow: bool = False
    unknown: bool = False


class Row(NamedTuple):
    """The codes `first` to `last` mean this."""

    first: int
    last: int
    meaning: Meaning


def _one(code: int, meaning: Meaning) -> Row:
    return Row(code, code, meaning)


def _done(name: str, reason: Reason) -> Meaning:
    return Meaning(VerdictKind.DELIVERED, name, reason)


def _refused(name: str, reason: Reason = Reason.REFUSED) -> Meaning:
    return Meaning(VerdictKind.REJECT, name, reason)


def _retry(name: str, *, slow: bool = False, unknown: bool = False) -> Meaning:
    return Meaning(VerdictKind.RETRY, name, slow=slow, unknown=unknown)


def _throttled(name: str, *, slow: bool = False) -> Meaning:
    return Meaning(VerdictKind.THROTTLED, name, slow=slow)


def _credential(name: str) -> Meaning:
    return Meaning(VerdictKind.PAUSE_CREDENTIAL, name)


def _config(name: str) -> Meaning:
    return Meaning(VerdictKind.PAUSE_CONFIG, name)


#: A later row wins over an earlier one, so that a single code can stand out from its range.
TABLE: tuple[Row, ...] = (
    _one(0, _done("OK", Reason.ACCEPTED)),
    _one(20001, Meaning(VerdictKind.PARTIAL, "PARTIAL_OK", Reason.FAILED_IN_BATCH)),
    # the event is at fault
    _one(40000, _refused("INVALID_PARAMS", Reason.INVALID_PARAMS)),
    _one(40002, _refused("PARAM_ERROR", Reason.INVALID_PARAMS)),
    _one(40011, _refused("ID_LIMIT_EXCEED")),
    _one(40012, _refused("NO_UPDATE")),
    _one(40013, _refused("SANDBOX_ADV_NOT_EXIST")),
    _one(40014, _refused("INVALID_CLUSTER")),
    _one(40016, _refused("BIZ_FC_ERROR")),
    _one(40062, _refused("PII_NOT_HASHED", Reason.PII_NOT_HASHED)),
    _one(40502, _refused("AD_NUMBER_LIMIT")),
    _one(40700, _refused("RPC_VALIDATION_ERROR", Reason.INVALID_PARAMS)),
    # The bytes in the journal cannot lose a field any more: refuse those that carry it, keep them
    # as dead letters, and let all others pass. Pausing would hold everything for ever.
    _one(41002, _refused("FIELDS_OFFLINE", Reason.INVALID_PARAMS)),
    # TikTok has it already, or wants it smaller
    _one(40050, _done("DUPLICATED_REQUEST", Reason.ALREADY_RECEIVED)),
    _one(40061, Meaning(VerdictKind.SPLIT, "INVALID_BATCH_SIZE", Reason.REFUSED)),
    # a right, a setting or this program is at fault
    _one(40001, _config("PERMISSION_ERROR")),
    _one(40003, _config("FORBIDDEN")),
    _one(40006, _config("VERSION_ERROR")),
    _one(40007, _config("NOT_EXIST")),
    _one(40008, _config("NOT_IMPL")),
    _one(40009, _config("UNSUPPORTED_IN_SANDBOX")),
    _one(40010, _config("UNSUPPORTED_DOMAIN")),
    _one(40051, _config("INVALID_API_VERSION")),
    _one(40063, _config("INVALID_PARTNER_NAME")),
    _one(40101, _config("INVALID_PARTNER")),
    _one(40113, _config("APP_FORBIDDEN")),
    _one(40117, _config("APP_METHOD_FORBIDDEN")),
    _one(40118, _config("NOT_IN_WHITELIST")),  # likely: `app` events need an allow-list
    _one(40119, _config("NOT_SAME_IDENTITY")),
    Row(40120, 40129, _config("OTHER_ENDPOINT")),  # TikTok user, TCM, developer, GARM
    _one(40300, _config("ADVERTISER_NOT_EXIST")),
    _one(40301, _config("ROLE_ERROR")),
    _one(40302, _config("CUSTOMER_ADVERTISER_NOT_EXIST")),
    _one(40309, _config("REQUIRE_LOGIN")),
    _one(40400, _config("ROUTE_NOT_FOUND")),
    Row(40900, 40916, _config("OTHER_ENDPOINT")),  # signatures, media files
    _one(41000, _config("BLOCKED")),
    _one(41001, _config("INTERFACE_OFFLINE")),
    _one(41013, _config("SITE_TO_VIDEO_SERVICE_ERROR")),
    # the token is at fault
    _one(40102, _credential("ACCESS_TOKEN_EXPIRE")),
    _one(40103, _credential("REFRESH_TOKEN_EXPIRE")),
    _one(40104, _credential("EMPTY_ACCESS_TOKEN")),
    _one(40105, _credential("INVALID_ACCESS_TOKEN")),
    _one(40106, _credential("INVALID_CORE_USER")),
    _one(40107, _credential("INVALID_REFRESH_TOKEN")),
    _one(40108, _credential("INVALID_GRANT_TYPE")),
    _one(40109, _credential("ERROR_AES_DECIPHER")),
    _one(40110, _credential("AUTH_CODE_ERROR")),
    _one(40112, _credential("PASSWORD_ERROR")),
    _one(40114, _credential("ADVERTISER_LOGOUT")),
    _one(40115, _credential("AUTH_TIMESTAMP_EXPIRE")),
    _one(40116, _credential("AUTH_SIG_ERROR")),
    _one(40130, _credential("SCOPE_NOT_AUTHORIZED")),
    _one(40131, _credential("SCOPE_TT_USER_OAUTH_FAILED")),
    _one(70001, _credential("INVALID_BIZ_AUTH_TYPE")),
    # too fast
    _one(40100, _throttled("REQUEST_TOO_FREQUENT")),
    _one(40132, _throttled("REQUEST_FREQUENCY_LIMITED", slow=True)),
    _one(40133, _throttled("TOO_MANY_REQUESTS")),  # not in the SDK; two integrations met it
    _one(61000, _throttled("TOO_MANY_REQUESTS_BL", slow=True)),
    # TikTok is at fault
    _one(40200, _retry("GENERAL_TASK_ERROR")),
    _one(40201, _retry("TASK_NOT_READY")),
    _one(40202, _retry("WRITE_CONFLICT")),
    _one(50000, _retry("SYS_ERROR")),
    _one(50002, _retry("SYS_TIMEOUT", unknown=True)),
    Row(51000, 51099, _retry("INTERNAL_SERVICE_ERROR")),
    _one(51010, _retry("INTERNAL_TIME_OUT", unknown=True)),
    _one(51012, _retry("PIXEL_ERROR")),
    _one(51021, _throttled("TOO_MANY_REQUESTS")),  # not in the SDK; one integration met it
    _one(51039, _retry("AUTH_SERVICE_ERROR")),
    _one(51050, _retry("MEASUREMENT_STONE_ERROR")),
    _one(51054, _retry("CRM_ERROR")),
    _one(51057, _retry("APP_ERROR")),
    Row(52000, 52204, _retry("STORAGE_ERROR")),
    Row(53102, 53103, _retry("SERIALIZATION_ERROR")),
    _one(60001, _retry("MAINTENANCE", slow=True)),
)

#: The same, by code.
MEANINGS: dict[int, Meaning] = {
    code: row.meaning for row in TABLE for code in range(row.first, row.last + 1)
}

_UNKNOWN_AUTH = _config("UNKNOWN_AUTH_CODE")
_UNKNOWN_REFUSAL = _refused("UNKNOWN_REFUSAL")
_UNKNOWN_FAILURE = _retry("UNKNOWN_FAILURE")


def meaning_of(code: int) -> tuple[Meaning, bool]:
    """Say what `code` means, and whether the table knows it; else its range decides.

    4xxxx is a refusal, except for 401xx: all of that family are about tokens, rights and rates,
    never about an event, so an unknown one pauses the lane and costs nobody an event. Everything
    else is worth another try.
    """
    known = MEANINGS.get(code)
    if known is not None:
        return known, True
    if 40100 <= code < 40200:
        return _UNKNOWN_AUTH, False
    if 40000 <= code < 50000:
        return _UNKNOWN_REFUSAL, False
    return _UNKNOWN_FAILURE, False
