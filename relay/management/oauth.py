"""The way to a token: the consent page's address, and what the browser brings back. Pure.

The token of an advertiser does not expire; it holds until it is revoked. There is no scope
parameter and no PKCE: what is granted stands in the app's registration.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

from relay.management.errors import RedirectRefused, RequestInvalid
from relay.management.fields import Record

PORTAL_URL: Final = "https://business-api.tiktok.com/portal/auth"

#: Shorter ones can be guessed.
LEAST_STATE_CHARS: Final = 16


@dataclass(frozen=True, slots=True)
class Grant:
    """What a code was exchanged for. The token is not shown by `repr`; `scope` are numbers of
    TikTok's permissions, as texts."""

    access_token: str = field(repr=False)
    advertiser_ids: tuple[str, ...]
    scope: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Revoked:
    """The accounts that a token has lost."""

    app_id: str | None
    advertiser_ids: tuple[str, ...]


def consent_url(app_id: str, redirect_uri: str, state: str, *, portal_url: str = PORTAL_URL) -> str:
    """The page where a person says yes. `redirect_uri` has to be the registered one; `state` comes
    back with the answer and has to be a secret of this one login."""
    if len(state) < LEAST_STATE_CHARS:
        raise RequestInvalid("state", "is too short", "Use `secrets.token_urlsafe()`.")
    query = {"app_id": app_id, "state": state, "redirect_uri": redirect_uri}
    return f"{portal_url}?{urlencode(query)}"


def read_redirect(url_or_query: str, expected_state: str) -> str:
    """The authorization code that the browser brought: of the whole address, or of its query.

    TikTok sends it as `auth_code`, sometimes with the same in `code`. Raises `RedirectRefused`,
    never with what stood there: a code is as good as a token for an hour.
    """
    try:
        fields = parse_qs(_query(url_or_query.strip()), max_num_fields=50)
    except ValueError:
        raise RedirectRefused(
            "This is no address; copy the browser's whole address line."
        ) from None
    if not expected_state or not _same(fields.get("state", []), expected_state):
        raise RedirectRefused(
            "The `state` is not that of this login: the address belongs to another one, or "
            "somebody else made it. Start again and use the page that the login opens."
        )
    codes = fields.get("auth_code") or fields.get("code") or []
    if len(set(codes)) == 1 and codes[0]:
        return codes[0]
    if len(set(codes)) > 1:
        raise RedirectRefused("The address has several authorization codes; start the login again.")
    raise RedirectRefused(
        "The address has no `auth_code`: consent was not given, or the address was cut."
    )


def _query(text: str) -> str:
    if "?" in text or "://" in text:
        return urlsplit(text).query
    return text


def _same(found: list[str], expected: str) -> bool:
    return bool(found) and all(
        hmac.compare_digest(each.encode(errors="replace"), expected.encode()) for each in found
    )


def read_grant(data: Record) -> Grant:
    """`data` of `/oauth2/access_token/`."""
    token = data.text("access_token")
    if not token or not (token.isascii() and token.isprintable()):
        raise data.unreadable("access_token", "is not a token")
    return Grant(token, data.ids("advertiser_ids"), data.ids("scope"))


def read_revoked(data: Record) -> Revoked:
    """`data` of `/oauth2/revoke_token/`."""
    return Revoked(data.id_or_none("app_id"), data.ids("advertiser_ids"))
