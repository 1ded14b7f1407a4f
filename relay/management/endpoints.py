"""The endpoints of the Marketing API v1.3 that are called, and what is known of each.

Page sizes are the greatest that TikTok takes (its SDK and the Go SDK bububa/tiktok-business, read
2026-11). The version is part of the client's `base_url`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple


class Rate(StrEnum):
    """Endpoints that have a limit of their own, beside the one for all."""

    GENERAL = "general"
    REPORT_TASK = "report task"


class Endpoint(NamedTuple):
    """`rows` is the list in `data`, `page_size` 0 where there are no pages; `key` are the fields
    that tell one row from another. `repeatable` says that asking twice does no harm when it is
    unknown whether the first request arrived. `narrow` forbids to repeat after a time-out."""

    method: str
    path: str
    rows: str = "list"
    page_size: int = 0
    key: tuple[str, ...] = ()
    rate: Rate = Rate.GENERAL
    repeatable: bool = True
    narrow: bool = False


def _get(
    path: str,
    rows: str = "list",
    page_size: int = 0,
    key: tuple[str, ...] = (),
    *,
    narrow: bool = False,
) -> Endpoint:
    return Endpoint("GET", path, rows, page_size, key, narrow=narrow)


def _post(path: str, rate: Rate = Rate.GENERAL, *, repeatable: bool = False) -> Endpoint:
    return Endpoint("POST", path, rate=rate, repeatable=repeatable)


# An authorization code can be used once; a revoked token is refused the second time.
ACCESS_TOKEN: Final = _post("/oauth2/access_token/")
REVOKE_TOKEN: Final = _post("/oauth2/revoke_token/")
GRANTED_ACCOUNTS: Final = _get("/oauth2/advertiser/get/")
USER_INFO: Final = _get("/user/info/")

BC: Final = _get("/bc/get/", page_size=50, key=("bc_info.bc_id",))
BC_ASSET: Final = _get("/bc/asset/get/", page_size=50, key=("asset_id",))
BC_PIXEL_LINK: Final = _get("/bc/pixel/link/get/", page_size=10, key=("advertiser_id",))

ADVERTISER_INFO: Final = _get("/advertiser/info/")
CAMPAIGN: Final = _get("/campaign/get/", page_size=1000, key=("campaign_id",))
ADGROUP: Final = _get("/adgroup/get/", page_size=1000, key=("adgroup_id",))
AD: Final = _get("/ad/get/", page_size=1000, key=("ad_id",))
SMART_CAMPAIGN: Final = _get("/smart_plus/campaign/get/", page_size=1000, key=("campaign_id",))
SMART_ADGROUP: Final = _get("/smart_plus/adgroup/get/", page_size=1000, key=("adgroup_id",))
SMART_AD: Final = _get("/smart_plus/ad/get/", page_size=1000, key=("smart_plus_ad_id", "ad_id"))

PIXEL: Final = _get("/pixel/list/", "pixels", page_size=20, key=("pixel_id",))
PIXEL_STATS: Final = _get("/pixel/event/stats/")
OFFLINE: Final = _get("/offline/get/", "event_set_list")
CRM: Final = _get("/crm/list/", "crm_event_sets")
CUSTOM_CONVERSION: Final = _get(
    "/custom_conversion/list/", page_size=1000, key=("custom_conversion_id",)
)

DIAGNOSIS: Final = _get("/tool/diagnosis/get/", "results")
TIMEZONE: Final = _get("/tool/timezone/", "timezones")

CHANGE_TASK: Final = _post("/changelog/task/create/", repeatable=True)
CHANGE_CHECK: Final = _get("/changelog/task/check/")
CHANGE_DOWNLOAD: Final = _get("/changelog/task/download/")

REPORT: Final = _get("/report/integrated/get/", page_size=1000, narrow=True)
REPORT_TASK: Final = _post("/report/task/create/", Rate.REPORT_TASK, repeatable=True)
REPORT_CHECK: Final = _get("/report/task/check/")
REPORT_DOWNLOAD: Final = _get("/report/task/download/")
REPORT_CANCEL: Final = _post("/report/task/cancel/", repeatable=True)
