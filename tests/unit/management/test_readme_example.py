"""The README's example of the library is what it says: it runs, and gives what the account has."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

from relay.clock import SystemClock
from relay.sandbox.http import running
from relay.sandbox.settings import SandboxSettings

README = Path(__file__).parents[3] / "README.md"


def example() -> dict[str, Any]:
    text = README.read_text(encoding="utf-8").partition("### As a library")[2]
    found = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {}
    exec(compile(found[1], "README.md", "exec"), names)
    return names


async def test_the_example_lists_the_budgets_of_an_account() -> None:
    async with running(SandboxSettings(), SystemClock()) as sandbox:
        (account,) = sandbox.world.ads.advertisers.values()
        for campaign in account.campaigns.values():
            campaign.budget = Decimal("300.25")

        budgets = await example()["budgets"]("token", account.advertiser_id, sandbox.base_url)

    names = {each.campaign_name for each in account.campaigns.values()}
    assert budgets == dict.fromkeys(names, "300.25 EUR")
