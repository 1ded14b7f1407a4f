"""The visitor's address and browser: TikTok wants the public IP address and the raw user agent."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from relay.normalize.fields import Flaw, Flawed, dropped, kept, words
from relay.normalize.text import clean

#: What is not a visitor's address on the internet (IANA special-purpose registries). Documentation
#: ranges are left in: they look and travel like public ones, and only examples hold them.
NOT_PUBLIC: Final = tuple(
    ip_network(block)
    for block in words(
        """
        0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
        192.168.0.0/16 198.18.0.0/15 224.0.0.0/4 240.0.0.0/4
        ::/3 2001::/23 2002::/16 4000::/2 8000::/1
        """
    )
)

#: Exactly the IPv4 addresses outside NOT_PUBLIC, in plain notation.
_PUBLIC_IPV4: Final = re.compile(
    r"""
    (?! 0\. | 10\. | 127\. | 169\.254\. | 172\.(?:1[6-9]|2[0-9]|3[01])\. | 192\.(?:0\.0|168)\.
      | 100\.(?:6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\. | 198\.1[89]\.
      | 22[4-9]\. | 2[345][0-9]\. )
    (?: (?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9]) \. ){3}
    (?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9]) \Z
    """,
    re.VERBOSE,
).match
#: IPv6 as most devices write it: all eight groups, no special block.
_PUBLIC_IPV6: Final = re.compile(
    r"(?!2001:0?[01]?[0-9a-f]{0,2}:|2002:)[23][0-9a-f]{3}(?::[0-9a-f]{1,4}){7}\Z", re.IGNORECASE
).match
_WITH_PORT: Final = re.compile(
    r"([0-9.]{7,15}):[0-9]{1,5}\Z|\[([^\[\]]+)\](?::[0-9]{1,5})?\Z"
).match
#: The longest list of proxies that is searched for a public address.
_MAX_LIST: Final = 1024
_MAX_USER_AGENT: Final = 512


def ip(raw: object) -> str | Flawed | None:
    """The first public address in `raw`: one address, or a list as in `X-Forwarded-For`."""
    if not isinstance(raw, str):
        return dropped(Flaw.NOT_AN_IP)
    if _PUBLIC_IPV4(raw) or _PUBLIC_IPV6(raw):
        return raw
    if len(raw) > _MAX_LIST:
        return dropped(Flaw.TOO_LONG)
    if not raw or raw.isspace():
        return None
    return _first_public(raw)


def _first_public(raw: str) -> str | Flawed:
    flaw = Flaw.NOT_AN_IP
    for part in raw.split(","):
        text = part.strip()
        if found := _WITH_PORT(text):
            text = found[1] or found[2]
        try:
            address = ip_address(text)
        except ValueError:
            continue
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        if is_public(address):
            return str(address)
        flaw = Flaw.NOT_PUBLIC
    return dropped(flaw)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    return not any(address in network for network in NOT_PUBLIC)


def user_agent(raw: object) -> str | Flawed | None:
    """The raw string TikTok wants: trimmed, at most 512 characters."""
    if not isinstance(raw, str):
        return dropped(Flaw.NOT_TEXT)
    text = raw.strip()
    if len(text) > _MAX_USER_AGENT:
        return kept(clean(text[:_MAX_USER_AGENT]), Flaw.SHORTENED)
    if not text.isascii():
        text = clean(text)
    return text or None
