"""The file of a moved journal: what is written is read, and nothing else is."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from relay.cli.moved_file import ExportFile, MovedFile
from relay.contracts import documents
from relay.errors import ConfigError
from relay.journal.issues import Row as IssueCounts
from relay.journal.ledger import Sums
from relay.journal.moving import standing
from relay.journal.moving.framing import FileUnusable, Framer, Header, check, rows_of
from relay.journal.moving.rows import (
    KINDS,
    Claim,
    Issues,
    Ledger,
    Moved,
    NotARow,
    Note,
    Remembered,
    Row,
    Total,
    kind_of,
    pack,
    unpack,
)
from relay.journal.moving.standing import Standing
from relay.journal.moving.tokens import tokens_of
from relay.journal.sample import Sample
from relay.model import Attempt, DeadLetter, FieldIssue, Outcome, Reason

HEADER = Header(1.5, "1.0", "embedded", ["web"], ["0f" * 16], b"salt" * 4)
DIGEST = hashlib.sha256(b"someone").hexdigest()

times = st.floats(0, 2**40, allow_nan=False)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
named = words.filter(bool)
counts = st.integers(0, 2**53)
claims = st.binary(min_size=16, max_size=16)
ends = st.sampled_from(list(Outcome))
reasons = st.sampled_from(list(Reason))
errors = st.lists(st.builds(FieldIssue, words, words), max_size=3)
bodies = words.map(lambda text: orjson.dumps({"x": text}))


def maybe(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | strategy


attempts = st.builds(
    Attempt, named, words, counts, times, times, counts, counts, words, maybe(counts),
    maybe(counts), maybe(words), maybe(words), maybe(words), st.booleans(),
)  # fmt: skip
moved = st.builds(
    Moved, named, words, words, times, maybe(words), maybe(words), maybe(words), maybe(counts),
    maybe(words), maybe(words), maybe(words), counts, maybe(claims), maybe(bodies), errors,
    maybe(ends), maybe(reasons), maybe(times), maybe(times), st.lists(attempts, max_size=2),
)  # fmt: skip
letters = st.builds(
    DeadLetter, named, times, words, words, words, maybe(words), maybe(words), maybe(words),
    maybe(counts), times, ends, reasons, maybe(counts), maybe(words), maybe(words), counts,
    maybe(times), maybe(times), maybe(bodies), maybe(words), errors,
)  # fmt: skip
digests = st.integers(0, 2**64 - 1)
samples = st.builds(
    Sample, words, words, digests, counts, times, maybe(digests), maybe(digests), maybe(digests),
    maybe(st.decimals(allow_nan=False, allow_infinity=False)), maybe(words), counts,
    st.booleans(), times,
)  # fmt: skip
sums = st.builds(Sums, counts, st.dictionaries(words, st.just(Decimal("19.90")), max_size=2))
rows = st.one_of(
    moved,
    st.builds(Claim, maybe(words), claims, st.tuples(counts, counts), times),
    st.builds(Remembered, st.binary(), st.binary(), times),
    letters,
    st.builds(
        Ledger, counts, words, words, st.dictionaries(ends.map(str), sums, min_size=1, max_size=2)
    ),
    st.builds(
        Issues, counts, words, words,
        st.dictionaries(st.builds(FieldIssue, words, words), counts, max_size=2).map(IssueCounts),
    ),
    samples,
    st.builds(Note, words, st.binary()),
    st.builds(Total, words, counts),
)  # fmt: skip


def framed(of: Sequence[Row], header: Header = HEADER) -> list[bytes]:
    framer = Framer()
    return [framer.header(header), *map(framer.row, of), framer.end()]


def lines_of(whole: bytes) -> list[bytes]:
    return whole.splitlines(keepends=True)


A_FILE = b"".join(
    framed([Moved("web", "http:a/0", "shop", 1.0, "Purchase", "e", None, 1), Total("web", 1)])
)


# --- rows -----------------------------------------------------------------------------------------


@given(rows)
def test_a_row_is_read_as_it_was_written(row: Row) -> None:
    assert unpack(pack(row)) == row


@given(rows)
def test_a_row_is_one_line_and_names_its_kind(row: Row) -> None:
    line = pack(row)

    assert b"\n" not in line
    assert line.startswith(b'{"kind":"%s"' % kind_of(row).encode())
    assert kind_of(row) in KINDS


SCHEMA = Draft202012Validator(documents()["journal_export.schema.json"])


@given(st.lists(rows, max_size=3))
def test_every_line_is_as_the_schema_says(of: list[Row]) -> None:
    for line in framed(of):
        assert list(SCHEMA.iter_errors(orjson.loads(line))) == []


@pytest.mark.parametrize(
    "line", [b"", b"[]", b"{}", b'{"kind":"x"}', b'{"kind":"arrival"}', b'{"kind":"claim"', b"\xff"]
)
def test_what_is_no_row_is_said_to_be_none(line: bytes) -> None:
    with pytest.raises(NotARow):
        unpack(line)


# --- the frame ------------------------------------------------------------------------------------


@given(st.lists(rows, max_size=5))
def test_a_whole_file_is_read_whole(of: list[Row]) -> None:
    lines = framed(of)

    header, trailer = check(lines)

    assert header == HEADER
    assert trailer.rows == len(of)
    assert [unpack(line) for line in rows_of(lines)] == of


def test_every_cut_is_refused() -> None:
    for length in range(len(A_FILE)):
        with pytest.raises(FileUnusable):
            check(lines_of(A_FILE[:length]))


def test_every_flipped_bit_is_refused() -> None:
    for place in range(len(A_FILE)):
        for bit in range(8):
            flipped = bytearray(A_FILE)
            flipped[place] ^= 1 << bit
            with pytest.raises(FileUnusable):
                check(lines_of(bytes(flipped)))


@pytest.mark.parametrize("more", [b"\n", b"{}\n", A_FILE])
def test_what_follows_the_trailer_is_refused(more: bytes) -> None:
    with pytest.raises(FileUnusable):
        check(lines_of(A_FILE + more))


def test_lines_that_change_places_are_refused() -> None:
    header, first, second, end = lines_of(A_FILE)

    with pytest.raises(FileUnusable, match="damaged"):
        check([header, second, first, end])


def test_a_later_version_is_refused_with_its_mend() -> None:
    with pytest.raises(FileUnusable, match="version 9, this relay knows 1"):
        check(lines_of(A_FILE.replace(b'"version":1', b'"version":9')))


def test_any_other_file_is_told_from_a_damaged_one() -> None:
    with pytest.raises(FileUnusable, match="no export"):
        check([b'{"event":"Purchase"}\n'])


def test_contents_are_those_of_the_rows_whenever_they_were_exported() -> None:
    rows = [Total("web", 1)]
    later = HEADER._replace(made_at=2.5, relay="1.1")

    assert check(framed(rows))[1].contents == check(framed(rows, later))[1].contents
    assert check(framed([]))[1].contents != check(framed(rows))[1].contents


# --- the file -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["moved.ndjson", "moved.ndjson.gz"])
def test_a_file_is_there_when_it_is_whole_and_for_its_owner_only(tmp_path: Path, name: str) -> None:
    file = tmp_path / name

    with ExportFile(str(file)) as out:
        out.write(A_FILE)
        out.complete()
        assert not file.exists()

    assert file.stat().st_mode & 0o777 == 0o600
    with MovedFile(str(file)) as moved_file:
        assert b"".join(moved_file.lines()) == A_FILE
        assert check(moved_file.lines())[1].rows == 2
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "moved"
    file.write_bytes(b"mine")

    with pytest.raises(ConfigError, match=r"there already.*--overwrite"):
        ExportFile(str(file))
    assert file.read_bytes() == b"mine"


def test_a_file_is_replaced_as_a_whole_where_that_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "moved"
    file.write_bytes(b"the one before")

    with ExportFile(str(file), overwriting=True) as out:
        out.write(b"new")
        assert file.read_bytes() == b"the one before"
    assert file.read_bytes() == b"new"


def test_of_a_file_that_could_not_be_ended_nothing_is_left(tmp_path: Path) -> None:
    def fail_within() -> None:
        with ExportFile(str(tmp_path / "moved")) as out:
            out.write(A_FILE)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_within()
    assert list(tmp_path.iterdir()) == []


def test_a_compressed_file_that_was_cut_is_refused(tmp_path: Path) -> None:
    packed = gzip.compress(A_FILE)
    file = tmp_path / "moved.gz"
    for length in range(2, len(packed)):
        file.write_bytes(packed[:length])
        with MovedFile(str(file)) as moved_file:
            lines = moved_file.lines()
            with pytest.raises(FileUnusable):
                check(lines)


# --- what is found, and how far it is -------------------------------------------------------------


def test_tokens_are_the_ids_and_every_digest_once() -> None:
    body = orjson.dumps({"user": {"email": DIGEST, "phone": [DIGEST]}, "x": DIGEST + "0"})

    assert tokens_of("e", "o", body) == [b"e", b"o", DIGEST.encode()]
    assert tokens_of("e", "e", None) == [b"e"]
    assert tokens_of(None, None, b"{}") == []


def test_a_standing_is_read_as_it_was_written() -> None:
    found = Standing(7, keeps_samples=False, journals=("0f" * 16,))
    found.ended(Moved("web", "r", "s", 1.0, None, None, None, None))

    assert standing.unpack(found.pack()) == found
    assert found.forgotten(Total("web", 5)) == 4
    assert found.forgotten(Total("web", 0)) == 0
