"""The steps of the Dockerfile, performed without an engine: build in an empty folder, measure, and
run what would ship as nobody on a read-only file system."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from relay.sandbox.http import Running
from tests.acceptance.conftest import KEY, RelayProcess, an_event, until
from tests.image.dockerfile import stages

ROOT = Path(__file__).parents[2]
BUILD, SHIPPED = stages(ROOT / "Dockerfile")

MOST_BYTES = 150 * 10**6

#: Everything is read-only but the journal's folder; `/tmp` is empty and small.
_READ_ONLY = """
mount --bind "$JOURNAL" "$JOURNAL"
mount --make-rprivate /
mount -o remount,bind,ro /
exec setpriv --reuid={user} --regid={group} --clear-groups --no-new-privs --bounding-set=-all \
    --inh-caps=-all -- "$@"
"""


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What `COPY --from=build` takes over, made of what the Dockerfile copies, by its own step."""
    context = tmp_path_factory.mktemp("context")
    for copy in BUILD.all("COPY"):
        *sources, _ = copy.words
        for name in sources:
            _copy(ROOT / name, context / name)
    made = tmp_path_factory.mktemp("image") / "relay"
    _let_others_pass(made.parent)
    script, _ = BUILD.one("RUN").words
    path = f"{Path(sys.base_prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        [script, made], cwd=context, check=True, env={**os.environ, "PATH": path}, timeout=500
    )
    yield made
    shutil.rmtree(made, ignore_errors=True)


def _let_others_pass(folder: Path) -> None:
    """Nobody has to find the way to what a test made in a folder of root's."""
    for each in (folder, *folder.parents):
        mode = each.stat().st_mode
        if mode & 0o055 != 0o055:
            each.chmod(mode | 0o055)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy2(source, target)


def test_it_is_small_and_holds_no_tools(prefix: Path) -> None:
    files = [each for each in prefix.rglob("*") if each.is_file() and not each.is_symlink()]
    names = {each.name for each in prefix.rglob("site-packages/*")}

    assert sum(each.stat().st_size for each in files) <= MOST_BYTES
    assert not names & {"pip", "setuptools", "wheel", "hatchling", "editables", "pytest", "tests"}
    assert "relay" in names
    assert not [each for each in files if each.suffix in {".c", ".h", ".pyx", ".whl", ".gz"}]


def test_what_it_holds_is_what_the_lock_names(prefix: Path) -> None:
    lock = (ROOT / "requirements.lock").read_text()
    for found in prefix.rglob("site-packages/*.dist-info"):
        name, _, version = found.name.removesuffix(".dist-info").rpartition("-")
        pinned = f"{name.lower().replace('_', '-')}=={version}"
        assert pinned in lock or name == "tiktok_conversions_relay", pinned


class Container(RelayProcess):
    """A relay of the image, as its Dockerfile starts it."""

    prefix: Path

    def command(self, *words: str) -> list[str]:
        user, group = SHIPPED.one("USER").rest.split(":")
        program = [str(self.prefix / "bin" / words[0]), *words[1:]]
        alone = ["unshare", "--mount", "sh", "-ec", _READ_ONLY.format(user=user, group=group)]
        return [*alone, "sh", *program]

    def begin(self) -> None:
        """Start it without waiting until it is ready."""
        self.write_config()
        journal = self.folder / "journal"
        journal.mkdir(exist_ok=True)
        os.chown(journal, *map(int, SHIPPED.one("USER").rest.split(":")))
        words = SHIPPED.one("ENTRYPOINT").words + SHIPPED.one("CMD").words
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command(*words), stdout=log, stderr=log, env=self.environment,
                cwd=journal, start_new_session=True,
            )  # fmt: skip

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.prefix}/bin:/usr/bin:/bin",
            "JOURNAL": str(self.folder / "journal"),
            "RELAY_CONFIG": str(self.config),
            "RELAY_KEY": KEY,
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    async def health(self) -> int:
        """The exit code of the Dockerfile's own check."""
        _, words = SHIPPED.one("HEALTHCHECK").rest.split("CMD ")
        done = await asyncio.to_thread(
            subprocess.run, self.command(*orjson.loads(words)),
            env=self.environment, cwd=self.folder, capture_output=True, check=False, timeout=30,
        )  # fmt: skip
        return done.returncode


@pytest.fixture
async def container(prefix: Path, tmp_path: Path, sandbox: Running) -> AsyncIterator[Container]:
    _let_others_pass(tmp_path)
    made = Container(tmp_path, sandbox.base_url)
    made.prefix = prefix
    yield made
    if made.process is not None:
        made.kill()


@pytest.mark.needs("mount")
async def test_nobody_runs_it_read_only_until_it_is_told_to_leave(
    container: Any, sandbox: Running
) -> None:
    container.write_config()
    (container.folder / "journal").mkdir()
    assert await container.health() == 1
    container.begin()
    await container.ready()

    assert await container.health() == 0
    headers = {"Authorization": f"Bearer {KEY}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        url = container.url + "/v1/events"
        async with http.post(url, json=[an_event("order-1")]) as answer:
            assert answer.status == 202
    await until(lambda: sandbox.world.received.totals.effects == 1, what="the event to arrive")
    assert {each.stat().st_uid for each in (container.folder / "journal").rglob("*")} == {65532}

    os.kill(container.process.pid, signal.SIGTERM)
    assert await container.ended() == 0
    assert "service.stopped" in container.log
