"""Tokens: codes exchanged for them, what they may do, taking them back. Pure.

A token of an advertiser does not expire; there is nothing to renew.
"""

from __future__ import annotations

from typing import Any, Final

import orjson
from pydantic import SecretStr

from relay.sandbox.answers import OK, Answer, Code, answer, done
from relay.sandbox.marketing.apps import App
from relay.sandbox.marketing.door import PREFIX, Asked, app_of, formed, reads
from relay.sandbox.marketing.forms import Form, Name
from relay.sandbox.settings import AccessPlan, TokenRule, TokenState
from relay.sandbox.world import Handled, Reading, Reply, Route, World


class _CodeForm(Form):
    app_id: Name
    secret: Name
    auth_code: Name
    return_advertiser_ids: bool = True


class _TokenForm(Form):
    client_id: Name
    client_secret: Name
    code: Name
    grant_type: Name


class _RevokeForm(Form):
    app_id: Name
    secret: Name
    access_token: Name


class _ListForm(Form):
    app_id: Name
    secret: Name


def _exchange(world: World, reading: Reading, now: float) -> Handled:
    form = formed(world, reading, _CodeForm)
    if isinstance(form, Answer):
        return Handled(form)
    granted = _granted(world, (form.app_id, form.secret), form.auth_code, now)
    if isinstance(granted, Answer):
        return Handled(granted)
    if not form.return_advertiser_ids:
        del granted["advertiser_ids"]
    return Handled(done(granted))


def _token(world: World, reading: Reading, now: float) -> Handled:
    """The twin in OAuth's own words: what is granted stands beside `code`, not under `data`."""
    form = formed(world, reading, _TokenForm)
    if isinstance(form, Answer):
        return Handled(form)
    if form.grant_type != "authorization_code":
        return Handled(answer(Code.INVALID_GRANT_TYPE))
    granted = _granted(world, (form.client_id, form.client_secret), form.code, now)
    if isinstance(granted, Answer):
        return Handled(granted)
    said = {"code": 0, "message": "OK", "request_id": reading.request_id}
    return Handled(OK, reply=Reply(body=orjson.dumps(said | granted)))


def _granted(
    world: World, app_and_secret: tuple[str, str], code: str, now: float
) -> dict[str, Any] | Answer:
    app = _app(world, *app_and_secret)
    if isinstance(app, Answer):
        return app
    token = world.desk.apps.redeem(app, code, now)
    if token is None:
        return answer(Code.AUTH_CODE_ERROR)
    _put(world, app, token, "allowed")
    return {
        "access_token": token,
        "advertiser_ids": _accounts(world, token),
        "scope": list(app.scopes),
    }


def _put(world: World, app: App, token: str, state: TokenState) -> None:
    rule = TokenRule(
        token=SecretStr(token),
        state=state,
        advertiser_ids=app.advertiser_ids,
        scopes=frozenset(app.scopes),
        app_id=app.app_id,
    )
    world.access.change(AccessPlan(tokens=(rule,)))


def _app(world: World, app_id: str, secret: str) -> App | Answer:
    app = world.desk.apps.find(app_id)
    if app is None:
        return answer(Code.APP_FORBIDDEN)
    return app if app.has_secret(secret) else answer(Code.INVALID_PARTNER)


def _accounts(world: World, token: str) -> list[str]:
    every = world.ads.advertisers
    return [each for each in every if world.access.may_advertise(token, each)]


def _revoke(world: World, reading: Reading, _now: float) -> Handled:
    form = formed(world, reading, _RevokeForm)
    if isinstance(form, Answer):
        return Handled(form)
    app = _app(world, form.app_id, form.secret)
    if isinstance(app, Answer):
        return Handled(app)
    refused = world.access.refusal_of(form.access_token)
    if refused is not None or app_of(world, form.access_token) != app.app_id:
        return Handled(refused or answer(Code.INVALID_ACCESS_TOKEN))
    lost = _accounts(world, form.access_token)
    _put(world, app, form.access_token, "revoked")
    return Handled(done({"app_id": app.app_id, "advertiser_ids": lost}))


def _advertisers(asked: Asked[_ListForm]) -> Answer:
    app = _app(asked.world, asked.form.app_id, asked.form.secret)
    if isinstance(app, Answer):
        return app
    if app_of(asked.world, asked.token) != app.app_id:
        return answer(Code.INVALID_PARTNER)
    rows = [
        {"advertiser_id": each, "advertiser_name": asked.ads.advertisers[each].name}
        for each in _accounts(asked.world, asked.token)
    ]
    return done({"list": rows})


def _user(_asked: Asked[Form]) -> Answer:
    return done(
        {
            "display_name": "Sandbox",
            "email": "s***@shop.example",
            "core_user_id": "7100000000000000001",
            "create_time": 1_654_600_000,
            "avatar_url": "",
        }
    )


ROUTES: Final = (
    Route("POST", f"{PREFIX}/oauth2/access_token/", _exchange),
    Route("POST", f"{PREFIX}/oauth2/token/", _token),
    Route("POST", f"{PREFIX}/oauth2/revoke_token/", _revoke),
    reads("/oauth2/advertiser/get/", _ListForm, _advertisers),
    reads("/user/info/", Form, _user),
)
