"""Which token may do what: send for an event source, read an ad account. Pure.

Tokens are kept as digests: what is not there cannot be shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from pydantic import SecretStr

from relay.sandbox.answers import Answer, Code, answer
from relay.sandbox.settings import AccessPlan, TokenRule, TokenState


def fingerprint(token: str) -> str:
    """Enough of a token's digest to tell it from others, and no more."""
    return _key(token).hex()[:8]


class KnownToken(NamedTuple):
    """A token as the inspection shows it."""

    fingerprint: str
    state: TokenState
    event_source_ids: Sequence[str] | None
    advertiser_ids: Sequence[str] | None
    scopes: Sequence[int] | None
    app_id: str | None


class Access:
    """The rules in force."""

    def __init__(self, plan: AccessPlan) -> None:
        self._rules: dict[bytes, TokenRule] = {}
        self.others: TokenState = plan.others
        self.change(plan)

    def change(self, plan: AccessPlan) -> None:
        """Put these rules in force; tokens that the plan does not name keep theirs."""
        if "others" in plan.model_fields_set:
            self.others = plan.others
        for rule in plan.tokens:
            token = rule.token.get_secret_value()
            self._rules[_key(token)] = rule.model_copy(update={"token": SecretStr("")})

    def rule(self, token: str) -> TokenRule | None:
        """What was said of this token by name; its own text is not in it."""
        return self._rules.get(_key(token)) if self._rules else None

    def refusal_of(self, token: str | None) -> Answer | None:
        """Why this token may do nothing at all, or None."""
        if not token:
            return answer(Code.EMPTY_ACCESS_TOKEN)
        rule = self.rule(token)
        state = rule.state if rule else self.others
        if state == "revoked":
            return answer(Code.INVALID_ACCESS_TOKEN)
        return answer(Code.ACCESS_TOKEN_EXPIRE) if state == "expired" else None

    def may_operate(self, token: str, event_source_id: str) -> bool:
        """May this token, which is not refused, send events for this id?"""
        rule = self.rule(token)
        return (
            rule is None
            or rule.event_source_ids is None
            or event_source_id in rule.event_source_ids
        )

    def may_advertise(self, token: str, advertiser_id: str) -> bool:
        """May this token, which is not refused, operate this ad account?"""
        rule = self.rule(token)
        return rule is None or rule.advertiser_ids is None or advertiser_id in rule.advertiser_ids

    def has_scope(self, token: str, scopes: frozenset[int]) -> bool:
        """Was this token, which is not refused, given one of these permissions?"""
        rule = self.rule(token)
        return not scopes or rule is None or rule.scopes is None or bool(scopes & rule.scopes)

    def tokens(self) -> list[KnownToken]:
        return [
            KnownToken(
                key.hex()[:8],
                rule.state,
                None if rule.event_source_ids is None else sorted(rule.event_source_ids),
                None if rule.advertiser_ids is None else sorted(rule.advertiser_ids),
                None if rule.scopes is None else sorted(rule.scopes),
                rule.app_id,
            )
            for key, rule in self._rules.items()
        ]


def _key(token: str) -> bytes:
    # A header may hold bytes that are not UTF-8; aiohttp hands them on as surrogates.
    return sha256(token.encode(errors="surrogateescape")).digest()
