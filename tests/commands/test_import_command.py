"""`relay import` where no relay runs: straight into the journal."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from relay.cli.rows import MAX_LINE_BYTES

RELAY = Callable[..., Any]


def sales(count: int, **changes: object) -> bytes:
    now = int(time.time())
    return b"".join(
        orjson.dumps(
            {
                "event": "Purchase",
                "event_time": now - number,
                "event_id": f"sale-{number}",
                "user": {"email": f"canary{number}@example.com"},
                **changes,
            }
        )
        + b"\n"
        for number in range(count)
    )


@pytest.fixture
def file(config: Path) -> Path:
    path = config.parent / "sales.ndjson"
    path.write_bytes(sales(1200))
    return path


def waiting(relay: RELAY) -> int:
    stats = relay("journal", "stats", "--json").json
    return sum(each["waiting"] for each in stats)


def test_every_line_waits_in_the_journal(relay: RELAY, file: Path) -> None:
    said = relay("import", file, "--source", "backend")

    assert said.code == 0
    assert said.err.strip() == "sales.ndjson: 1,200 lines: 1,200 accepted"
    assert waiting(relay) == 1200


def test_a_line_can_be_found_by_its_place_in_the_file(relay: RELAY, file: Path) -> None:
    digest = relay("import", file, "--source", "backend", "--json").json["digest"]

    (trace,) = relay("find", f"import:{digest}/700", "--json").json

    assert trace["event_id"] == "sale-699"
    assert trace["source"] == "backend"


def test_again_every_line_is_known_and_nothing_is_written_twice(relay: RELAY, file: Path) -> None:
    relay("import", file, "--source", "backend")

    again = relay("import", file, "--source", "backend", "--json")

    assert (again.json["known"], again.json["accepted"]) == (1200, 0)
    assert waiting(relay) == 1200


def test_an_import_that_broke_off_goes_on(relay: RELAY, file: Path) -> None:
    """The journal's limit breaks it off; a larger one lets the same command finish."""
    config = file.parent / "relay.toml"
    sound = config.read_text()
    file.write_bytes(sales(1200, properties={"description": "x" * 1500}))
    config.write_text(sound.replace("[journal]", '[journal]\nmax_bytes = "1MiB"'))

    broken = relay("import", file, "--source", "backend")
    config.write_text(sound)
    rest = relay("import", file, "--source", "backend", "--json")

    assert broken.code == 1
    assert "repeat this command" in broken.err
    assert 0 < rest.json["known"] < 1200
    assert rest.json["known"] + rest.json["accepted"] == 1200
    assert waiting(relay) == 1200


def test_invalid_lines_are_told_by_number_and_reason_never_by_value(
    relay: RELAY, file: Path
) -> None:
    bad = orjson.dumps({"event": "Purchase", "event_time": "canary day", "user": {"email": "?"}})
    file.write_bytes(sales(2) + b"\nnot json canary\n" + bad + b"\n[]\n")

    strict = relay("import", file, "--source", "backend")
    lenient = relay("import", file, "--source", "backend", "--allow-invalid")

    assert strict.code == 1
    assert lenient.code == 0
    for told in ("line 4: not_json", "line 5: event_time not_a_time", "line 6: not_an_object"):
        assert told in strict.err
    assert "canary" not in strict.err


def test_an_endless_line_is_one_invalid_line(relay: RELAY, file: Path) -> None:
    file.write_bytes(b'{"x":"' + b"y" * MAX_LINE_BYTES + b'"}\n' + sales(1))

    said = relay("import", file, "--source", "backend", "--json")

    assert said.json["invalid_lines"] == {"1": "too_large"}
    assert said.json["accepted"] == 1


def test_many_invalid_lines_are_counted_not_all_listed(relay: RELAY, file: Path) -> None:
    file.write_bytes(b"nonsense\n" * 300)

    said = relay("import", file, "--source", "backend")

    assert said.err.count("not_json") == 20
    assert "and 280 more lines" in said.err


def test_a_table_is_imported_by_its_columns(relay: RELAY, file: Path) -> None:
    table = file.with_suffix(".csv")
    now = int(time.time())
    table.write_text(
        "Event;Timestamp;event_id;email;value;currency;shoe size\n"
        f"Purchase;{now};t-1;Ada@Example.com;12,50;EUR;42\n"
    )

    said = relay("import", table, "--source", "backend")
    (trace,) = relay("find", "t-1", "--json").json

    assert said.code == 0
    assert "left out: shoe size" in said.err
    assert trace["wire"]["properties"] == {"value": 12.5, "currency": "EUR"}


def test_a_mapping_reads_a_table_in_its_own_words(relay: RELAY, file: Path) -> None:
    table = file.with_suffix(".csv")
    table.write_text(
        "kind,receipt,sold,mail,total\n"
        f"sale,17,{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())},a@b.de,12.50\n"
        "refund,18,2026-11-01T10:00:00Z,a@b.de,12.50\n"
        "sale,19,whenever,a@b.de,12.50\n"
    )

    said = relay("import", table, "--source", "till", "--json")

    assert (said.json["accepted"], said.json["left_out"]) == (1, 1)
    assert said.json["invalid_lines"] == {"4": "event_time not_computable"}


def test_what_cannot_be_imported_is_wrong_usage(relay: RELAY, file: Path) -> None:
    for arguments, words in (
        ((file, "--source", "shop"), "kind shopify"),
        ((file, "--source", "nobody"), "none of this name"),
        ((file.parent / "absent", "--source", "backend"), "no such file"),
    ):
        said = relay("import", *arguments)

        assert said.code == 2
        assert words in said.err


def test_no_line_leaves_a_raw_identifier_on_disk(relay: RELAY, file: Path) -> None:
    relay("import", file, "--source", "backend")

    written = [path.read_bytes() for path in (file.parent / "journal").rglob("*") if path.is_file()]
    assert sum(map(len, written)) > 100_000
    assert not any(b"canary" in piece for piece in written)
