"""Secrets: named in the configuration, read where they are used, never shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from relay.secrets import MAX_BYTES, Secret, SecretUnavailable


def write(path: Path, text: str) -> None:
    """As a careful writer does: a new file in the place of the old one."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(path)


def test_a_variable_is_read_without_the_blanks_around_it() -> None:
    assert Secret("env:TOKEN", {"TOKEN": " abc\n"}).read() == "abc"


def test_a_file_is_read_without_the_line_break_at_its_end(tmp_path: Path) -> None:
    write(tmp_path / "token", "abc\r\n")

    assert Secret(f"file:{tmp_path}/token", {}).read() == "abc"


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "token"
    write(file, "old")
    secret = Secret(f"file:{file}", {})
    assert secret.read() == "old"

    write(file, "new")

    assert secret.read() == "new"


def test_a_link_that_is_switched_is_read_again(tmp_path: Path) -> None:
    """Kubernetes renews mounted secrets like this."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "token").write_text(name)
        os.utime(tmp_path / name / "token", (1, 1))
    link = tmp_path / "data"
    link.symlink_to("one")
    secret = Secret(f"file:{link}/token", {})
    assert secret.read() == "one"

    (tmp_path / "fresh").symlink_to("two")
    (tmp_path / "fresh").replace(link)

    assert secret.read() == "two"


def test_an_unchanged_file_is_not_opened_again(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("abc")
    secret = Secret(f"file:{file}", {})
    secret.read()
    seen = file.stat()

    # The same length, inode and date: only opening it would show the difference.
    with file.open("r+") as same:
        same.write("xyz")
    os.utime(file, ns=(seen.st_atime_ns, seen.st_mtime_ns))

    assert secret.read() == "abc"


@pytest.mark.parametrize("harm", ["missing", "empty", "blank", "not text", "huge"])
def test_the_last_good_value_stays_while_the_file_is_unusable(tmp_path: Path, harm: str) -> None:
    file = tmp_path / "token"
    write(file, "good")
    secret = Secret(f"file:{file}", {})
    assert secret.read() == "good"

    file.unlink()
    contents = {"empty": b"", "blank": b" \n", "not text": b"\xff", "huge": b"x" * (MAX_BYTES + 1)}
    if harm in contents:
        file.write_bytes(contents[harm])
    assert secret.read() == "good"

    write(file, "better")
    assert secret.read() == "better"


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("env:NONE", "env:NONE: the variable is not set"),
        ("env:EMPTY", "env:EMPTY: empty"),
        ("file:/nowhere/at/all", "no such file"),
        ("file:/", "is a directory"),
    ],
)
def test_what_was_never_readable_says_why(reference: str, reason: str) -> None:
    with pytest.raises(SecretUnavailable, match=reason):
        Secret(reference, {"EMPTY": " "}).read()


def test_bytes_that_are_no_text_do_not_get_into_the_message(tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"secret\xff")

    with pytest.raises(SecretUnavailable) as caught:
        Secret(f"file:{tmp_path}/token", {}).read()

    assert caught.value.__cause__ is None
    assert "secret" not in str(caught.value).removeprefix(f"file:{tmp_path}")


@pytest.mark.parametrize("text", ["", "abc", "env:", "env:A B", "ENV:ABC", "file:", "d41d8cd9"])
def test_anything_that_is_no_reference_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match="env:NAME or file:PATH") as caught:
        Secret(text, {})

    assert len(text) < 6 or text not in str(caught.value)


def test_a_secret_shows_its_reference_only() -> None:
    secret = Secret("env:TOKEN", {"TOKEN": "abc"})
    secret.read()

    assert repr(secret) == "Secret('env:TOKEN')"
    assert str(secret) == "Secret('env:TOKEN')"
    assert not hasattr(secret, "__dict__")
