"""The thresholds: each with its default, its unit and its meaning."""

from __future__ import annotations

import ast
import inspect
from decimal import Decimal

import pytest
from pydantic import ValidationError

from relay.config import audit
from relay.config.audit import Thresholds


def test_every_threshold_says_what_it_means() -> None:
    (table,) = (
        node
        for node in ast.parse(inspect.getsource(audit)).body
        if isinstance(node, ast.ClassDef) and node.name == "Thresholds"
    )
    told = {
        ast.unparse(statement.target)
        for statement, text in zip(table.body, table.body[1:], strict=False)
        if isinstance(statement, ast.AnnAssign) and isinstance(text, ast.Expr)
    }

    assert told == set(Thresholds.model_fields)


def test_the_defaults_are_those_of_the_table_of_checks() -> None:
    limits = Thresholds()

    assert (limits.min_count, limits.sigma) == (20, 3.0)
    assert (limits.server_share_medium, limits.server_share_high) == (0.95, 0.80)
    assert (limits.overclaim, limits.underclaim) == (1.05, 0.7)
    assert (limits.target_cpa, limits.spend_without_conversion) == (None, Decimal(50))
    assert limits.changed_within == 48 * 3600
    assert limits.drop_history == 28 * 86_400


@pytest.mark.parametrize(
    "given",
    [
        {"min_count": -1},
        {"sigma": 0},
        {"sigma": float("nan")},
        {"worthless": 1.5},
        {"silence_history": "0s"},
        {"silence_history": 14},
        {"target_cpa": Decimal("inf")},
        {"no_such_threshold": 1},
    ],
)
def test_nonsense_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Thresholds.model_validate(given)


def test_durations_are_written_with_their_unit() -> None:
    assert Thresholds.model_validate({"settle": "90m"}).settle == 5400
