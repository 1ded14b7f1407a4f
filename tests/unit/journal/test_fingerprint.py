"""A fingerprint row finds everything that is in it, folded or not."""

from __future__ import annotations

from zlib import crc32

from hypothesis import given
from hypothesis import strategies as st

from relay.journal import fingerprint

Record = tuple[bytes, list[bytes]]

records = st.lists(
    st.tuples(st.binary(max_size=8), st.lists(st.binary(max_size=8), max_size=5)),
    min_size=1,
    max_size=9,
)


def a_row(records: list[Record]) -> bytes:
    return fingerprint.row(
        [crc32(receipt) for receipt, _ in records], [tokens for _, tokens in records]
    )


@given(records, st.binary(max_size=8))
def test_a_row_tells_which_records_have_a_token(records: list[Record], other: bytes) -> None:
    row = a_row(records)

    for wanted in {other, *(token for receipt, tokens in records for token in (receipt, *tokens))}:
        holding = [
            at for at, (receipt, tokens) in enumerate(records) if wanted in (receipt, *tokens)
        ]
        assert set(fingerprint.find(row, fingerprint.of(wanted))) == set(holding)


@given(st.lists(records, min_size=1, max_size=5), st.binary(max_size=8))
def test_folded_rows_find_the_same(rows: list[list[Record]], other: bytes) -> None:
    firsts = [1000 * at for at in range(len(rows))]
    folded = fingerprint.fold(
        [(first, a_row(row)) for first, row in zip(firsts, rows, strict=True)]
    )

    tokens = {token for row in rows for receipt, tokens in row for token in (receipt, *tokens)}
    for wanted in (other, *tokens):
        prints = fingerprint.of(wanted)
        assert set(fingerprint.find_folded(folded, prints)) == {
            first + at
            for first, row in zip(firsts, rows, strict=True)
            for at in fingerprint.find(a_row(row), prints)
        }


def test_a_record_may_have_more_tokens_than_a_byte_counts() -> None:
    row = a_row([(b"r", [b"%d" % at for at in range(400)]), (b"s", [b"last"])])

    assert list(fingerprint.find(row, fingerprint.of(b"254"))) == [0]
    assert list(fingerprint.find(row, fingerprint.of(b"last"))) == [1]
