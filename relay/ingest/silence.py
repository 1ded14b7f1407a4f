"""What a shop's webhook is answered: a status, an empty body and no header that needs not be.

WooCommerce insists on exactly 200, BigCommerce asks for no body (their developer docs), and who
could not be verified is told nothing. Pure.
"""

from __future__ import annotations

from typing import Final

from relay.ingest.answers import Answer, Result, head, refusal_head
from relay.ingest.refusals import Refused

_OK: Final = Answer(200, head(200))


class Silent:
    """The words of `/webhooks/{source}`: none."""

    def taken(self, result: Result) -> Answer:
        """200 for all that was understood: stored, repeated, ignored, invalid, a greeting."""
        return _OK

    def refused(self, refused: Refused) -> Answer:
        return Answer(refused.status, refusal_head(refused, refused.status))


SILENT: Final = Silent()
