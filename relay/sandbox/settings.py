"""How the stand-in is set up. Everything has a default: `SandboxSettings()` is ready to use.

`Strictness` gathers the rules that TikTok states without saying that it enforces them, or that
sources disagree about: on, because a sender that keeps them is safe either way.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, SecretStr

from relay.sandbox.marketing.settings import MarketingSettings
from relay.sandbox.plan import FaultPlan

TokenState = Literal["allowed", "revoked", "expired"]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class TokenRule(_Settings):
    """What one access token may do; ids and scopes None: all of them.

    `event_source_ids` are for events, the rest for the Marketing API; `app_id` None: the first app.
    """

    token: SecretStr
    state: TokenState = "allowed"
    event_source_ids: frozenset[str] | None = None
    advertiser_ids: frozenset[str] | None = None
    scopes: frozenset[int] | None = None
    app_id: str | None = None


class AccessPlan(_Settings):
    """Rules for tokens by name, and for all `others`."""

    tokens: tuple[TokenRule, ...] = ()
    others: TokenState = "allowed"


class Strictness(_Settings):
    """Rules that are documented, but whose enforcement nobody has shown."""

    #: "Required for web events" says the docs' table; the docs' own web example has no page.
    page_url: bool = True
    #: The docs hash it; their own example does not.
    hashed_external_id: bool = True
    #: Offline events are matched by e-mail and phone only.
    offline_identity: bool = True
    #: "Standard events only" for offline.
    offline_standard_events: bool = True
    #: At most 50 of letters, digits, `_` and `-`, a letter first (help page "Custom events").
    custom_event_names: bool = True
    #: Names registered as partners; None: any.
    partner_names: frozenset[str] | None = None
    #: Is this account on the allow-list that event source `app` needs?
    app_allowed: bool = True


class SandboxSettings(_Settings):
    """`light` is for measuring: parse, count and remember ids; no validation, no events kept.

    `names_index` chooses between two forms of refusal that were both seen: with the place of the
    event in its batch, and without. Which code an oversized batch gets is not documented.
    """

    faults: FaultPlan = FaultPlan()
    access: AccessPlan = AccessPlan()
    rules: Strictness = Strictness()
    marketing: MarketingSettings = MarketingSettings()
    light: bool = False
    names_index: bool = True
    oversize_code: Literal[40061, 40002] = 40061
    max_body_bytes: PositiveInt = 16 * 1024 * 1024
    keep_events: NonNegativeInt = 20_000
    keep_requests: NonNegativeInt = 10_000
    seed: Annotated[int | None, Field(description="makes the faults of a run repeatable")] = None
