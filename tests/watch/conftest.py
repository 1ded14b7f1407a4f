"""The real relay and a sender, as the acceptance tests have them."""

from __future__ import annotations

from tests.acceptance.conftest import http, make_relay, make_sender, sandbox

__all__ = ["http", "make_relay", "make_sender", "sandbox"]
