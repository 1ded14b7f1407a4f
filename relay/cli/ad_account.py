"""The way into an ad account: which token, which client, which accounts."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from relay.cli.token_file import Granted, TokenFile, default_path
from relay.cli.told import Told
from relay.config import AdAccount, Management, load_ad_account
from relay.config.checks import base_url_is_safe
from relay.errors import ConfigError, Mistake
from relay.management import Client, Limits
from relay.management.errors import (
    CredentialRefused,
    ManagementError,
    PermissionRefused,
    Unreachable,
)
from relay.management.models.accounts import Advertiser
from relay.management.notices import OnNotice
from relay.management.query import Hidden
from relay.secrets import Secret, SecretUnavailable

TOKEN_VARIABLE: Final = "TIKTOK_ACCESS_TOKEN"  # noqa: S105  # its name
APP_ID_VARIABLE: Final = "TIKTOK_APP_ID"
SECRET_VARIABLE: Final = "TIKTOK_APP_SECRET"  # noqa: S105  # its name


@dataclass(frozen=True, slots=True)
class App:
    """A developer's app; the secret is not shown by `repr`."""

    app_id: str
    secret: Hidden


@dataclass(frozen=True, slots=True)
class Access:
    """A token and where it came from; `file` is what `relay login` writes."""

    token: Secret
    origin: str
    settings: AdAccount
    file: TokenFile

    @property
    def is_from_login(self) -> bool:
        return self.token.reference == f"file:{self.file.path}"

    def granted(self) -> Granted | None:
        return self.file.granted(self.token.read())


def read_settings(config: Path | None) -> AdAccount:
    """The tables that are about an ad account. Raises `ConfigError`."""
    return load_ad_account(config, os.environ)


def token_file(named: Path | None) -> TokenFile:
    return TokenFile(named or default_path(os.environ))


def find_access(config: Path | None, named: Path | None) -> Access:
    """The token of `--token-file`, of the configuration, of the environment, of `relay login`: the
    first that there is. Raises `ConfigError`."""
    settings = read_settings(config)
    file = token_file(named)
    access = _found(settings, file, is_named=named is not None)
    try:
        token = access.token.read()
    except SecretUnavailable as unavailable:
        problem = f"cannot be read ({unavailable.reason})"
        raise _mistake(access.origin, problem, "Run `relay login`, or name another") from None
    if not (token.isascii() and token.isprintable()):
        problem = "holds characters that no token has"
        raise _mistake(access.origin, problem, "Store the token alone, on one line")
    return access


def _found(settings: AdAccount, file: TokenFile, *, is_named: bool) -> Access:
    if is_named:
        return Access(_secret_in(file), "--token-file", settings, file)
    if settings.management.access_token is not None:
        token = settings.management.access_token
        return Access(token, "management.access_token", settings, file)
    if os.environ.get(TOKEN_VARIABLE, "").strip():
        token = Secret(f"env:{TOKEN_VARIABLE}", os.environ)
        return Access(token, TOKEN_VARIABLE, settings, file)
    if file.is_there:
        return Access(_secret_in(file), str(file.path), settings, file)
    raise _mistake(
        "token",
        "there is none to read an ad account with",
        f"Run `relay login`; or set {TOKEN_VARIABLE}, or management.access_token",
    )


def _secret_in(file: TokenFile) -> Secret:
    return Secret(f"file:{file.path}", os.environ)


def _mistake(key: str, problem: str, mend: str) -> ConfigError:
    return ConfigError([Mistake(key, problem, mend)])


def app_known(management: Management, app_id: str | None = None) -> App | None:
    """The app, where both its id and its secret can be had without asking anybody."""
    known_id, secret = app_id_known(management, app_id), app_secret_known(management)
    return App(known_id, secret) if known_id and secret else None


def app_id_known(management: Management, app_id: str | None = None) -> str | None:
    return app_id or management.app_id or os.environ.get(APP_ID_VARIABLE, "").strip() or None


def app_secret_known(management: Management) -> Hidden | None:
    """Raises `ConfigError` where the configuration names one that cannot be read."""
    if management.app_secret is not None:
        try:
            return Hidden(management.app_secret.read())
        except SecretUnavailable as unavailable:
            mend = "Set it, or correct the reference"
            raise _mistake("management.app_secret", str(unavailable), mend) from None
    return Hidden(os.environ.get(SECRET_VARIABLE, "").strip()) or None


@asynccontextmanager
async def client(
    settings: AdAccount,
    token: str | Callable[[], str] | None,
    told: Told,
    on_notice: OnNotice | None = None,
) -> AsyncIterator[Client]:
    """A client within the configuration's limits; it uses the proxy of the environment. Notices are
    told as they come, unless somebody else takes them."""
    management = settings.management
    limits = Limits(qps=management.requests_per_second, qpm=management.requests_per_minute)
    for mistake in base_url_is_safe(settings.tiktok.base_url):
        told.warn(mistake)
    async with Client(
        token,
        base_url=settings.tiktok.base_url,
        clock=told.clock,
        limits=limits,
        on_notice=told.notice if on_notice is None else on_notice,
        trust_env=True,
    ) as tiktok:
        yield tiktok


async def account_ids(tiktok: Client, access: Access, wanted: Sequence[str]) -> list[str]:
    """The accounts that are meant: those `wanted`, those of the configuration, or all of the token.

    Whose a token is, TikTok tells together with the app's secret; without it counts what was
    written down at the login, and then what the owner's Business Centers have. Raises `ConfigError`
    where nothing is known.
    """
    management = access.settings.management
    if wanted or management.advertisers:
        return list(dict.fromkeys(wanted or management.advertisers))
    granted = access.granted()
    app = app_known(management)
    if app is not None:
        return [
            each.advertiser_id async for each in tiktok.granted_accounts(app.app_id, app.secret)
        ]
    if granted is not None and granted.advertiser_ids:
        return list(granted.advertiser_ids)
    found = await _of_business_centers(tiktok)
    if not found:
        raise _mistake(
            "--advertiser",
            "nothing says which ad accounts this token may read",
            "Name them, set management.advertisers, or log in with `relay login`",
        )
    return found


async def _of_business_centers(tiktok: Client) -> list[str]:
    try:
        return [
            asset.asset_id
            async for center in tiktok.business_centers()
            async for asset in tiktok.assets(center.bc_id, "ADVERTISER")
        ]
    except PermissionRefused:
        return []


async def accounts(tiktok: Client, ids: Sequence[str], told: Told) -> AsyncIterator[Advertiser]:
    """The ad accounts of these ids. TikTok refuses a whole list for one account that is lost, so
    the list is halved until that one stands alone and is told of."""
    try:
        found = await tiktok.advertisers(ids).all()
    except PermissionRefused as refused:
        if len(ids) == 1:
            told.lost(ids[0], refused)
            return
        middle = len(ids) // 2
        for half in (ids[:middle], ids[middle:]):
            async for each in accounts(tiktok, half, told):
                yield each
        return
    for each in found:
        yield each
    shown = {each.advertiser_id for each in found}
    for each_id in ids:
        if each_id not in shown:
            told.lost(each_id, PermissionRefused("TikTok does not show it to this token"))


def with_mend(error: ManagementError, origin: str) -> str:
    """The error, and what to do about it; `origin` is where the token came from."""
    if isinstance(error, CredentialRefused):
        return f"{error}\n  → The token is that of {origin}; run `relay login` for a new one"
    if isinstance(error, PermissionRefused):
        return (
            f"{error}\n  → Let an admin of the account grant it in TikTok's Business Center, "
            "or run `relay login` as somebody who has it"
        )
    if isinstance(error, Unreachable):
        return f"{error}\n  → Look whether this machine has a network; else try again later"
    return str(error)
