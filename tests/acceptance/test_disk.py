"""A full disk and a folder that goes away: 503 until it works again, nothing acknowledged lost."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

DISK_BYTES = 64 * 2**20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MiB of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    options = f"size={DISK_BYTES}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)], check=True)
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.mark.needs("mount")
async def test_a_full_disk_is_503_and_passes_by_itself(
    small_disk: Path, make_relay: Callable[..., Any], make_sender: Any
) -> None:
    relay = make_relay()
    (relay.folder / "journal").symlink_to(small_disk)
    await relay.up()
    sender = make_sender(relay)
    number = 0

    async def one_more() -> int | None:
        nonlocal number
        number += 1
        status: int | None = await sender.send(sender.make(f"order-{number}"))
        return status

    assert await one_more() == 202
    (small_disk / "filler").write_bytes(b"\0" * (DISK_BYTES - used(small_disk) - 2**19))

    async def is_refused() -> bool:
        return await one_more() == 503

    await sender.until(is_refused, 20, what="503 on a full disk")
    assert sender.retry_after >= 1
    assert not (await relay.api("/readyz")).get("ready") or await is_refused()
    (small_disk / "filler").unlink()

    async def is_accepted() -> bool:
        return await one_more() == 202

    await sender.until(is_accepted, 30, what="202 after space was freed")
    await relay.until_settled()
    assert sender.lacking() == []
    assert (await relay.metrics())["relay_conservation_gap"] == 0


def used(disk: Path) -> int:
    return sum(path.stat().st_size for path in disk.rglob("*") if path.is_file())


async def test_a_folder_that_goes_away_is_503_until_it_is_back(
    make_relay: Callable[..., Any], make_sender: Any
) -> None:
    """What is written into a deleted folder would be found by nobody."""
    relay = make_relay()
    await relay.up()
    sender = make_sender(relay)
    assert await sender.send(sender.make("before")) == 202
    await relay.until_settled()
    (relay.folder / "journal").rename(relay.folder / "elsewhere")
    number = 0

    async def answers(status: int) -> bool:
        nonlocal number
        number += 1
        answered: int | None = await sender.send(sender.make(f"order-{number}"))
        return answered == status

    await sender.until(lambda: answers(503), 20, what="503 without the folder")
    (relay.folder / "elsewhere").rename(relay.folder / "journal")
    await sender.until(lambda: answers(202), 30, what="202 with the folder back")
    await relay.until_settled()

    assert sender.lacking() == []
