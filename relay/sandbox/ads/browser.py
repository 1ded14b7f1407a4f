"""What the shop's pixel reports from people's browsers, as it reaches TikTok."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from relay.sandbox.ads import chance
from relay.sandbox.ads.arrivals import Arrived, Channel, code_of
from relay.sandbox.ads.money import minor_units
from relay.sandbox.ads.person import Person, Step
from relay.sandbox.ads.plan import WorldPlan

#: From the event to TikTok.
DELAY_S: Final = 1.5


class Browser:
    def __init__(self, plan: WorldPlan, pixel_code: str) -> None:
        self._plan = plan
        self._pixel_code = pixel_code
        self._unit = minor_units(plan.money)
        self._other_id = chance.Meter(plan.quirks.browser_other_id_share)

    def reports(self, person: Person) -> Iterator[tuple[float, Arrived]]:
        """Each event with the time at which TikTok has it."""
        if person.blocks or person.denies or self._plan.quirks.browser_silent:
            return
        # Digests that TikTok cannot know would be worked out for nothing.
        keys = tuple(person.keys()) if person.is_known else (person.ttp,)
        for step in person.steps:
            code, is_custom = code_of(step.event)
            yield (
                step.at + DELAY_S,
                Arrived(
                    self._pixel_code,
                    code,
                    is_custom,
                    step.at,
                    self._id(step),
                    step.value / self._unit * self._plan.quirks.browser_value_factor,
                    self._plan.money,
                    person.ttclid,
                    keys if step.order_id or person.knows_contact else keys[:1],
                    Channel.BROWSER,
                ),
            )

    def _id(self, step: Step) -> str:
        if step.order_id is not None and self._other_id.picks(step.event):
            return f"web-{step.event_id}"
        return step.event_id
