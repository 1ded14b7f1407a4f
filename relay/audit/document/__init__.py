"""The audit as JSON, described by `schemas/audit.schema.json`. Pure.

Money is a decimal string in the account's currency, a time is ISO 8601 with its offset, a day is
`YYYY-MM-DD`. null says that nothing can be said: never 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from relay.audit.document.sections import audit_said
from relay.audit.document.types import AuditDocument, schema
from relay.audit.findings import Audit

__all__ = ["FORMAT", "document", "schema"]

#: Grows when a reader of the document has to change.
FORMAT: Final = 1


def document(audits: Sequence[Audit], *, version: str, made_at: float) -> dict[str, Any]:
    """`version` is the relay's, `made_at` in Unix seconds."""
    made: AuditDocument = {
        "format": FORMAT,
        "version": version,
        "made_at": datetime.fromtimestamp(made_at, UTC).isoformat(),
        "audits": [audit_said(audit) for audit in audits],
    }
    return dict(made)
