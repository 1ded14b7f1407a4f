"""Files of conversions, a line at a time."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import orjson
import pytest

from relay.cli.rows import (
    MAX_LINE_BYTES,
    FileUnusable,
    Table,
    digest_of,
    is_csv,
    json_lines,
    table_rows,
)


def table(unknown: list[str] | None = None, *, canonical: bool = True) -> Table:
    return Table(canonical=canonical, on_unknown=(unknown if unknown is not None else []).extend)


def test_empty_lines_are_passed_over_and_keep_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(b'\xef\xbb\xbf{"a":1}\r\n\n  \n{"b":2}')

    assert [(row.number, row.body) for row in json_lines(path)] == [
        (1, b'{"a":1}'),
        (4, b'{"b":2}'),
    ]


def test_a_gzipped_file_is_read_however_it_is_called(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(gzip.compress(b'{"a":1}\n{"b":2}\n'))

    assert [row.body for row in json_lines(path)] == [b'{"a":1}', b'{"b":2}']


def test_a_file_that_only_claims_to_be_gzipped_is_not_usable(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson.gz"
    path.write_bytes(b'{"a":1}\n')

    with pytest.raises(FileUnusable, match="not gzipped"):
        list(json_lines(path))


def test_a_line_without_end_is_passed_over_without_being_held(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(b'"' + b"x" * (3 * MAX_LINE_BYTES) + b'"\n{"b":2}\n')

    assert [(row.number, row.body) for row in json_lines(path)] == [(1, None), (2, b'{"b":2}')]


@pytest.mark.parametrize("content", [b'[{"a":1}]', b'{\n"a":1}'])
def test_a_document_that_is_not_one_object_a_line_says_what_to_do(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)

    with pytest.raises(FileUnusable, match="one object a line"):
        list(json_lines(path))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_rows_of_a_table_become_conversions(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "a.csv"
    lines = [["event", "event_time", "email"], ["Purchase", "1790000000", "a@b.de"], [], ["x"]]
    path.write_text("\r\n".join(delimiter.join(line) for line in lines), "utf-8-sig")

    found = [(row.number, orjson.loads(row.body or b"")) for row in table_rows(path, table())]

    assert found == [
        (2, {"event": "Purchase", "event_time": "1790000000", "user": {"email": "a@b.de"}}),
        (4, {"event": "x"}),
    ]


def test_a_row_with_a_cell_too_many_is_no_conversion(tmp_path: Path) -> None:
    """`1,50` without quotes would make a price of 1 and a currency of 50."""
    path = tmp_path / "a.csv"
    path.write_text("event,event_time,value\nPurchase,1790000000,1,50\nPurchase,1790000000,2,\n")

    found = [(row.number, row.body is None, row.problem) for row in table_rows(path, table())]

    assert found[0] == (2, True, "more_cells_than_columns")
    assert found[1][:2] == (3, False)


def test_a_cell_may_hold_line_breaks(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('event,event_time,description\nA,1,"two\nlines"\nB,2,one\n')

    assert [row.number for row in table_rows(path, table())] == [3, 4]


def test_for_a_mapping_the_columns_keep_their_names(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Receipt No,Total\n17,12.50\n18,\n")

    rows = [orjson.loads(row.body or b"") for row in table_rows(path, table(canonical=False))]

    assert rows == [{"Receipt No": "17", "Total": "12.50"}, {"Receipt No": "18"}]


def test_columns_that_mean_nothing_are_told_once(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("event,event_time,colour\nA,1,red\nB,2,red\n")
    unknown: list[str] = []

    list(table_rows(path, table(unknown)))

    assert unknown == ["colour"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"email,value\na@b.de,1\n", "no column event, event_time"),
        (b"", "no column"),
        (b"event,event_time\nA\xff,1\n", "line 2 is not UTF-8"),
        (b'event,event_time\n"' + b"x" * 200_000 + b'",1\n', "cannot be read"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)

    with pytest.raises(FileUnusable, match=words):
        list(table_rows(path, table()))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.csv", True), ("a.csv.gz", True), ("a.tsv", True), ("a.ndjson", False), ("a.gz", False)],
)
def test_the_name_says_whether_it_is_a_table(name: str, expected: bool) -> None:
    assert is_csv(Path(name)) is expected


def test_the_digest_is_that_of_the_file_and_progress_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 3_000_000)
    steps: list[int] = []

    assert digest_of(path, steps.append) == hashlib.sha256(b"x" * 3_000_000).hexdigest()
    assert sum(steps) == 3_000_000
    assert len(steps) > 1
