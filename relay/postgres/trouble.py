"""What asyncpg and the network raise, in the relay's words."""

from __future__ import annotations

import re
import socket
from typing import NoReturn
from urllib.parse import SplitResult, parse_qs, urlsplit

import asyncpg

from relay.errors import DatabaseRefused, DatabaseUnavailable
from relay.secrets import SecretUnavailable

#: A server that is gone, going, hanging or overrun, or a conflict: asking again helps.
_PASSING = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # it is shut down, or the session was ended
    asyncpg.InsufficientResourcesError,  # too many connections, disk full, out of memory
    asyncpg.TransactionRollbackError,  # deadlock, serialization failure
    asyncpg.LockNotAvailableError,
    asyncpg.ObjectNotInPrerequisiteStateError,  # connections are not allowed just now
    asyncpg.UndefinedTableError,  # a day's table that was dropped, or whose making was undone
    asyncpg.ReadOnlySQLTransactionError,  # a standby that is about to take over
    asyncpg.InternalServerError,
    asyncpg.InternalClientError,  # asyncpg lost its place, as when a server ends amid an answer
)

#: Somebody has to do something about it; the first kind that fits names it.
_REFUSED: dict[type[Exception], str] = {
    asyncpg.InvalidPasswordError: "the password is wrong, or the user does not exist: correct it",
    asyncpg.InvalidAuthorizationSpecificationError: (
        "the user may not connect: correct its name, or allow it in pg_hba.conf"
    ),
    asyncpg.InvalidCatalogNameError: "there is no such database: create it, or correct its name",
    asyncpg.InsufficientPrivilegeError: (
        "the user lacks a right: GRANT CREATE ON DATABASE … to it, or make the schema "
        "(journal.database_schema) and make the user its owner"
    ),
    asyncpg.ClientConfigurationError: (
        "this is no address of a database: write postgresql://user@host:port/name, and / @ ? # : "
        "in a password percent-encoded (%2F for /)"
    ),
    asyncpg.UnsupportedServerFeatureError: "the server is too old, or is none of PostgreSQL's",
    SecretUnavailable: "the secret cannot be read",
}

#: What is said of those that a person may have to mend; the first kind that fits.
_PASSING_WORDS: dict[type[Exception], str] = {
    TimeoutError: "it does not answer in time; is it up, and may this machine reach it?",
    ConnectionRefusedError: (
        "nobody listens there; start it, or correct host and port in journal.postgres"
    ),
    socket.gaierror: "no such host is known; correct it in journal.postgres, or the name service",
    FileNotFoundError: (
        "there is no such socket; start the server, or correct host in journal.postgres"
    ),
    ConnectionError: "the connection was lost",
}

#: Errors whose text may hold pieces of the address, so of its password.
_TELLTALE = (asyncpg.ClientConfigurationError, SecretUnavailable)

TROUBLE: tuple[type[Exception], ...] = (*_REFUSED, *_PASSING)


#: A host, or some with their ports, or the folder of a socket.
_PLACE = re.compile(r"[\w./:,\[\]-]+")


def place_of(dsn: str) -> str:
    """Host and port in an address, to be shown; "" where that is not sure to be no secret.

    A password with a `/` or `@` that was not escaped moves the parts of an address.
    """
    try:
        parts = urlsplit(dsn)
        found = _place(parts)
    except ValueError:
        return ""
    misplaced = dsn.count("@") > parts.netloc.count("@") or parts.netloc.count("@") > 1
    return "" if misplaced or not _PLACE.fullmatch(found) else found


def _place(parts: SplitResult) -> str:
    named = parts.netloc.rpartition("@")[2]
    return named or ",".join(parse_qs(parts.query).get("host", []))


def translate(error: Exception, place: str = "") -> DatabaseUnavailable:
    """Our error for one of `TROUBLE`, of a server at `place`. Mistakes in a program, like bad SQL,
    are none of these."""
    for kind, said in _REFUSED.items():
        if isinstance(error, kind):
            detail = f" ({error})" if isinstance(error, SecretUnavailable) else ""
            return DatabaseRefused(f"journal.postgres: {said}{detail}")
    return DatabaseUnavailable(f"PostgreSQL{f' at {place}' if place else ''}: {_word(error)}")


def throw(ours: DatabaseUnavailable, error: Exception) -> NoReturn:
    """Raise ours, with what led to it where that holds no secret."""
    raise ours from (None if isinstance(error, _TELLTALE) else error)


def _word(error: Exception) -> str:
    """What kind of trouble it is; the server's own text may quote a statement's values."""
    for kind, said in _PASSING_WORDS.items():
        if isinstance(error, kind):
            return said
    if isinstance(error, OSError):
        return (error.strerror or type(error).__name__).lower()
    return type(error).__name__
