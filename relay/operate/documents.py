"""What the operator's listener answers, as JSON documents. Pure."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from relay.model import DeadLetter, Trace
from relay.operate.protocol import Health, NotesPage


def health(state: Health) -> Mapping[str, Any]:
    return {
        "status": "ok" if state.ok else "failing",
        "problems": list(state.problems),
        "notes": list(state.notes),
    }


def trace(found: Trace) -> Mapping[str, Any]:
    """An arrival with its attempts; `wire` is the JSON that TikTok gets, digests only."""
    document = asdict(found)
    document["wire"] = None if found.wire is None else found.wire.decode()
    document["errors"] = [issue._asdict() for issue in found.errors]
    return document


def dead_letter(letter: DeadLetter) -> Mapping[str, Any]:
    errors = [error._asdict() for error in letter.errors]
    wire = None if letter.wire is None else letter.wire.decode()
    return {**asdict(letter), "errors": errors, "wire": wire}


def notes(page: NotesPage) -> Mapping[str, Any]:
    """Values are bytes: base64."""
    found = [{"key": key, "value": b64encode(value).decode()} for key, value in page.notes.items()]
    return {"notes": found, "more": page.more}
