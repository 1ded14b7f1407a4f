"""The choices of one destination: what an operator may decide about its events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from relay.errors import Mistake
from relay.model import EventSource
from relay.normalize.consent import CAN_BE_LIMITED, DEFAULTS, Consent, ConsentAction
from relay.normalize.countries import country_code
from relay.normalize.names import alias_mistakes
from relay.normalize.url import page_url

_DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Policy:
    """How the conversions for one destination become events.

    destination, event_source       its name; which of TikTok's four kinds of event it takes
    default_country                 alpha-2; whose national phone numbers are understood when the
                                    conversion names no country
    cn_phone_without_country_code   hash Chinese numbers without +86 (TikTok's sources disagree)
    hash_idfa, hash_gaid            send advertising ids as SHA-256 instead of raw
    keep_unlisted_identifiers       send identifiers that TikTok does not list for this event source
                                    (offline takes e-mail and phone only) instead of dropping them
    aliases                         event name → name to send; on top of the defaults, a name that
                                    stands for itself switches its default off
    consent                         what to do with granted, denied and unknown consent; on top of
                                    the defaults (send, withhold, send)
    page_url                        for web events that come without `page.url`
    max_event_age_s                 older events are expired: TikTok attributes at most 28 days back
    max_future_s                    a clock that runs ahead by this much is set right; more is
                                    refused
    without_match_key               what to do with an event that TikTok can match to no one
    max_event_bytes                 a larger event is refused: one request has to hold it
    """

    destination: str
    event_source: EventSource
    default_country: str | None = None
    cn_phone_without_country_code: bool = False
    hash_idfa: bool = False
    hash_gaid: bool = False
    keep_unlisted_identifiers: bool = False
    aliases: Mapping[str, str] = field(default_factory=dict)
    consent: Mapping[Consent, ConsentAction] = field(default_factory=dict)
    page_url: str | None = None
    max_event_age_s: float = 28 * _DAY_S
    max_future_s: float = 600.0
    without_match_key: Literal["send", "withhold"] = "send"
    max_event_bytes: int = 256 * 1024

    def actions(self) -> Mapping[Consent, ConsentAction]:
        """What to do for each consent, defaults included."""
        return {**DEFAULTS, **self.consent}

    def mistakes(self) -> Iterator[Mistake]:
        """Every mistake in this policy; keys are relative to the destination."""
        if self.default_country is not None and country_code(self.default_country) is None:
            yield Mistake(
                "default_country", "is no country", "Use a code of two letters, for example DE"
            )
        if self.page_url is not None and not isinstance(page_url(self.page_url), str):
            yield Mistake(
                "page_url",
                "is no http(s) URL that can be sent as it is",
                "Use a full URL without personal data, for example https://shop.example/",
            )
        yield from self._consent_mistakes()
        yield from alias_mistakes(self.event_source, self.aliases)
        for key in ("max_event_age_s", "max_event_bytes"):
            if getattr(self, key) <= 0:
                yield Mistake(key, "is not positive", "Use a positive number")
        if self.max_future_s < 0:
            yield Mistake("max_future_s", "is negative", "Use zero or a positive number")

    def _consent_mistakes(self) -> Iterator[Mistake]:
        limiting = (ConsentAction.SEND_LIMITED, ConsentAction.STRIP)
        for consent, action in self.actions().items():
            if action in limiting and self.event_source not in CAN_BE_LIMITED:
                yield Mistake(
                    f"consent.{consent.value}",
                    f"{action.value} works for web and app events only",
                    "Use send or withhold",
                )
        if self.actions()[Consent.GRANTED] is ConsentAction.WITHHOLD:
            yield Mistake(
                "consent.granted",
                "withhold would send nothing of those who agreed",
                "Use send, send_limited or strip",
            )
