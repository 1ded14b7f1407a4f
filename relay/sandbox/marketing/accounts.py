"""Business Centers, what they own, and ad accounts. Pure."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from relay.sandbox.ads.model import Advertiser, BusinessCenter, Pixel
from relay.sandbox.answers import Answer, Code, answer, done
from relay.sandbox.marketing.door import ACCOUNTS, Asked, reads
from relay.sandbox.marketing.forms import Form, Id, Ids, Name, Names, Paged, Part, refused, words
from relay.sandbox.marketing.paging import page_of

_FIELDS: Final = words(
    "telephone_number contacter currency cellphone_number timezone advertiser_id role company "
    "status description rejection_reason address name language industry license_no email "
    "license_url country balance create_time display_timezone owner_bc_id company_name_editable "
    "advertiser_account_type ads_only_mode can_use_custom_identity"
)


class _InfoForm(Form):
    json_fields: ClassVar = frozenset({"advertiser_ids", "fields"})
    advertiser_ids: Ids
    fields: Names | None = None

    def accounts(self) -> tuple[str, ...]:
        return self.advertiser_ids


def _info(asked: Asked[_InfoForm]) -> Answer:
    unknown = sorted(set(asked.form.fields or ()) - _FIELDS)
    if unknown:
        return refused("fields", f"Not a valid choice: {unknown[0]}")
    accounts = [asked.ads.advertisers[each] for each in asked.form.advertiser_ids]
    return done({"list": [_shown(account, asked.form.fields) for account in accounts]})


def _shown(account: Advertiser, fields: tuple[str, ...] | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "advertiser_id": account.advertiser_id,
        "name": account.name,
        "currency": account.currency,
        "timezone": account.timezone,
        "display_timezone": account.display_timezone,
        "status": account.status,
        "balance": float(account.balance),
        "create_time": int(account.create_time),
        "owner_bc_id": account.owner_bc_id,
        "company": account.name,
        "role": "ROLE_ADVERTISER",
        "advertiser_account_type": "AUCTION",
    }
    if fields is None:
        return row
    # Asking for this one suppresses the rest.
    if "company_name_editable" in fields:
        return {"company_name_editable": False}
    return {name: row.get(name) for name in fields}


class _BcPaged(Paged):
    page_size: Annotated[int, Field(ge=1, le=50)] = 10


class _BcFilter(Part):
    keyword: Name | None = None
    keyword_type: Literal["ASSET", "MEMBER", "PARTNER", "TIER"] | None = None
    relation_type: Literal["CHILD", "PARENT"] | None = None


class _BcForm(_BcPaged):
    json_fields: ClassVar = frozenset({"filtering"})
    bc_id: Id | None = None
    scene: Literal["SINGLE_ACCOUNT", "TIERED_ACCOUNT"] = "SINGLE_ACCOUNT"
    filtering: _BcFilter = _BcFilter()


def _centers(asked: Asked[_BcForm]) -> Answer:
    form, centers = asked.form, asked.ads.business_centers
    if form.bc_id is not None and form.bc_id not in centers:
        return _no_center(form.bc_id)
    keyword = form.filtering.keyword
    found = [
        center
        for center in centers.values()
        if form.bc_id in {None, center.bc_id} and (keyword is None or keyword in center.name)
    ]
    rows, info = page_of(asked, found, form)
    return done({"list": [_center(row) for row in rows], "page_info": info})


def _center(center: BusinessCenter) -> dict[str, Any]:
    return {
        "bc_info": {
            "bc_id": center.bc_id,
            "name": center.name,
            "company": center.company,
            "currency": center.currency,
            "registered_area": center.registered_area,
            "status": center.status,
            "timezone": center.timezone,
            "type": center.type,
            "organization_type": None,
            "verification_status": center.verification_status,
        },
        "user_role": center.user_role,
        "ext_user_role": {"finance_role": center.finance_role},
    }


def _no_center(bc_id: str) -> Answer:
    return answer(Code.PERMISSION_ERROR, f"No permission to operate bc {bc_id}")


class _AssetFilter(Part):
    keyword: Name | None = None
    user_email: Name | None = None
    user_id: Id | None = None


class _AssetForm(_BcPaged):
    json_fields: ClassVar = frozenset({"filtering"})
    bc_id: Id
    asset_type: Literal[
        "ADVERTISER",
        "CATALOG",
        "DOMAIN",
        "LEAD",
        "PIXEL",
        "STOREFRONT",
        "TIKTOK_SHOP",
        "TT_ACCOUNT",
    ]
    filtering: _AssetFilter = _AssetFilter()


def _assets(asked: Asked[_AssetForm]) -> Answer:
    form = asked.form
    center = asked.ads.business_centers.get(form.bc_id)
    if center is None:
        return _no_center(form.bc_id)
    keyword = form.filtering.keyword or ""
    found = [row for row in _owned(asked, center) if keyword in row["asset_name"]]
    rows, info = page_of(asked, found, form)
    return done({"list": list(rows), "page_info": info})


def _owned(asked: Asked[_AssetForm], center: BusinessCenter) -> list[dict[str, Any]]:
    accounts = asked.ads.advertisers.values()
    mine = {"relation_type": "OWNER_BC", "relation_status": "BOUND", "owner_bc_name": center.name}
    if asked.form.asset_type == "ADVERTISER":
        return [
            {
                "asset_type": "ADVERTISER",
                "asset_id": account.advertiser_id,
                "asset_name": account.name,
                "advertiser_status": account.status,
                "advertiser_account_type": "AUCTION",
                "advertiser_role": center.user_role,
            }
            | mine
            for account in accounts
            if account.owner_bc_id == center.bc_id
        ]
    if asked.form.asset_type != "PIXEL":
        return []
    pixels = (pixel for account in accounts for pixel in account.pixels.values())
    return [
        {
            "asset_type": "PIXEL",
            "asset_id": pixel.pixel_id,
            "asset_name": pixel.pixel_name,
            "pixel_code": pixel.pixel_code,
        }
        | mine
        for pixel in pixels
        if pixel.owner_bc_id == center.bc_id
    ]


class _LinkForm(_BcPaged):
    bc_id: Id
    pixel_code: Name


def _links(asked: Asked[_LinkForm]) -> Answer:
    form = asked.form
    if form.bc_id not in asked.ads.business_centers:
        return _no_center(form.bc_id)
    pixel = _pixel(asked)
    if pixel is None or pixel.owner_bc_id != form.bc_id:
        return answer(Code.NOT_EXIST, f"The pixel {form.pixel_code[:40]} does not exist.")
    found = [
        {"advertiser_id": account.advertiser_id, "advertiser_name": account.name}
        for account in asked.ads.advertisers.values()
        if account.advertiser_id in _linked(pixel)
    ]
    rows, info = page_of(asked, found, form)
    return done({"list": list(rows), "page_info": info})


def _pixel(asked: Asked[_LinkForm]) -> Pixel | None:
    return next(
        (
            pixel
            for account in asked.ads.advertisers.values()
            for pixel in account.pixels.values()
            if pixel.pixel_code == asked.form.pixel_code
        ),
        None,
    )


def _linked(pixel: Pixel) -> set[str]:
    """Its own account, where the ad world says nothing else."""
    own = set() if pixel.asset_relation_status == "UNBOUND" else {pixel.advertiser_id}
    return pixel.linked_advertisers or own


ROUTES: Final = (
    reads("/advertiser/info/", _InfoForm, _info, ACCOUNTS),
    reads("/bc/get/", _BcForm, _centers),
    reads("/bc/asset/get/", _AssetForm, _assets),
    reads("/bc/pixel/link/get/", _LinkForm, _links),
)
