"""What goes wrong with reads: the faults that only the Marketing API knows.

`page_shift` and `short_page` are what a list does while somebody reads it; `changed_type` and
`junk` are what no contract forbids; `truncated_file`, `stuck_task` and `failed_task` are what
reports in the background may come to. The conditions are those of every fault.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt

from relay.sandbox.conditions import Fault, Share


class LostAdvertiser(Fault):
    """40001 for calls that name an ad account (`advertiser_ids`: one of these); with `skip` or
    `after_s` it is lost in the middle of the work."""

    kind: Literal["lost_advertiser"] = "lost_advertiser"
    received: Literal[False] = False


class Junk(Fault):
    """Any JSON in place of the answer, or (`data_only`) in place of its `data`."""

    kind: Literal["junk"] = "junk"
    body: Any = None
    data_only: bool = False
    received: bool = False


class ClockSkew(Fault):
    """TikTok's clock is `seconds` ahead (below 0: behind) in its `Date` and `request_id`."""

    kind: Literal["clock_skew"] = "clock_skew"
    seconds: Annotated[float, Field(allow_inf_nan=False)]


class PageShift(Fault):
    """`rows` newest rows appear between the first page and the second of a list that has several.

    It fires when a second page is asked for: until then those rows were not there. Once for each
    of `count` reads; without one, in every read.
    """

    kind: Literal["page_shift"] = "page_shift"
    rows: PositiveInt = 1
    count: PositiveInt | None = 1


class ShortPage(Fault):
    """The last `missing` rows of a page are not there, though `page_info` counts them."""

    kind: Literal["short_page"] = "short_page"
    missing: PositiveInt = 1


class ChangedType(Fault):
    """One field comes as another type. `field` is a path within `data`, `*` is each of a list."""

    kind: Literal["changed_type"] = "changed_type"
    field: str
    to: Literal["number", "text", "null", "list", "object", "bool"] = "null"


class TruncatedFile(Fault):
    """A report's file ends after `share` of its bytes, and looks as if that were all."""

    kind: Literal["truncated_file"] = "truncated_file"
    share: Share = 0.5


class StuckTask(Fault):
    """A task that is created now never ends."""

    kind: Literal["stuck_task"] = "stuck_task"
    status: Literal["QUEUING", "PROCESSING"] = "PROCESSING"


class FailedTask(Fault):
    """A task that is created now fails."""

    kind: Literal["failed_task"] = "failed_task"
    message: str = "Internal service timed out. Please retry in sometime."


#: Asked when there is an answer that they can spoil.
Spoiling = ShortPage | ChangedType | TruncatedFile
#: Asked when a task is created.
Fate = StuckTask | FailedTask
