"""What TikTok says beside an answer. A notice that is `incomplete` means: not everything is
here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class NoticeKind(StrEnum):
    """A closed list, for whoever decides by it."""

    IDS_CUT = "ids_cut"  # more than 20,000 ids: only the newest are in the answer
    SEARCH_ADS_CUT = "search_ads_cut"  # `extra_info.search_ads_throttle`
    UV_MISSING = "uv_missing"  # `extra_info.uv_invalid`: reach and the like are missing for now
    PARTIAL = "partial"  # code 20001: some items failed
    MASKED = "masked"  # `<5`: a number too small to be told
    READ_AGAIN = "read_again"  # the list changed under the reader; the last reading is proven
    NARROWED = "narrowed"  # a report timed out and was asked for in parts
    CHOSEN = "chosen"  # how a report is read, and why
    DELETED_UNKNOWN = "deleted_unknown"  # a task cannot be told to include deleted objects
    NO_FINAL_NEWLINE = "no_final_newline"  # a file that may have lost its end
    NO_TOTAL = "no_total"  # a list without `page_info`: nothing to count the rows against


@dataclass(frozen=True, slots=True)
class Notice:
    """`text` is a sentence of ours; of TikTok's words only what is short and nobody's data."""

    kind: NoticeKind
    endpoint: str
    text: str
    incomplete: bool


#: Who is told of every notice as it comes.
OnNotice = Callable[[Notice], None]


def nobody(_notice: Notice) -> None:
    """For those who read the notices of a listing afterwards."""
