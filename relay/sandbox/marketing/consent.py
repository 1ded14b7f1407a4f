"""The page where an advertiser consents: `/portal/auth`, for browsers. Pure.

Whoever allows is sent back with `auth_code`, its twin `code`, and `state` as it was given. Whoever
does not stays here: what TikTok sends then is not known. `&decision=allow` is what the page's link
adds; a test may add it, too.
"""

from __future__ import annotations

from html import escape
from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from relay.sandbox.answers import OK, Code, answer
from relay.sandbox.marketing.apps import App
from relay.sandbox.world import HTML, Handled, Reading, Reply, Route, World

_PATH: Final = "/portal/auth"

_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body><main><h1>{title}</h1>
{text}
</main></body></html>
"""


def _auth(world: World, reading: Reading, now: float) -> Handled:
    query = reading.call.query
    app = world.desk.apps.find(query.get("app_id", ""))
    redirect_uri = query.get("redirect_uri", "")
    if app is None:
        return _refused("There is no app with this app_id.")
    if not app.sends_back_to(redirect_uri):
        return _refused("The redirect_uri is not registered for this app.")
    decision = query.get("decision")
    if decision == "cancel":
        return _page(200, "Nothing was granted", "<p>You may close this page.</p>")
    if decision != "allow" and not world.settings.marketing.auto_approve:
        return _asking(world, reading, app)
    code = world.desk.apps.consent(app, now)
    back = {"auth_code": code, "code": code}
    if "state" in query:
        back["state"] = query["state"]
    return Handled(OK, reply=Reply(302, headers={"Location": _with(redirect_uri, back)}))


def _with(url: str, more: dict[str, str]) -> str:
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, urlencode(more))))
    return urlunsplit(parts._replace(query=query))


def _asking(world: World, reading: Reading, app: App) -> Handled:
    accounts = [
        f"<li>{escape(account.name)} ({escape(account.advertiser_id)})</li>"
        for account in world.ads.advertisers.values()
        if app.advertiser_ids is None or account.advertiser_id in app.advertiser_ids
    ]
    text = (
        f"<p>App {escape(app.app_id)} asks to work with:</p><ul>{''.join(accounts)}</ul>"
        f'<p><a id="allow" href="{_link(reading, "allow")}">Allow</a> '
        f'<a id="cancel" href="{_link(reading, "cancel")}">Cancel</a></p>'
    )
    return _page(200, "Consent (stand-in for TikTok)", text)


def _link(reading: Reading, decision: str) -> str:
    query = {**reading.call.query, "decision": decision}
    return escape(f"{_PATH}?{urlencode(query)}")


def _refused(problem: str) -> Handled:
    page = _page(400, "This cannot be authorized", f"<p>{escape(problem)}</p>")
    return page._replace(answer=answer(Code.PARAM_ERROR, problem))


def _page(status: int, title: str, text: str) -> Handled:
    body = _PAGE.format(title=escape(title), text=text).encode()
    return Handled(OK, reply=Reply(status, body, HTML))


ROUTES: Final = (Route("GET", _PATH, _auth),)
