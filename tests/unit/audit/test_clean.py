"""A world in which nothing is wrong, and worlds that are as good."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from relay.audit.facts import Part
from relay.audit.findings import Severity, State
from tests.unit.audit.world import World


def test_a_clean_world_yields_nothing_above_info() -> None:
    audit = World().audit()

    assert [each for each in audit.findings if each.severity is not Severity.INFO] == []
    assert {each.state for each in audit.judgements} <= {
        State.PASSED, State.NOT_APPLICABLE, State.FOUND,
    }  # fmt: skip
    assert not audit.is_partial
