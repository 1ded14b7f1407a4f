"""The project's own promises: what is locked, what is shipped, what is never written down."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

#: Files of a stage that do I/O are named after what they talk to.
#: `distributed` is Kafka and PostgreSQL together.
TECHNOLOGIES = {"http", "rocksdb", "kafka", "postgres", "distributed"}

STAGES = (
    "batch", "deliver", "ingest", "journal", "management", "normalize", "operate", "sandbox",
    "sources",
)  # fmt: skip


def tracked_files() -> Iterator[Path]:
    """Everything that belongs to the project: what is not ignored."""
    ignored = {".git", ".venv", "dist", "relay-data", "demo-data"}
    for folder, names, files in os.walk(ROOT):
        names[:] = [
            name
            for name in names
            if name not in ignored and not name.endswith(("cache", "cache__", ".hypothesis"))
        ]
        yield from (Path(folder, file) for file in files)


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_every_locked_package_carries_hashes_and_no_index_is_named(name: str) -> None:
    text = (ROOT / name).read_text()

    packages = re.split(r"\n(?=\S)", text.strip())
    assert len(packages) > 20
    for package in packages:
        assert re.match(r"[a-z0-9-]+==\S+ .*\\\n +--hash=sha256:[0-9a-f]{64}", package), package
    assert "://" not in text
    assert "/" not in text


def test_what_runs_is_tested_in_the_same_versions() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^(\S+==\S+)", (ROOT / name).read_text(), re.MULTILINE))

    assert pins("requirements.lock") <= pins("requirements-dev.lock")


def test_the_lock_has_every_dependency_that_the_project_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    locked = (ROOT / "requirements-dev.lock").read_text()

    groups = project["dependency-groups"]
    for requirement in (*project["project"]["dependencies"], *groups["dev"], *groups["build"]):
        name = re.split(r"[^A-Za-z0-9-]", requirement)[0]
        assert re.search(rf"^{name}==", locked, re.MULTILINE), name


@pytest.mark.parametrize("folder", ["relay", "tests"])
def test_what_is_imported_is_a_dependency_and_not_somebody_else_s(folder: str) -> None:
    """What another package happens to bring may be gone with its next version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    always = names_of(project["project"]["dependencies"])
    extra = names_of(project["project"]["optional-dependencies"]["traces"])
    working = always | extra | names_of(project["dependency-groups"]["dev"])

    missing = {
        f"{module} in {path.relative_to(ROOT)}"
        for path in (ROOT / folder).rglob("*.py")
        for module in imported(path) - sys.stdlib_module_names - {"relay", "tests", "__future__"}
        if not (working if is_for_work(path) else always | extra if needs_extra(path) else always)
        & set(DISTRIBUTIONS.get(module, ()))
    }

    assert missing == set()


def names_of(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9-]", each)[0] for each in requirements}


def is_for_work(path: Path) -> bool:
    """Whether it runs where the project is worked on only: tests, and what writes the chart."""
    return any(path.is_relative_to(ROOT / each) for each in ("tests", "relay/contracts/chart"))


def needs_extra(path: Path) -> bool:
    """Whether it is imported only where the extra `traces` was found to be installed."""
    return path.relative_to(ROOT).as_posix() in EXTRA


EXTRA = {f"relay/traces/{name}.py" for name in ("http", "otlp", "readable")}

DISTRIBUTIONS = {
    module: [name.lower().replace("_", "-") for name in distributions]
    for module, distributions in packages_distributions().items()
}


def imported(path: Path) -> set[str]:
    """The top-level packages that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def test_no_file_names_a_package_index_or_a_folder_of_somebody_s_machine() -> None:
    """A lock, a script or a test that does works on one machine only."""
    index = re.compile(rb"pypi\.(?:org|python)|pythonhosted|artifactory|/simple/|index-url\s*=")
    folder = re.compile(rb"(?<![\w.])/(?:root|home/[a-z]+|Users/[A-Za-z]+|work)/")

    found = [
        path.relative_to(ROOT)
        for path in tracked_files()
        if path != Path(__file__)
        and (index.search(content := path.read_bytes()) or folder.search(content))
    ]

    assert found == []


def test_every_deciding_file_of_a_stage_is_held_to_decide_only() -> None:
    """`pyproject.toml` lists the files that may not wait, ask the time, roll dice or log."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (listed,) = (
        each["source_modules"] for each in contracts["contracts"] if "source_modules" in each
    )

    def is_listed(module: str) -> bool:
        return any(
            module == name or (name.endswith(".**") and f"{module}.".startswith(name[:-2]))
            for name in listed
        )

    stage_files = [
        path
        for stage in STAGES
        for path in (ROOT / "relay" / stage).rglob("*.py")
        if path.name != "__init__.py"
        and not TECHNOLOGIES & {path.stem, *path.relative_to(ROOT).parts}
    ]
    modules = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in stage_files]

    assert [module for module in modules if not is_listed(module)] == []


def test_the_wheel_brings_the_schemas_and_nothing_of_the_tests(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)

    (wheel,) = tmp_path.glob("*.whl")
    listing = subprocess.run(
        [sys.executable, "-m", "zipfile", "-l", str(wheel)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout

    shipped = {f"relay/schemas/{path.name}" for path in (ROOT / "schemas").iterdir()}
    files = set(re.findall(r"^(\S+)", listing, re.MULTILINE))
    assert shipped <= files
    assert "relay/py.typed" in files
    assert not any(name.startswith("tests/") for name in files)


@pytest.mark.parametrize("name", ["environment", "kafka", "run", "servers", "system-package"])
def test_the_scripts_can_be_run(name: str) -> None:
    script = ROOT / ".ci" / name

    assert os.access(script, os.X_OK)
    shell = "bash" if "bash" in script.read_text().partition("\n")[0] else "sh"
    subprocess.run([shell, "-n", str(script)], check=True, timeout=20)


def test_make_says_what_it_can_make() -> None:
    said = subprocess.run(
        ["make", "-s", "-C", str(ROOT), "help"],
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    ).stdout

    for target in ("setup", "demo", "test", "lint", "unit", "bench", "soak", "schemas", "lock"):
        assert f"make {target}" in said
