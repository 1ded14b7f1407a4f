"""Which event source takes what: the one table.

Source: TikTok docs, Events API 2.0 ("Report App, Web, Offline, or CRM Events") for everything but
names and address, which come from its page "Parameters", and `device`, which no page has, but
TikTok's own Tag Manager template sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from relay.model import EventSource
from relay.normalize.fields import words

_NAMES_AND_ADDRESS: Final = frozenset(
    {"first_name", "last_name", "zip_code", "city", "state", "country"}
)
_EMAIL_AND_PHONE: Final = frozenset({"email", "phone"})


class Requirements(NamedTuple):
    """What an event of one source has.

    `user`: the fields of `user` that are listed for it. `objects`: the objects beside `user` and
    `properties` that are. `ad`: the fields of `ad` that are. `needed`: an event without any of
    these paths is refused. `wanted`: TikTok calls this required, but its own examples lack it
    (`page` of web events): it is missed, not refused.
    """

    user: frozenset[str]
    objects: frozenset[str]
    ad: frozenset[str] = frozenset()
    needed: tuple[str, ...] = ()
    wanted: tuple[str, ...] = ()


_AD_OF_APP: Final = words(
    """
    callback campaign_id ad_id creative_id is_retargeting attributed attribution_type
    attribution_provider attribution_share
    """
)

REQUIREMENTS: Final[Mapping[EventSource, Requirements]] = {
    EventSource.WEB: Requirements(
        user=_EMAIL_AND_PHONE
        | _NAMES_AND_ADDRESS
        | {"external_id", "ttclid", "ttp", "ip", "user_agent", "locale"},
        objects=frozenset({"page", "ad", "device"}),
        ad=frozenset({"attribution_share"}),
        wanted=("page.url",),
    ),
    EventSource.APP: Requirements(
        user=_EMAIL_AND_PHONE
        | _NAMES_AND_ADDRESS
        | {"ip", "user_agent", "idfa", "idfv", "gaid", "locale", "att_status"},
        objects=frozenset({"app", "ad"}),
        ad=_AD_OF_APP,
        needed=("app.app_id",),
    ),
    EventSource.OFFLINE: Requirements(
        user=_EMAIL_AND_PHONE,
        objects=frozenset(),
        needed=("user.email", "user.phone"),
    ),
    EventSource.CRM: Requirements(
        user=_EMAIL_AND_PHONE | _NAMES_AND_ADDRESS | {"external_id", "lead_id"},
        objects=frozenset({"lead"}),
        needed=("lead.lead_id",),
    ),
}
