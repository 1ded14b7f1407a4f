"""The visitor's address and browser."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relay.normalize import network
from relay.normalize.fields import Flaw, Flawed, dropped

DOCUMENTATION = [
    ip_network(net)
    for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20")
]
EDGES = [
    address
    for net in network.NOT_PUBLIC
    for address in (
        int(net.network_address) - 1,
        int(net.network_address),
        int(net.broadcast_address),
        int(net.broadcast_address) + 1,
    )
    if 0 <= address < 2**32
]
ADDRESSES = st.one_of(
    st.integers(0, 2**32 - 1).map(IPv4Address),
    st.sampled_from(EDGES).map(IPv4Address),
    st.integers(0, 2**128 - 1).map(IPv6Address),
    st.integers(0x2000 << 112, (0x4000 << 112) - 1).map(IPv6Address),
    st.integers(0x2001 << 112, (0x2003 << 112) - 1).map(IPv6Address),
    st.integers(0x20010000 << 96, (0x20010400 << 96) - 1).map(IPv6Address),
)


@given(ADDRESSES)
def test_an_address_is_sent_when_it_is_public(address: IPv4Address | IPv6Address) -> None:
    expected = str(address) if network.is_public(address) else dropped(Flaw.NOT_PUBLIC)
    spelled = [str(address), address.exploded]

    assert network.ip(spelled[0]) == expected
    if isinstance(expected, str):
        assert ip_address(network.ip(spelled[1])) == address  # type: ignore[arg-type]  # it is text
    elif not getattr(address, "ipv4_mapped", None):
        assert network.ip(spelled[1]) == expected


@given(ADDRESSES)
def test_no_address_is_public_that_the_library_calls_private(
    address: IPv4Address | IPv6Address,
) -> None:
    if network.is_public(address):
        assert address.is_global or any(address in net for net in DOCUMENTATION)
        assert not address.is_multicast
        assert not address.is_loopback


@given(
    st.one_of(
        st.text("0123456789.", max_size=20), st.text("0123456789abcdef:.", max_size=40), st.text()
    )
)
@example("1.2.3.4\n")
@example("01.2.3.4")
@example("256.1.1.1")
@example("2001:db8:1:2:3:4:5:6:7")
def test_text_is_an_address_when_the_library_says_so(text: str) -> None:
    read = network.ip(text)

    if isinstance(read, str) and read == text:
        assert network.is_public(ip_address(read))


@pytest.mark.parametrize(
    ("raw", "sent"),
    [
        ("203.0.113.10", "203.0.113.10"),
        (" 203.0.113.10 ", "203.0.113.10"),
        ("10.0.0.1, 203.0.113.10, 198.51.100.7", "203.0.113.10"),
        ("unknown, 203.0.113.10", "203.0.113.10"),
        ("203.0.113.10:51234", "203.0.113.10"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("::ffff:203.0.113.10", "203.0.113.10"),
        ("2001:0DB8::1", "2001:db8::1"),
        ("2001:db8:1111:a:b0::200", "2001:db8:1111:a:b0::200"),
        ("2a00:20:3041:1234:5678:9abc:def0:1234", "2a00:20:3041:1234:5678:9abc:def0:1234"),
    ],
)
def test_the_first_public_address_is_sent(raw: str, sent: str) -> None:
    assert network.ip(raw) == sent


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("10.0.0.1", Flaw.NOT_PUBLIC),
        ("192.168.0.1, 127.0.0.1", Flaw.NOT_PUBLIC),
        ("::1", Flaw.NOT_PUBLIC),
        ("fe80::1%eth0", Flaw.NOT_PUBLIC),
        ("::ffff:10.0.0.1", Flaw.NOT_PUBLIC),
        ("2002:a00:1:1:1:1:1:1", Flaw.NOT_PUBLIC),
        ("2001:0:1:1:1:1:1:1", Flaw.NOT_PUBLIC),
        ("123.456.789.1", Flaw.NOT_AN_IP),
        ("shop.example", Flaw.NOT_AN_IP),
        (7, Flaw.NOT_AN_IP),
        ("1.2.3.4," * 1000, Flaw.TOO_LONG),
    ],
)
def test_what_is_no_address_of_a_visitor_is_dropped(raw: object, why: Flaw) -> None:
    assert network.ip(raw) == dropped(why)


def test_no_text_is_no_address() -> None:
    assert network.ip("") is None
    assert network.ip(" ") is None


def test_a_user_agent_is_sent_as_it_is() -> None:
    assert network.user_agent(" Mozilla/5.0 (iPhone) ") == "Mozilla/5.0 (iPhone)"
    assert network.user_agent("Mozillä\u2028\ud800/5") == "Mozillä\u2028 /5"
    assert network.user_agent(" ") is None
    assert network.user_agent(5) == dropped(Flaw.NOT_TEXT)


def test_a_long_user_agent_is_cut() -> None:
    read = network.user_agent("Mozilla " + "x" * 600)

    assert isinstance(read, Flawed)
    assert read == Flawed("Mozilla " + "x" * 504, (("", Flaw.SHORTENED),))
