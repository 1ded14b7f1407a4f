"""What every endpoint of the Marketing API asks first. Pure.

The order is ours: token, the app's rate, permission, parameters, right to the account.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from relay.sandbox.ads.model import AdWorld
from relay.sandbox.answers import Answer, Code, answer, no_advertiser
from relay.sandbox.marketing.forms import Form, of_body, of_query
from relay.sandbox.world import JSON, Handled, Reading, Route, World

PREFIX: Final = "/open_api/v1.3"

#: Permissions that open an endpoint, the parent or one of its children. Children that no source
#: names are not asked for.
ACCOUNTS: Final = frozenset({1, 100})
ADS: Final = frozenset({2})
REPORTS: Final = frozenset({4, 44})
MEASUREMENT: Final = frozenset({5, 8})

F = TypeVar("F", bound=Form)


@dataclass(frozen=True, slots=True)
class Asked(Generic[F]):
    """A call that was let in."""

    world: World
    reading: Reading
    form: F
    now: float

    @property
    def ads(self) -> AdWorld:
        return self.world.ads

    @property
    def token(self) -> str:
        return self.reading.call.token or ""


Answering = Callable[[Asked[F]], Answer | Handled]


def reads(path: str, form: type[F], answers: Answering[F], scopes: Iterable[int] = ()) -> Route:
    """An endpoint that is asked with GET."""
    return _endpoint("GET", path, form, answers, frozenset(scopes))


def orders(path: str, form: type[F], answers: Answering[F], scopes: Iterable[int] = ()) -> Route:
    """An endpoint that is asked with POST."""
    return _endpoint("POST", path, form, answers, frozenset(scopes))


def app_of(world: World, token: str) -> str:
    """The app that a token belongs to."""
    rule = world.access.rule(token)
    named = rule.app_id if rule else None
    return named or world.settings.marketing.apps[0].app_id


def formed(world: World, reading: Reading, form: type[F]) -> F | Answer:
    """The parameters of a call, read; or why they cannot be."""
    call, unknown = reading.call, world.settings.marketing.unknown_parameters
    if call.method == "GET":
        return of_query(form, call.query, unknown=unknown)
    if call.content_type != JSON:
        return answer(Code.PARAM_ERROR, f"Content-Type must be {JSON}.")
    return of_body(form, reading.document, unknown=unknown)


def _endpoint(
    method: str, path: str, form: type[F], answers: Answering[F], scopes: frozenset[int]
) -> Route:
    def handle(world: World, reading: Reading, now: float) -> Handled:
        refused = _stopped(world, reading, scopes, now)
        if refused is not None:
            return Handled(refused)
        read = formed(world, reading, form)
        if isinstance(read, Answer):
            return Handled(read)
        lost = _lost(world, reading.call.token or "", read)
        if lost is not None:
            return Handled(lost)
        said = answers(Asked(world, reading, read, now))
        return said if isinstance(said, Handled) else Handled(said)

    return Route(method, PREFIX + path, handle)


def _stopped(world: World, reading: Reading, scopes: frozenset[int], now: float) -> Answer | None:
    token, path = reading.call.token, reading.call.path
    refused = world.access.refusal_of(token)
    if refused is not None or token is None:
        return refused
    refused = world.desk.limits.refusal(app_of(world, token), path, now)
    if refused is None and not world.access.has_scope(token, scopes):
        return answer(Code.SCOPE_NOT_AUTHORIZED)
    return refused


def _lost(world: World, token: str, form: Form) -> Answer | None:
    for advertiser_id in form.accounts():
        known = advertiser_id in world.ads.advertisers
        if not known or not world.access.may_advertise(token, advertiser_id):
            return no_advertiser(advertiser_id)
    return None
