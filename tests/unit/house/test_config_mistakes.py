"""The configuration: every mistake at once, each with its key and its mend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from relay.config import Parts, Settings, load, mistakes_of
from relay.errors import ConfigError, Mistake

TOKENS = {"TOKEN": "a-token", "SHOP": "a-secret", "KEY": "a-key"}

DESTINATION = """
[[destinations]]
name = "web-eu"
event_source = "web"
event_source_id = "C0PIXELCODE0EXAMPLE0"
access_token = "env:TOKEN"
"""

SOURCES = """
[[sources]]
name = "shop"
kind = "shopify"
destination = "web-eu"
secrets = ["env:SHOP"]

[[sources]]
name = "backend"
kind = "canonical"
destinations = ["web-eu"]
keys = ["env:KEY"]
"""

SOUND = DESTINATION + SOURCES

TOPIC = """
[[sources]]
name = "topic-one"
kind = "kafka"
destination = "web-eu"
brokers = "kafka:9092"
topics = ["orders"]
group = "relay"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def mistakes(folder: Path, text: str, environ: Mapping[str, str] = TOKENS) -> dict[str, Mistake]:
    """What is wrong with this configuration, by key."""
    file = folder / "relay.toml"
    file.write_text(text)
    try:
        load(file, environ)
    except ConfigError as error:
        return {mistake.key: mistake for mistake in error.mistakes}
    return {}


def with_line(line: str) -> str:
    """The sound configuration with this line in its destination, in the place of the key's own."""
    key = line.partition(" ")[0]
    others = [old for old in DESTINATION.splitlines() if old.partition(" ")[0] != key]
    return "\n".join([*others, line, SOURCES])


def test_a_sound_configuration_has_no_mistakes(folder: Path) -> None:
    assert mistakes(folder, SOUND) == {}


def test_every_mistake_is_told_at_once(folder: Path) -> None:
    """One in each table, and one in what the tables must agree on."""
    found = mistakes(
        folder,
        '[journal]\nretention = "1y"\n[limits]\nmax_events = "many"\n'
        + DESTINATION
        + "linger = 5\n"
        + SOURCES.replace('destination = "web-eu"', 'destination = "web"')
        + '[extra]\nword = "x"\n',
        {**TOKENS, "RELAY_LISTEN__PUBLIC": "nowhere"},
    )

    assert set(found) == {
        "journal.retention",
        "limits.max_events",
        "destinations[0].linger",
        "sources[0].destination",
        "listen.public",
        "extra",
    }
    assert all(mistake.problem and mistake.mend for mistake in found.values())


@pytest.mark.parametrize(
    ("line", "key", "mend"),
    [
        ("event_source_id = 7254", "destinations[0].event_source_id", "Put it in quotes"),
        ('event_source = "website"', "destinations[0].event_source", "'web', 'app', 'offline'"),
        ('default_country = "UK"', "destinations[0].default_country", '"GB"'),
        ('default_country = "de"', "destinations[0].default_country", '"DE"'),
        ('default_country = "D "', "destinations[0].default_country", '"DE"'),
        ('page_url = "shop.example"', "destinations[0].page_url", "https://shop.example/"),
        ('page_url = "https://:x/"', "destinations[0].page_url", "https://shop.example/"),
        ('linger = "5"', "destinations[0].linger", '"500ms"'),
        ('linger = "5d"', "destinations[0].linger", "0ms to 1m"),
        ("max_batch_events = 1001", "destinations[0].max_batch_events", "at most 1000"),
        ("requests_per_second = 0", "destinations[0].requests_per_second", "more than 0"),
        ('max_batch_bytes = "1 potato"', "destinations[0].max_batch_bytes", '"16MB"'),
        ('consent = { denied = "no" }', "destinations[0].consent.denied", "'withhold'"),
        ('consent = { refused = "send" }', "destinations[0].consent.refused", "Known here: gr"),
        ('max_event_bytes = "1MB"', "destinations[0].max_event_bytes", "1024 bytes"),
        ("hash_idfa = 'maybe'", "destinations[0].hash_idfa", "true or false"),
        ("lingre = '1s'", "destinations[0].lingre", "Did you mean `linger`?"),
        ('partner_name = ""', "destinations[0].partner_name", "at least 1 character"),
        ("test_event_code_until = 2026-11-30T18:00:00Z", "destinations[0].test_event_code", "Add"),
    ],
)
def test_a_mistake_in_a_destination_names_its_key_and_its_mend(
    folder: Path, line: str, key: str, mend: str
) -> None:
    found = mistakes(folder, with_line(line))

    assert list(found) == [key]
    assert mend in found[key].mend


@pytest.mark.parametrize(
    ("text", "key", "mend"),
    [
        (SOURCES, "destinations", "[[destinations]]"),
        (DESTINATION + SOUND, "destinations[1].name", "a name of its own"),
        (SOUND.replace("backend", "shop"), "sources[1].name", "a name of its own"),
        (SOUND.replace('n = "web-eu"', 'n = "web-uk"'), "sources[0].destination", "`web-eu`?"),
        (SOUND.replace('["web-eu"]', '["web-eu", "web-eu"]'), "sources[1].destinations", "once"),
        (SOUND.replace('destinations = ["web-eu"]\n', ""), "sources[1].destination", "Name the"),
        (SOUND.replace('keys = ["env:KEY"]', ""), "sources[1].keys", 'keys = ["env:NAME"]'),
        (SOUND.replace('secrets = ["env:SHOP"]', ""), "sources[0].secrets", 'secrets = ["env:N'),
        (SOUND.replace('"shopify"', '"Shopify!"'), "sources[0].kind", "[a-z0-9_]"),
        (SOUND.replace('keys = ["env:KEY"]', 'keys = "env:KEY"'), "sources[1].keys", "a list"),
        (SOUND + '[journal]\nretention = "6d"', "destinations[0].dedupe_window", "retention"),
        (SOUND + '[journal]\nretention = "9d"', "destinations[0].max_event_age", "retention"),
        (SOUND + '[listen]\noperator = ":8080"\n', "listen.operator", "another port"),
        (SOUND + '[listen]\noperator = ":8081"\n', "listen.operator_token", "127.0.0.1"),
        (SOUND + '[listen]\npublic = "here:99999"\n', "listen.public", "HOST:PORT"),
        (SOUND + '[tiktok]\nbase_url = "ftp://x"\n', "tiktok.base_url", "https://"),
        (SOUND + '[journal]\nkafka = "localhost:9092"\n', "journal.postgres", "env:"),
        (SOUND + '[journal]\npostgres = "env:KEY"\n', "journal.kafka", "host:9092"),
        (SOUND + '[journal]\ntopics = "x"\n', "journal.topics", "Known here: path"),
        (SOUND + '[log]\nlinger = "1s"\n', "log.linger", "into `destinations`"),
        (SOUND + 'destination = "web-eu"\n', "sources[1].destinations", "Keep one"),
        (SOUND + TOPIC + 'keys = ["env:KEY2"]\n', "sources[2].keys", "`security`"),
        (SOUND + TOPIC + 'secrets = ["env:KEY2"]\n', "sources[2].secrets", "`security`"),
        (SOUND + TOPIC + TOPIC.replace("one", "two"), "sources[3].topics[0]", "another name"),
    ],
)
def test_a_mistake_between_the_tables_names_its_key_and_its_mend(
    folder: Path, text: str, key: str, mend: str
) -> None:
    found = mistakes(folder, text)

    assert key in found
    assert mend in found[key].mend


@pytest.mark.parametrize(
    "password",
    ["SECRET", "SECRET/x", "x/SECRET", "x?SECRET", "x#SECRET", "x@SECRET", "/SECRET", "SECRET%2Fx"],
)
def test_an_address_with_a_password_is_refused_however_it_was_escaped(
    folder: Path, password: str
) -> None:
    """A `/`, `?` or `#` ends the part of an address that a password stands in."""
    found = mistakes(
        folder,
        f"""[journal]
kafka = "kafka:9092"
postgres = "postgresql://relay:{password}@db.example/relay"
[traces]
endpoint = "https://relay:{password}@collector.example"
[tiktok]
base_url = "https://relay:{password}@tiktok.example"
"""
        + with_line(f'page_url = "https://relay:{password}@shop.example"'),
    )

    assert set(found) == {
        "journal.postgres",
        "traces.endpoint",
        "tiktok.base_url",
        "destinations[0].page_url",
    }
    assert all("a password does not belong" in each.problem for each in found.values())
    assert "SECRET" not in str(found)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://db/relay?password=SECRET",
        "postgresql://db/relay?sslmode=require&PASSWORD=SECRET",
        "postgresql://db/relay?pass%77ord=SECRET",
        "postgresql://relay@azure:SECRET@db/relay",
    ],
)
def test_a_password_is_found_elsewhere_in_an_address(folder: Path, address: str) -> None:
    text = f'[journal]\nkafka = "kafka:9092"\npostgres = "{address}"\n{SOUND}'

    found = mistakes(folder, text)

    assert list(found) == ["journal.postgres"]
    assert "a password does not belong" in found["journal.postgres"].problem
    assert "SECRET" not in str(found)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://relay@db.example:5432/relay",
        "postgresql://relay@one:1,two:2/relay?sslmode=require",
        "postgresql://relay@[::1]:5432/relay",
        "postgresql:///relay?host=/run/postgresql",
    ],
)
def test_an_address_without_a_password_is_taken(folder: Path, address: str) -> None:
    text = f'[journal]\nkafka = "kafka:9092"\npostgres = "{address}"\n{SOUND}'

    assert mistakes(folder, text) == {}


def test_a_test_code_has_to_say_when_it_ends(folder: Path) -> None:
    found = mistakes(folder, DESTINATION + 'test_event_code = "TEST1"\n' + SOURCES)

    assert list(found) == ["destinations[0].test_event_code_until"]


def test_a_test_code_has_to_say_in_which_zone_it_ends(folder: Path) -> None:
    code = 'test_event_code = "TEST1"\ntest_event_code_until = 2026-11-30T18:00:00\n'

    found = mistakes(folder, DESTINATION + code + SOURCES)

    assert "+01:00" in found["destinations[0].test_event_code_until"].mend


def test_a_key_belongs_to_one_source_whatever_its_variable_is_called(folder: Path) -> None:
    text = SOUND + SOURCES.replace('"shop"', '"shop2"').replace("backend", "backend2").replace(
        "env:KEY", "env:SAME_KEY"
    )

    found = mistakes(folder, text, {**TOKENS, "SAME_KEY": "a-key\n"})

    assert list(found) == ["sources[3].keys[0]"]
    assert "sources[1].keys[0]" in found["sources[3].keys[0]"].problem


def test_a_broken_destination_does_not_make_its_sources_wrong_too(folder: Path) -> None:
    found = mistakes(folder, SOUND.replace('"web"', '"nonsense"'))

    assert list(found) == ["destinations[0].event_source"]


def test_a_token_in_the_clear_is_refused_and_never_shown(folder: Path) -> None:
    found = mistakes(folder, SOUND.replace("env:TOKEN", "d41d8cd98f00b204"))

    mistake = found["destinations[0].access_token"]
    assert "env:NAME" in mistake.mend
    assert "d41d8cd98f00b204" not in str(mistake)


@pytest.mark.parametrize(
    "line",
    [
        'name = "hunter2hunter2hunter2!"',
        'event_source = "hunter2hunter2hunter2"',
        'default_country = "hunter2hunter2hunter2"',
        'linger = "hunter2hunter2hunter2"',
        'page_url = "hunter2hunter2hunter2"',
        'hash_idfa = "hunter2hunter2hunter2"',
        'max_batch_events = "hunter2hunter2hunter2"',
        'test_event_code_until = "hunter2hunter2hunter2"',
        'unknown = "hunter2hunter2hunter2"',
    ],
)
def test_no_message_repeats_a_value(folder: Path, line: str) -> None:
    """A token may have slipped into any key."""
    found = mistakes(folder, with_line(line))

    assert found
    assert "hunter2" not in "".join(str(mistake) for mistake in found.values())


def test_a_missing_variable_and_a_missing_file_are_mistakes(folder: Path) -> None:
    text = SOUND.replace("env:SHOP", f"file:{folder}/none")

    found = mistakes(folder, text, {"KEY": "  \n", "TOKEN": "a\nb"})

    assert "holds characters" in found["destinations[0].access_token"].problem
    assert "no such file" in found["sources[0].secrets[0]"].problem
    assert "empty" in found["sources[1].keys[0]"].problem


def test_commands_that_use_no_secret_do_not_ask_for_them(folder: Path) -> None:
    file = folder / "relay.toml"
    file.write_text(SOUND)

    assert isinstance(load(file, {}, checks=()), Settings)


def test_a_further_check_sees_the_sound_parts_and_joins_the_list(folder: Path) -> None:
    class Options(BaseModel):
        model_config = ConfigDict(extra="forbid")
        purchase_on: int = 0

    def check_options(parts: Parts) -> Iterator[Mistake]:
        for key, source in parts.sources.items():
            try:
                Options.model_validate(source.options)
            except ValidationError as invalid:
                yield from mistakes_of(invalid, model=Options, under=key)

    file = folder / "relay.toml"
    file.write_text(SOUND.replace('"shopify"', '"shopify"\npurchase_no = 5').replace("env:K", "x"))
    with pytest.raises(ConfigError) as caught:
        load(file, TOKENS, checks=(check_options,))

    found = {mistake.key: mistake for mistake in caught.value.mistakes}
    assert set(found) == {"sources[0].purchase_no", "sources[1].keys[0]"}
    assert "`purchase_on`" in found["sources[0].purchase_no"].mend


def test_two_checks_that_find_the_same_say_it_once(folder: Path) -> None:
    def again(parts: Parts) -> Iterator[Mistake]:
        yield Mistake("sources[0].secrets", "is missing", "Add it")
        yield Mistake("sources[1].name", "ugly", "Find another")

    file = folder / "relay.toml"
    file.write_text(SOUND.replace('secrets = ["env:SHOP"]', ""))
    with pytest.raises(ConfigError) as caught:
        load(file, TOKENS, checks=(again,))

    assert [mistake.key for mistake in caught.value.mistakes] == [
        "sources[0].secrets",
        "sources[1].name",
    ]


def test_a_file_that_is_not_toml_is_told_with_its_line(folder: Path) -> None:
    (mistake,) = mistakes(folder, "[journal]\npath = \n").values()

    assert mistake.key.endswith("relay.toml")
    assert "line 2" in mistake.problem


def test_a_named_file_has_to_be_there(folder: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load(folder / "absent.toml", {})
    with pytest.raises(ConfigError, match="no such file"):
        load(None, {"RELAY_CONFIG": str(folder / "absent.toml")})


def test_a_folder_or_bytes_in_place_of_the_file_are_a_mistake(folder: Path) -> None:
    (folder / "bytes.toml").write_bytes(b"\xff\xfe")

    with pytest.raises(ConfigError, match="cannot be read"):
        load(folder, {})
    with pytest.raises(ConfigError, match="cannot be read"):
        load(folder / "bytes.toml", {})
