"""Consent, tokens, and taking them back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from relay.sandbox.ads.model import Advertiser
from relay.sandbox.world import Reply, World

ADVERTISER = "7106541027904733185"
OTHER = "7002238017842757633"
APP = "7336580000000000001"
SECRET = "sandbox-secret"
BACK = "http://127.0.0.1:8765/callback"

Market = Callable[..., World]
Ask = Callable[..., Any]
CallIt = Callable[..., Reply]


def _code(call: CallIt, world: World, **query: Any) -> str:
    asked = {"app_id": APP, "redirect_uri": BACK, "decision": "allow", **query}
    reply = call(world, "/portal/auth", token=None, **asked)
    assert reply.status == 302
    (code,) = parse_qs(urlsplit(reply.headers["Location"]).query)["auth_code"]
    return code


def _exchange(code: str, **changes: object) -> dict[str, object]:
    return {"app_id": APP, "secret": SECRET, "auth_code": code} | changes


def test_the_page_asks_for_consent_and_grants_nothing(a_market: Market, call: CallIt) -> None:
    state = '"><script>'

    reply = call(a_market(), "/portal/auth", token=None, app_id=APP, redirect_uri=BACK, state=state)

    page = reply.body.decode()
    assert (reply.status, reply.content_type) == (200, "text/html")
    assert "Nordlicht DE" in page
    assert "decision=allow" in page
    assert "auth_code" not in page
    assert "<script>" not in page


def test_who_allows_is_sent_back_with_the_code_and_the_state(
    a_market: Market, call: CallIt
) -> None:
    reply = call(
        a_market(),
        "/portal/auth",
        token=None,
        app_id=APP,
        redirect_uri=f"{BACK}?from=tiktok",
        state="a&b=c",
        decision="allow",
    )

    address = urlsplit(reply.headers["Location"])
    query = parse_qs(address.query)
    assert f"{address.scheme}://{address.netloc}{address.path}" == BACK
    assert (query["from"], query["state"]) == (["tiktok"], ["a&b=c"])
    assert query["auth_code"] == query["code"]


def test_a_setting_allows_without_asking(a_market: Market, call: CallIt) -> None:
    world = a_market(auto_approve=True)

    reply = call(world, "/portal/auth", token=None, app_id=APP, redirect_uri=BACK)

    assert reply.status == 302
    assert "state" not in reply.headers["Location"]


@pytest.mark.parametrize(
    "query",
    [
        {"app_id": "1", "redirect_uri": BACK},
        {"app_id": APP},
        {"app_id": APP, "redirect_uri": "https://evil.example/callback"},
        {"app_id": APP, "redirect_uri": "http://127.0.0.1.evil.example/"},
        {"app_id": APP, "redirect_uri": "http://[::1"},
        {"redirect_uri": BACK},
    ],
)
def test_nobody_is_sent_to_an_address_that_is_not_registered(
    query: dict[str, str], a_market: Market, call: CallIt
) -> None:
    reply = call(a_market(), "/portal/auth", token=None, decision="allow", **query)

    assert reply.status == 400
    assert "Location" not in reply.headers


def test_registered_addresses_have_to_be_equal(a_market: Market, call: CallIt) -> None:
    mine = "https://shop.example/tiktok"
    app = {"app_id": APP, "secret": SECRET, "redirect_uris": [mine]}
    world = a_market(apps=[app], auto_approve=True)

    def status(redirect_uri: str) -> int:
        return call(world, "/portal/auth", token=None, app_id=APP, redirect_uri=redirect_uri).status

    assert status(mine) == 302
    assert [status(each) for each in (f"{mine}/", f"{mine}?a=b", BACK)] == [400] * 3


def test_a_code_is_exchanged_for_a_token_that_works(
    a_market: Market, an_account: Callable[..., Advertiser], call: CallIt, data: Ask, ask: Ask
) -> None:
    world = a_market(an_account(), an_account(OTHER))
    code = _code(call, world)

    granted = data(world, "/oauth2/access_token/", token=None, body=_exchange(code))

    assert granted["advertiser_ids"] == [ADVERTISER, OTHER]
    assert granted["scope"] == [100, 44, 2, 8, 5]
    token = granted["access_token"]
    listed = data(world, "/oauth2/advertiser/get/", token=token, app_id=APP, secret=SECRET)
    assert listed["list"][1] == {"advertiser_id": OTHER, "advertiser_name": "Nordlicht DE"}
    assert ask(world, "/campaign/get/", token=token, advertiser_id=OTHER)["code"] == 0


def test_an_app_sees_only_what_was_consented_to(
    a_market: Market, an_account: Callable[..., Advertiser], call: CallIt, data: Ask, ask: Ask
) -> None:
    app = {"app_id": APP, "secret": SECRET, "any_loopback": True, "advertiser_ids": [OTHER]}
    world = a_market(an_account(), an_account(OTHER), apps=[app])

    granted = data(world, "/oauth2/access_token/", body=_exchange(_code(call, world)))

    assert granted["advertiser_ids"] == [OTHER]
    said = ask(world, "/campaign/get/", token=granted["access_token"], advertiser_id=ADVERTISER)
    assert said["code"] == 40001


def test_advertisers_may_be_left_out_of_the_answer(
    a_market: Market, call: CallIt, data: Ask
) -> None:
    world = a_market()
    body = _exchange(_code(call, world), return_advertiser_ids=False)

    assert set(data(world, "/oauth2/access_token/", body=body)) == {"access_token", "scope"}


def test_a_code_is_good_once(a_market: Market, call: CallIt, ask: Ask) -> None:
    world = a_market()
    body = _exchange(_code(call, world))

    codes = [ask(world, "/oauth2/access_token/", body=body)["code"] for _ in range(2)]

    assert codes == [0, 40110]


@pytest.mark.parametrize(("at", "code"), [(3600.0, 0), (3601.0, 40110)])
def test_a_code_is_good_for_an_hour(
    at: float, code: int, a_market: Market, call: CallIt, ask: Ask
) -> None:
    world = a_market()
    body = _exchange(_code(call, world))

    assert ask(world, "/oauth2/access_token/", at=at, body=body)["code"] == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"auth_code": "guess"}, 40110),
        ({"secret": "wrong"}, 40101),
        ({"app_id": "1"}, 40113),
        ({"app_id": 7336580000000000001}, 40002),
        ({"auth_code": None}, 40002),
    ],
)
def test_what_is_wrong_is_no_token(
    changes: dict[str, object], code: int, a_market: Market, call: CallIt, ask: Ask
) -> None:
    world = a_market()
    body = _exchange(_code(call, world), **changes)

    said = ask(world, "/oauth2/access_token/", body=body)

    assert (said["code"], said["data"]) == (code, {})
    assert world.access.tokens() == []


def test_a_code_of_another_app_is_not_good(a_market: Market, call: CallIt, ask: Ask) -> None:
    apps = [{"app_id": each, "secret": SECRET, "any_loopback": True} for each in (APP, "7000")]
    world = a_market(apps=apps)
    code = _code(call, world, app_id="7000")

    said = ask(world, "/oauth2/access_token/", body=_exchange(code))

    assert said["code"] == 40110


def test_the_twin_in_oauth_s_words_has_its_fields_on_top(
    a_market: Market, call: CallIt, ask: Ask
) -> None:
    world = a_market()
    body = {
        "client_id": APP,
        "client_secret": SECRET,
        "code": _code(call, world),
        "grant_type": "authorization_code",
    }

    assert ask(world, "/oauth2/token/", body=body | {"grant_type": "password"})["code"] == 40108
    said = ask(world, "/oauth2/token/", body=body)

    assert said["code"] == 0
    assert ask(world, "/user/info/", token=said["access_token"])["code"] == 0
    assert "data" not in said


def test_a_revoked_token_works_no_more_and_lists_what_it_lost(
    a_market: Market, call: CallIt, data: Ask, ask: Ask
) -> None:
    world = a_market()
    token = data(world, "/oauth2/access_token/", body=_exchange(_code(call, world)))["access_token"]
    body = {"app_id": APP, "secret": SECRET, "access_token": token}

    lost = data(world, "/oauth2/revoke_token/", token=None, body=body)

    assert lost == {"app_id": APP, "advertiser_ids": [ADVERTISER]}
    assert ask(world, "/user/info/", token=token)["code"] == 40105
    assert ask(world, "/oauth2/revoke_token/", body=body)["code"] == 40105


def test_the_list_of_accounts_wants_the_right_secret(a_market: Market, ask: Ask) -> None:
    world = a_market()

    assert ask(world, "/oauth2/advertiser/get/", app_id=APP, secret="wrong")["code"] == 40101
    assert ask(world, "/oauth2/advertiser/get/", app_id=APP)["code"] == 40002


def test_neither_secrets_nor_codes_nor_tokens_are_shown(
    a_market: Market, call: CallIt, data: Ask
) -> None:
    world = a_market()
    code = _code(call, world)
    token = data(world, "/oauth2/access_token/", body=_exchange(code))["access_token"]
    data(world, "/oauth2/advertiser/get/", token=token, app_id=APP, secret=SECRET)

    kept = repr([vars(world), vars(world.desk.apps), vars(world.access), *world.received.requests])

    for hidden in (code, token, SECRET):
        assert hidden not in kept
    rule = world.access.rule(token)
    assert rule is not None
    assert rule.token.get_secret_value() == ""
    assert orjson.dumps([each._asdict() for each in world.access.tokens()])
