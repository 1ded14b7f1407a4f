"""Which token may send for which event source. Pure.

Tokens are kept as digests: what is not there cannot be shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

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
            self._rules[_key(rule.token.get_secret_value())] = rule

    def refusal_of(self, token: str | None) -> Answer | None:
        """Why this token may do nothing at all, or None."""
        if not token:
            return answer(Code.EMPTY_ACCESS_TOKEN)
        rule = self._rules.get(_key(token)) if self._rules else None
        state = rule.state if rule else self.others
        if state == "revoked":
            return answer(Code.INVALID_ACCESS_TOKEN)
        return answer(Code.ACCESS_TOKEN_EXPIRE) if state == "expired" else None

    def may_operate(self, token: str, event_source_id: str) -> bool:
        """May this token, which is not refused, send events for this id?"""
        rule = self._rules.get(_key(token)) if self._rules else None
        return (
            rule is None
            or rule.event_source_ids is None
            or event_source_id in rule.event_source_ids
        )

    def tokens(self) -> list[KnownToken]:
        return [
            KnownToken(
                key.hex()[:8],
                rule.state,
                None if rule.event_source_ids is None else sorted(rule.event_source_ids),
            )
            for key, rule in self._rules.items()
        ]


def _key(token: str) -> bytes:
    # A header may hold bytes that are not UTF-8; aiohttp hands them on as surrogates.
    return sha256(token.encode(errors="surrogateescape")).digest()
