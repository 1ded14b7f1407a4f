"""Event names: which are standard, which old names mean a standard one, what a custom name may be.

Names are case-sensitive and part of TikTok's deduplication key, so an alias must be the same on the
browser's side and here. Sources: TikTok docs, Events API 2.0; TikTok's help pages "Supported
standard events" and "Reserved events" (read 2025-05 and 2025-09); "Custom events" (2026-02).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from relay.errors import Mistake
from relay.model import EventSource
from relay.normalize.fields import Flaw, Flawed, Handler, dropped, kept, words
from relay.normalize.text import clean, has_email

WEB_STANDARD: Final = words(
    """
    AddPaymentInfo AddToCart AddToWishlist ApplicationApproval CompleteRegistration Contact
    CustomizeProduct Download FindLocation InitiateCheckout Lead Purchase Schedule Search StartTrial
    SubmitApplication Subscribe ViewContent
    """
)
#: Not in today's list, but live: TikTok's help swings between Lead and SubmitForm, and old set-ups
#: still use the others. They pass as they are.
_STILL_STANDARD: Final = frozenset({"SubmitForm", "CompletePayment", "PlaceAnOrder", "ClickButton"})

APP_STANDARD: Final = words(
    """
    AchieveLevel AddPaymentInfo AddToCart AddToWishlist Checkout CompleteTutorial CreateGroup
    CreateRole GenerateLead ImpressionLevelAdRevenue InAppADClick InAppADImpr InstallApp JoinGroup
    LaunchAPP LoanApplication LoanApproval LoanDisbursal Login Purchase Rate Registration Search
    SpendCredits StartTrial Subscribe UnlockAchievement ViewContent
    """
)

#: Reserved names that TikTok maps itself on the pixel, where the target is one standard event.
#: Left out: those whose target changed over time or is no standard event any more (ClickForm,
#: Checkout, Browse, ClickInDownloadPage), and SubmitForm, which stays as sent.
_WEB_ALIASES: Final = {
    "AddBilling": "AddPaymentInfo",
    "ClickToDownload": "Download",
    "CompletePayment": "Purchase",
    "Consult": "Contact",
    "ConsultByPhone": "Contact",
    "Registration": "CompleteRegistration",
    "StartCheckout": "InitiateCheckout",
    "ViewConsultationPage": "ViewContent",
    "ViewDownloadPage": "ViewContent",
    "ViewForm": "ViewContent",
}

_STANDARD: Final = {
    EventSource.WEB: WEB_STANDARD | _STILL_STANDARD,
    EventSource.APP: APP_STANDARD,
    EventSource.OFFLINE: WEB_STANDARD | _STILL_STANDARD,
    EventSource.CRM: WEB_STANDARD,
}

#: On apps `Registration` and `Checkout` are standard; CRM names are the advertiser's own.
_DEFAULT_ALIASES: Final[Mapping[EventSource, Mapping[str, str]]] = {
    EventSource.WEB: _WEB_ALIASES,
    EventSource.APP: {"CompletePayment": "Purchase"},
    EventSource.OFFLINE: _WEB_ALIASES,
    EventSource.CRM: {},
}

_CUSTOM: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,49}\Z").match
#: CRM names may be in any script; TikTok publishes no limit.
_MAX_CRM_NAME: Final = 100
_MAX_RAW: Final = 1000


def is_allowed(name: str, source: EventSource) -> bool:
    """Whether an event of this source may be called so."""
    if name in _STANDARD[source]:
        return True
    match source:
        case EventSource.OFFLINE:
            return False
        case EventSource.CRM:
            return 0 < len(name) <= _MAX_CRM_NAME and clean(name) == name and not has_email(name)
    return _CUSTOM(name) is not None


def aliases(source: EventSource, own: Mapping[str, str]) -> Mapping[str, str]:
    """The aliases in force: the defaults of the source, overridden by `own`.

    A name aliased to itself has no alias, and what `own` leads to has no default alias. Chains are
    followed to their end, so that a name that has been through this once does not change again.
    """
    final = frozenset(own.values())
    defaults = {name: to for name, to in _DEFAULT_ALIASES[source].items() if name not in final}
    table = {name: to for name, to in {**defaults, **own}.items() if name != to}
    return {name: _end_of(name, table) for name in table}


def _end_of(name: str, table: Mapping[str, str]) -> str:
    for _ in table:
        if name not in table:
            break
        name = table[name]
    return name


def alias_mistakes(source: EventSource, own: Mapping[str, str]) -> Iterator[Mistake]:
    """What is wrong with a destination's own aliases; keys are relative to the destination."""
    in_force = aliases(source, own)
    for name, to in own.items():
        key = f"aliases.{name}"
        if name != to and in_force[name] in in_force:
            yield Mistake(key, "leads in a circle", "Let one of the names stand for itself")
        elif not is_allowed(to, source):
            yield Mistake(
                key, f"no {source.value} event may be called {to!r}", "Use a name TikTok accepts"
            )


def reader(source: EventSource, own: Mapping[str, str]) -> Handler:
    """The handler of `event`: a name as it is, an alias as what it stands for."""
    in_force = aliases(source, own)
    known = {**{name: name for name in _STANDARD[source]}, **in_force}
    by_case = {name.lower(): name for name in _STANDARD[source]}

    def read(raw: object) -> object:
        name = known.get(raw) if isinstance(raw, str) else None
        return name or other(raw)

    def other(raw: object) -> str | Flawed | None:
        if not isinstance(raw, str) or len(raw) > _MAX_RAW:
            return dropped(Flaw.BAD_EVENT_NAME)
        name = clean(raw)
        name = known.get(name, name)
        if not name:
            return None
        if not is_allowed(name, source):
            return dropped(Flaw.BAD_EVENT_NAME)
        # "purchase" is a custom event at TikTok: allowed, counted, and of no use to a campaign.
        return kept(name, Flaw.CASE_DIFFERS) if by_case.get(name.lower(), name) != name else name

    return read
