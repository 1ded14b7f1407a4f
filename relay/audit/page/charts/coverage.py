"""How many events carried what TikTok can match a person by. Pure."""

from __future__ import annotations

from decimal import Decimal

from relay.audit.page.charts.drawing import WIDTH, Scale, picture, rectangle, words
from relay.audit.page.markup import Child, Markup
from relay.audit.summary import Coverage
from relay.audit.wording import plain, share

_LEFT, _RIGHT, _ROW = 110.0, 62.0, 26.0

#: What people call the keys.
NAMES = {
    "ttclid": "click id",
    "email": "e-mail",
    "phone": "phone",
    "external_id": "external id",
    "ttp": "browser cookie",
    "ip": "IP address",
    "user_agent": "user agent",
    "idfa": "IDFA",
    "gaid": "GAID",
    "lead_id": "lead id",
}


def key_name(key: str) -> str:
    return NAMES.get(key, plain(key, 20))


def coverage(each: Coverage) -> Markup:
    """A bar for each key, of all that was delivered."""
    scale = Scale(Decimal(each.delivered), WIDTH - _LEFT - _RIGHT)
    marks: list[Child] = []
    for index, (key, number) in enumerate(each.keys.items()):
        y, said = index * _ROW, share(number, each.delivered)
        marks += [
            words(0, y + 16, key_name(key)),
            rectangle(_LEFT, y + 4, scale.length, 16, "track"),
            rectangle(
                _LEFT, y + 4, scale.of(min(number, each.delivered)), 16, "delivered",
                f"{key_name(key)}: {number:,} of {each.delivered:,}",
            ),
            words(WIDTH, y + 16, said, "end strong"),
        ]  # fmt: skip
    said = "; ".join(
        f"{key_name(key)} {share(number, each.delivered)}" for key, number in each.keys.items()
    )
    title = f"Match keys of {plain(each.channel.label)}"
    return picture(title, said, len(each.keys) * _ROW + 4, *marks)
