"""How TikTok's Marketing API is asked: by which token, for which accounts, how often."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from relay.config.section import Section
from relay.config.values import SecretRef

#: An id of TikTok's: digits, and more than a float can hold.
AdvertiserId = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")]


class Management(Section):
    """Reading the ad account: what `relay login` asks for, and what the audit uses."""

    access_token: SecretRef | None = None
    """A token of TikTok's Marketing API: `env:NAME`, or `file:PATH` as `relay login` writes it."""

    app_id: AdvertiserId | None = None
    """Your app at TikTok, which people permit to read their accounts; for `relay login`."""

    app_secret: SecretRef | None = None
    """The app's secret; for `relay login`."""

    advertisers: tuple[AdvertiserId, ...] = ()
    """The ad accounts that are read; none: all that the token was given."""

    requests_per_second: Annotated[float, Field(gt=0, le=50)] = 8.0
    """Below TikTok's lowest level, which is 10 for all that share the app."""

    requests_per_minute: Annotated[int, Field(ge=1, le=3000)] = 480
    """Below TikTok's 600: who passes that is shut out for five minutes."""
