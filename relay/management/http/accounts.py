"""Who may read what: the exchange of a code, Business Centers, ad accounts."""

from __future__ import annotations

from collections.abc import Sequence

from relay.management import endpoints
from relay.management.errors import About, PermissionRefused
from relay.management.http.lists import Listing, Question
from relay.management.http.reads import Reads, one_each
from relay.management.models.accounts import (
    ADVERTISER_FIELDS,
    Advertiser,
    Asset,
    BusinessCenter,
    GrantedAccount,
    PixelLink,
    User,
    Zone,
    read_advertiser,
    read_asset,
    read_business_center,
    read_granted_account,
    read_pixel_link,
    read_user,
    read_zone,
)
from relay.management.oauth import Grant, Revoked, read_grant, read_revoked
from relay.management.query import MOST_IDS, Hidden, an_id, in_parts


class AccountReads(Reads):
    """Tokens and accounts."""

    async def exchange(
        self, app_id: str, secret: str, auth_code: str, *, list_advertisers: bool = True
    ) -> Grant:
        """Exchange the code of the consent page for a token; the client needs none itself.

        A code holds for an hour and can be used once. `list_advertisers` False spares people with
        thousands of accounts a time-out. Raises `CredentialRefused` for a code that was used.
        """
        # Under their own names, so that not even a traceback with variables shows them.
        secret, auth_code = Hidden(secret), Hidden(auth_code)
        answer = await self._ask(
            endpoints.ACCESS_TOKEN,
            {
                "app_id": app_id,
                "secret": secret,
                "auth_code": auth_code,
                "return_advertiser_ids": list_advertisers,
            },
            anonymous=True,
        )
        return read_grant(answer.data)

    def granted_accounts(self, app_id: str, secret: str) -> Listing[GrantedAccount]:
        """The ad accounts that the token may read."""
        params = {"app_id": app_id, "secret": Hidden(secret)}
        return self._listing(endpoints.GRANTED_ACCOUNTS, params, read_granted_account)

    async def revoke(self, app_id: str, secret: str) -> Revoked:
        """Make the token worthless; the accounts it has lost are returned."""
        secret = Hidden(secret)
        params = {"app_id": app_id, "secret": secret, "access_token": self._caller.token()}
        answer = await self._ask(endpoints.REVOKE_TOKEN, params)
        return read_revoked(answer.data)

    async def user(self) -> User:
        """Whose token it is; raises `CredentialRefused` when it is none."""
        return read_user((await self._ask(endpoints.USER_INFO, {})).data)

    def business_centers(self) -> Listing[BusinessCenter]:
        """The Business Centers that the token's owner is in."""
        return self._listing(endpoints.BC, {}, read_business_center)

    def assets(self, bc_id: str, asset_type: str) -> Listing[Asset]:
        """What a Business Center owns or shares. `asset_type` is ADVERTISER, CATALOG, DOMAIN, LEAD,
        PIXEL, STOREFRONT, TIKTOK_SHOP or TT_ACCOUNT."""
        params = {"bc_id": an_id("bc_id", bc_id), "asset_type": asset_type}
        return self._listing(endpoints.BC_ASSET, params, read_asset)

    def pixel_links(self, bc_id: str, pixel_code: str) -> Listing[PixelLink]:
        """The ad accounts that may use a pixel of a Business Center."""
        params = {"bc_id": an_id("bc_id", bc_id), "pixel_code": pixel_code}
        return self._listing(endpoints.BC_PIXEL_LINK, params, read_pixel_link)

    def advertisers(self, advertiser_ids: Sequence[str]) -> Listing[Advertiser]:
        """Ad accounts: currency, zone, status, balance."""
        listed = [an_id("advertiser_ids", each) for each in advertiser_ids]
        return self._listings(
            (
                Question(
                    endpoints.ADVERTISER_INFO,
                    {"advertiser_ids": part, "fields": list(ADVERTISER_FIELDS)},
                ),
                one_each(read_advertiser),
            )
            for part in in_parts(listed, MOST_IDS)
        )

    async def advertiser(self, advertiser_id: str) -> Advertiser:
        """One ad account; raises `PermissionRefused` where TikTok does not show it."""
        for found in await self.advertisers([advertiser_id]).all():
            if found.advertiser_id == advertiser_id:
                return found
        about = About(endpoints.ADVERTISER_INFO.path, advertiser_id)
        raise PermissionRefused("TikTok does not show this ad account to this token", about)

    def zones(self) -> Listing[Zone]:
        """The time zones that accounts may have."""
        return self._listing(endpoints.TIMEZONE, {}, read_zone)
