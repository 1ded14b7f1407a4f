"""What the person allowed, and what follows from it.

TikTok has no field for consent, only `limited_data_use`, and knows that for web and app events. So
consent is ours: it decides before anything is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from relay.model import EventSource, FieldIssue, Reason
from relay.normalize.fields import Flaw, Flawed, kept, take
from relay.normalize.text import boolean
from relay.normalize.url import anonymous


class Consent(StrEnum):
    GRANTED = "granted"
    DENIED = "denied"
    UNKNOWN = "unknown"


class ConsentAction(StrEnum):
    """What to do with an event."""

    SEND = "send"
    SEND_LIMITED = "send_limited"  # with limited_data_use: true
    STRIP = "strip"  # without anything that identifies the person
    WITHHOLD = "withhold"


#: A sender that says nothing about consent asked for it elsewhere, or sends only where it has it:
#: withholding its events would make the relay useless until every sender is changed. A sender that
#: says no means no.
DEFAULTS: Final[Mapping[Consent, ConsentAction]] = {
    Consent.GRANTED: ConsentAction.SEND,
    Consent.UNKNOWN: ConsentAction.SEND,
    Consent.DENIED: ConsentAction.WITHHOLD,
}

#: Only events of these sources can be sent limited or anonymously: offline and CRM events are
#: nothing without their identifiers.
CAN_BE_LIMITED: Final = frozenset({EventSource.WEB, EventSource.APP})

_BY_WORD: Final = {consent.value: consent for consent in Consent} | {
    "true": Consent.GRANTED,
    "false": Consent.DENIED,
    "": Consent.UNKNOWN,
}


def read_consent(raw: object) -> Consent | Flawed:
    """What the sender says; words in any case, or a boolean.

    What cannot be read is read as denied: a refusal in other words must not become a sending.
    """
    if isinstance(raw, bool):
        return Consent.GRANTED if raw else Consent.DENIED
    word = raw.strip().lower() if isinstance(raw, str) and len(raw) <= 32 else None
    found = None if word is None else _BY_WORD.get(word)
    return kept(Consent.DENIED, Flaw.NOT_A_CONSENT) if found is None else found


class ConsentReader:
    """Decides what to do with an event, by what its sender says about consent."""

    def __init__(self, actions: Mapping[Consent, ConsentAction]) -> None:
        self._actions = {
            consent: _WITHHELD[consent] if action is ConsentAction.WITHHOLD else action
            for consent, action in actions.items()
        }
        self._unknown = self._actions[Consent.UNKNOWN]

    def decide(self, raw: object, issues: list[FieldIssue]) -> ConsentAction | Reason:
        """What to do, or why the event is withheld."""
        if raw is None:
            return self._unknown
        return self._actions[take(read_consent, raw, "consent", issues)]


_WITHHELD: Final = {
    Consent.DENIED: Reason.CONSENT_DENIED,
    Consent.UNKNOWN: Reason.CONSENT_UNKNOWN,
}


def limited_data_use(raw: object) -> bool | Flawed | None:
    """TikTok's `limited_data_use`; what cannot be read limits."""
    value = boolean(raw)
    return kept(True, Flaw.NOT_A_BOOLEAN) if isinstance(value, Flawed) else value


def limit(parts: dict[str, Any], action: ConsentAction) -> None:
    """Make the parts of an event what `action`, one that limits, allows to send."""
    if action is ConsentAction.SEND_LIMITED:
        parts["limited_data_use"] = True
        return
    # Click ids identify a person too, wherever they stand.
    parts.pop("user", None)
    if page := parts.get("page"):
        parts["page"] = {key: anonymous(url) for key, url in page.items()}
    if (ad := parts.get("ad")) and "callback" in ad:
        parts["ad"] = {key: value for key, value in ad.items() if key != "callback"}
        if not parts["ad"]:
            del parts["ad"]
