"""How the Marketing API is set up: the apps it knows, and how much they may ask.

Published figures are the defaults: 10 calls a second and 600 a minute for an app of the lowest
level, five minutes' rest after too many in a minute; one task a second, 500 an hour for each ad
account, 4500 a day; 20 000 ids in a report. 0 means without limit.
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, SecretStr

Rate = Annotated[float, Field(ge=0, allow_inf_nan=False)]

DAY_S: Final = 86_400.0

#: Ids of permissions: reading ad accounts, reports, ads, pixels, measurement.
SCOPES: Final = (100, 44, 2, 8, 5)


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class AppRule(_Settings):
    """A developer's app. TikTok sends people back to registered addresses only; `any_loopback`
    registers every port of this machine. `advertiser_ids` None: whoever consents has them all."""

    app_id: str
    secret: SecretStr
    redirect_uris: tuple[str, ...] = ()
    any_loopback: bool = False
    scopes: tuple[int, ...] = SCOPES
    advertiser_ids: frozenset[str] | None = None


#: For trying `relay login` against the stand-in.
TRIAL_APP: Final = AppRule(
    app_id="7336580000000000001", secret=SecretStr("sandbox-secret"), any_loopback=True
)


class MarketingSettings(_Settings):
    """`auto_approve`: the page of consent sends people back at once.

    `unknown_parameters`: are parameters refused that no document names? What TikTok does is not
    known; a misspelt filter that is ignored is the worse of the two.

    `repeats_reports` is for measuring: a report that is asked for again is the one that was made,
    for as long as its pages are kept. Making a big one holds up every other answer.
    """

    apps: Annotated[tuple[AppRule, ...], Field(min_length=1)] = (TRIAL_APP,)
    auto_approve: bool = False
    unknown_parameters: bool = False
    repeats_reports: bool = False

    calls_per_second: NonNegativeInt = 10
    calls_per_minute: NonNegativeInt = 600
    restricted_s: Rate = 300.0

    tasks_per_second: NonNegativeInt = 1
    tasks_per_account_hour: NonNegativeInt = 500
    tasks_per_day: NonNegativeInt = 4_500
    task_queue_s: Rate = 1.0
    task_run_s: Rate = 4.0
    task_valid_s: Rate = 30 * DAY_S
    file_valid_s: Rate = 3_600.0
    keep_tasks: PositiveInt = 10_000

    most_ids: PositiveInt = 20_000
    extra_metrics: frozenset[str] = frozenset()
    keep_report_bytes: PositiveInt = 256 * 1024 * 1024
