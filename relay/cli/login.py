"""`relay login`: from a person's consent to a token in a file; what a token is; taking it back."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import typer

from relay.cli import ad_account
from relay.cli.ad_account import Access, App
from relay.cli.cells import shown
from relay.cli.consent import Redirect, pasted_code, portal_url, redirect_of
from relay.cli.consent_http import Return, listening
from relay.cli.lines import counted
from relay.cli.terminal import EXIT_FAILED, GREEN, YELLOW, fail, say, write_json
from relay.cli.token_file import Granted, TokenFile
from relay.cli.told import Told
from relay.config import AdAccount
from relay.errors import ConfigError, Mistake
from relay.management import Client, Grant, consent_url
from relay.management.errors import (
    CredentialRefused,
    ManagementError,
    PermissionRefused,
    RedirectRefused,
)
from relay.management.query import Hidden

#: Often enough for a slip of the hand.
_PASTES: Final = 3

_WRONG_SECRET: Final = 40101
_REVOKED: Final = 40105
_NO_SUCH_APP: Final = 40113

#: Accounts that are told one by one.
_TOLD: Final = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """How the consent is to be had, and what becomes of the token."""

    app_id: str | None
    port: int | None
    redirect_uri: str | None
    paste: bool
    browser: bool
    wait_s: int
    print_it: bool


def run(config: Path | None, named: Path | None, asked: Asked) -> int:
    """Log in. Raises `ConfigError`, `ManagementError`."""
    redirect = redirect_of(asked.redirect_uri, asked.port)
    settings = ad_account.read_settings(config)
    app = _app(settings, asked.app_id)
    state = secrets.token_urlsafe(32)
    url = consent_url(
        app.app_id, redirect.uri, state, portal_url=portal_url(settings.tiktok.base_url)
    )
    say(f"the app's registered redirect URI has to be exactly  {redirect.uri}")
    login = _Login(settings, app, named, asked)
    if asked.paste or redirect.host is None:
        return login.with_code(_paste(url, state))
    try:
        return asyncio.run(login.with_browser(redirect, url, state))
    except KeyboardInterrupt:
        say("\ninterrupted; no token was kept")
        raise


class _Login:
    """One login, from the code on."""

    def __init__(self, settings: AdAccount, app: App, named: Path | None, asked: Asked) -> None:
        self._settings = settings
        self._app = app
        self._file = ad_account.token_file(named)
        self._asked = asked
        self._told = Told()

    def with_code(self, code: Hidden) -> int:
        return asyncio.run(self._finish(code))

    async def with_browser(self, redirect: Redirect, url: str, state: str) -> int:
        def stranger(refused: RedirectRefused) -> None:
            say(f"a browser came that is not of this login: {refused}", color=YELLOW)

        async with listening(redirect, state, stranger) as browser:
            _open(url, wanted=self._asked.browser)
            say(f"waiting at {redirect.uri} for {self._asked.wait_s} s; Ctrl-C ends it")
            try:
                came = await browser.came_back(self._asked.wait_s)
            except TimeoutError:
                fail(
                    f"nobody came back within {self._asked.wait_s} s. Did TikTok's page say that "
                    f"the redirect URI is wrong? Then register {redirect.uri} with your app, or "
                    "name the registered one with --redirect-uri. Is the browser on another "
                    "machine? Then use --paste"
                )
            return await self._answered(came)

    async def _answered(self, came: Return) -> int:
        """Finish, and tell the browser how it went."""
        code = await self._finish(Hidden(came.code))
        came.answer("Logged in", "You may close this page; the terminal says what was granted.")
        return code

    async def _finish(self, code: Hidden) -> int:
        grant = await self._exchange(code)
        self._keep(grant)
        accounts = await self._accounts(grant)
        if accounts:
            say(f"the token reads {counted(len(accounts), 'ad account')}:")
            for advertiser_id, name in accounts[:_TOLD]:
                say(f"  {shown(advertiser_id)}  {shown(name)}")
            if len(accounts) > _TOLD:
                say(f"  … and {len(accounts) - _TOLD} more: `relay accounts`")
        else:
            say("the token reads no ad account: was one chosen on TikTok's page?", color=YELLOW)
        return self._told.code

    async def _exchange(self, code: Hidden) -> Grant:
        async with ad_account.client(self._settings, None, self._told) as tiktok:
            try:
                return await tiktok.exchange(self._app.app_id, self._app.secret, code)
            except (CredentialRefused, PermissionRefused) as refused:
                raise _explained(refused) from None

    def _keep(self, grant: Grant) -> None:
        """At once: nobody can get the same token twice."""
        if self._asked.print_it:
            sys.stdout.write(f"{ad_account.TOKEN_VARIABLE}={grant.access_token}\n")
            sys.stdout.flush()
            where = f'management.access_token = "env:{ad_account.TOKEN_VARIABLE}"'
            say(f"set this secret; a configuration names it as  {where}")
            return
        granted = Granted(self._app.app_id, grant.advertiser_ids)
        try:
            self._file.keep(grant.access_token, granted)
        except OSError as error:
            reason = os.strerror(error.errno or 0).lower()
            fail(
                f"the token cannot be kept in {self._file.path}: {reason}. It is lost; name "
                "another --token-file and log in again"
            )
        say(f"logged in; the token is kept in {self._file.path}", color=GREEN)
        say(f'  a configuration names it as  access_token = "file:{self._file.path.absolute()}"')

    async def _accounts(self, grant: Grant) -> list[tuple[str, str]]:
        """Ids and names; the ids alone where TikTok does not list them."""
        async with ad_account.client(self._settings, grant.access_token, self._told) as tiktok:
            try:
                return await _listed(tiktok, self._app)
            except ManagementError as error:
                say(f"the ad accounts cannot be listed now: {shown(str(error))}", color=YELLOW)
                return [(each, "") for each in grant.advertiser_ids]


def _explained(refused: ManagementError) -> ManagementError:
    """What the exchange of a code can fail at, and what to do."""
    kind = type(refused)
    if refused.code == _WRONG_SECRET:
        text = (
            "TikTok does not accept the app's secret, or the code was used before. Compare "
            f"{ad_account.SECRET_VARIABLE} (or management.app_secret) with the app's page, and "
            "run `relay login` again"
        )
    elif refused.code == _NO_SUCH_APP:
        text = f"TikTok knows no such app, or has blocked it. Compare {ad_account.APP_ID_VARIABLE}"
    elif isinstance(refused, CredentialRefused):
        text = (
            "TikTok does not accept the code: it was used before, is older than an hour, or is of "
            "another app. Run `relay login` again"
        )
    else:
        return refused
    return kind(text, refused.about)


async def _listed(tiktok: Client, app: App) -> list[tuple[str, str]]:
    rows = tiktok.granted_accounts(app.app_id, app.secret)
    return [(each.advertiser_id, each.advertiser_name) async for each in rows]


# --- asking the person ----------------------------------------------------------------------------


def _app(settings: AdAccount, named: str | None) -> App:
    """The app's id and secret; who sits at a terminal is asked for what is missing."""
    management = settings.management
    app_id = ad_account.app_id_known(management, named)
    if app_id is None:
        app_id = _prompted("app id", "--app-id", ad_account.APP_ID_VARIABLE, hidden=False)
    if not app_id.isascii() or not app_id.isdigit():
        problem, mend = "is no app id", "Copy the digits from the app's page at TikTok"
        raise ConfigError([Mistake("app id", problem, mend)])
    secret = ad_account.app_secret_known(management)
    if secret is None:
        variable = ad_account.SECRET_VARIABLE
        secret = Hidden(_prompted("app secret", variable, "management.app_secret", hidden=True))
    return App(app_id, secret)


def _prompted(name: str, *ways: str, hidden: bool) -> str:
    if not sys.stdin.isatty():
        raise ConfigError(
            [Mistake(name, "missing, and there is no terminal to ask", f"Set {' or '.join(ways)}")]
        )
    answer: str = typer.prompt(f"{name}", hide_input=hidden, err=True)
    return answer.strip()


def _open(url: str, *, wanted: bool) -> None:
    """Show the consent page. Its address is told too: a browser may open unseen, or not at all."""
    if wanted and _has_browser():
        # Some end only when they are closed, and this program must not wait for them.
        threading.Thread(target=_opened, args=(url,), daemon=True).start()
        say("a browser opens; if it does not, open this page:")
    elif wanted:
        say("there is no browser to open here (see --paste for another machine's); open this page:")
    else:
        say("open this page:")
    say(f"  {url}")


def _has_browser() -> bool:
    """Without a screen Python finds those that run within the terminal, where nobody can log in."""
    screen = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    if sys.platform not in {"win32", "darwin"} and not any(map(os.environ.get, screen)):
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def _opened(url: str) -> None:
    with suppress(webbrowser.Error, OSError):
        webbrowser.open(url)


def _paste(url: str, state: str) -> Hidden:
    """The code that a person brings back. Raises `RedirectRefused`."""
    say("open this page in a browser on any machine, and allow the app:")
    say(f"  {url}")
    say("then copy the whole address that the browser ends at; it need not show a page")
    ask: Callable[[], str] = _pasted if sys.stdin.isatty() else sys.stdin.readline
    for tries in range(_PASTES, 0, -1):
        try:
            return Hidden(pasted_code(ask(), state))
        except RedirectRefused as refused:
            if tries == 1 or not sys.stdin.isatty():
                raise
            say(f"{refused}", color=YELLOW)
    raise RedirectRefused


def _pasted() -> str:
    answer: str = typer.prompt("address (it is not shown)", hide_input=True, err=True)
    return answer


# --- what a token is, and taking it back ----------------------------------------------------------


def status(config: Path | None, named: Path | None, *, as_json: bool) -> int:
    """Say whose the token is and what it reads; 1 when TikTok does not accept it. Raises
    `ConfigError`, `ManagementError`."""
    access = ad_account.find_access(config, named)
    document = asyncio.run(_asked_about(access))
    if as_json:
        write_json(document)
    else:
        _tell(document)
    return 0 if document["accepted"] else EXIT_FAILED


async def _asked_about(access: Access) -> dict[str, Any]:
    told = Told()
    found: dict[str, Any] = {"token": access.origin, "accepted": True, "user": None, "accounts": []}
    async with ad_account.client(access.settings, access.token.read, told) as tiktok:
        try:
            user = await tiktok.user()
        except CredentialRefused as refused:
            return {**found, "accepted": False, "reason": str(refused)}
        found["user"] = user.display_name
        try:
            ids = await ad_account.account_ids(tiktok, access, ())
            listed = [each async for each in ad_account.accounts(tiktok, ids, told)]
        except (ConfigError, ManagementError) as error:
            return {**found, "accounts": None, "reason": str(error)}
        found["accounts"] = [
            {"advertiser_id": each.advertiser_id, "name": each.name} for each in listed
        ]
    return found


def _tell(found: dict[str, Any]) -> None:
    lines = [("token", found["token"]), ("owner", found["user"] or "unknown")]
    if found["accepted"]:
        lines.append(("accepted", "yes"))
    else:
        lines.append(("accepted", f"no: {found['reason']}; run `relay login`"))
    if found["accepted"] and found["accounts"] is None:
        lines.append(("accounts", f"unknown: {found['reason']}"))
    lines += [
        ("account", f"{each['advertiser_id']}  {each['name']}") for each in found["accounts"] or ()
    ]
    for name, value in lines:
        sys.stdout.write(f"{name:<9} {shown(value)}\n")


def revoke(config: Path | None, named: Path | None, app_id: str | None, *, sure: bool) -> int:
    """Make the token worthless and delete its file. Raises `ConfigError`, `ManagementError`."""
    access = ad_account.find_access(config, named)
    granted = access.granted()
    known = ad_account.app_id_known(access.settings.management, app_id)
    app = _app(access.settings, known or (granted.app_id if granted else None))
    if not sure:
        _confirm(access)
    lost = asyncio.run(_revoked(access, app))
    if lost is None:
        say("TikTok did not accept the token any more", color=YELLOW)
    else:
        say(f"revoked; the token has lost {counted(len(lost), 'ad account')}", color=GREEN)
    _forget(access)
    return 0


def _confirm(access: Access) -> None:
    if not sys.stdin.isatty():
        problem, mend = "nobody is there to be asked", "Add --yes"
        raise ConfigError([Mistake("--revoke", problem, mend)])
    question = f"revoke the token of {access.origin}? Whatever uses it stops"
    if not typer.confirm(question, err=True):
        fail("nothing was revoked")


async def _revoked(access: Access, app: App) -> tuple[str, ...] | None:
    """The accounts that the token has lost; None where it was worthless before."""
    async with ad_account.client(access.settings, access.token.read, Told()) as tiktok:
        try:
            return (await tiktok.revoke(app.app_id, app.secret)).advertiser_ids
        except CredentialRefused as refused:
            if refused.code == _REVOKED:
                return None
            if refused.code == _WRONG_SECRET:
                text = "TikTok does not accept the app's secret; the token is as it was. Compare "
                raise CredentialRefused(
                    f"{text}{ad_account.SECRET_VARIABLE}", refused.about
                ) from None
            raise


def _forget(access: Access) -> None:
    file: TokenFile = access.file
    if access.is_from_login:
        file.delete()
        say(f"deleted {file.path}")
    else:
        say(f"remove what {access.origin} names: it is worthless now")
