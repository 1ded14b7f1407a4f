"""What is shown of a database's address, and said of its trouble: never a piece of a password."""

from __future__ import annotations

import socket

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.postgres.trouble import place_of, translate


@pytest.mark.parametrize(
    ("dsn", "place"),
    [
        ("postgresql://relay:hidden@db.example:5432/relay", "db.example:5432"),
        ("postgres://db.example/relay", "db.example"),
        ("postgresql://relay@one:1,two:2/relay?password=hidden", "one:1,two:2"),
        ("postgresql://relay:hidden@[::1]:5432/relay", "[::1]:5432"),
        ("postgresql:///relay?host=/run/postgresql&password=hidden", "/run/postgresql"),
        ("postgresql:///relay", ""),
        ("postgresql://relay:hid%40den@db/relay", "db"),
        ("postgresql://[bad/relay", ""),
        ("", ""),
    ],
)
def test_a_place_is_host_and_port(dsn: str, place: str) -> None:
    assert place_of(dsn) == place


@given(st.text(min_size=1))
def test_no_password_is_taken_for_a_place(password: str) -> None:
    """However it was (not) escaped."""
    secret = f"s3cr3t{password}s3cr3t"

    assert "s3cr3t" not in place_of(f"postgresql://relay:{secret}@db.example:5432/relay")
    assert "s3cr3t" not in place_of(f"postgresql://db.example/relay?password={secret}")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConnectionRefusedError(111, "…"), "PostgreSQL at db:1: nobody listens there; start it"),
        (socket.gaierror(-2, "…"), "PostgreSQL at db:1: no such host is known; correct it in"),
        (TimeoutError(), "PostgreSQL at db:1: it does not answer in time; is it up"),
        (ConnectionResetError(), "PostgreSQL at db:1: the connection was lost"),
        (ConnectionError("unexpected connection_lost() call"), "the connection was lost"),
        (OSError(113, "No route to host"), "PostgreSQL at db:1: no route to host"),
    ],
)
def test_trouble_names_the_place_and_the_mend(error: Exception, said: str) -> None:
    assert said in str(translate(error, "db:1"))


def test_an_address_that_is_none_may_have_a_password_that_was_not_escaped() -> None:
    """`/`, `?` and `#` move its parts, so that they are not seen."""
    told = str(translate(asyncpg.ClientConfigurationError("no port: hidden"), "db:1"))

    assert "this is no address of a database: write postgresql://user@host:port/name" in told
    assert "percent-encoded (%2F for /)" in told
    assert "hidden" not in told
