"""The rules for a test that cannot wait for minutes, and what fires of them."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.servers.prometheus import PrometheusServer
from tests.watch.alert_cases import FILES, groups_of


def hurried() -> list[dict[str, Any]]:
    """All rules as they stand, but for how long something must hold before it is told."""
    return [
        {
            "groups": [
                {"name": name, "rules": [_at_once(rule) for rule in rules]}
                for name, rules in groups_of(file).items()
            ]
        }
        for file in FILES
    ]


def _at_once(rule: dict[str, Any]) -> dict[str, Any]:
    return {**rule, "for": "1s"} if "for" in rule else rule


async def firing(prometheus: PrometheusServer, name: str | None = None) -> list[dict[str, Any]]:
    """All alerts that fire, or those of one name."""
    found = await asyncio.to_thread(prometheus.ask, "alerts")
    return [
        each
        for each in found["alerts"]
        if each["state"] == "firing" and name in {None, each["labels"]["alertname"]}
    ]
