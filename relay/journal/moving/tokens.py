"""What an arrival is found by: its ids, and the digests in its body. Pure.

The journal keeps checksums of these, not the words, so they are read from the event once more; that
is what `find` compares with in the end.
"""

from __future__ import annotations

import re
from typing import Final

_DIGEST: Final = re.compile(rb'"([0-9a-f]{64})"')


def tokens_of(event_id: str | None, order_id: str | None, body: bytes | None) -> list[bytes]:
    """Each once; `body` is the event as TikTok gets it."""
    ids = [each.encode() for each in (event_id, order_id) if each]
    return list(dict.fromkeys([*ids, *_DIGEST.findall(body or b"")]))
