"""What is made of `values.yaml` is up to date, whole, and agrees with the project."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from relay.contracts import chart
from relay.contracts.chart.readme import readme
from relay.contracts.chart.sentences import told
from relay.contracts.chart.values import Value, read_values
from tests.chart.helm import CHART, CI, ROOT
from tests.chart.test_manifests import VERSIONS

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
VALUES = read_values((CHART / "values.yaml").read_text())

LEAVES = [leaf for value in VALUES for leaf in value.leaves()]


@pytest.mark.parametrize("name", ["values.schema.json", "README.md"])
def test_what_is_checked_in_is_what_the_values_say(name: str) -> None:
    """Otherwise: `python -m relay.contracts chart helm/relay`, and look at the difference."""
    assert (CHART / name).read_text() == chart.texts(CHART)[name]


def test_the_chart_is_of_the_projects_version() -> None:
    about = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert about["apiVersion"] == "v2"
    assert about["name"] == "relay"
    assert about["appVersion"] == project["version"]
    assert about["kubeVersion"] == f">={VERSIONS[0]}-0"


def test_the_schema_is_a_schema_and_its_references_lead_somewhere() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    for reference in references(SCHEMA):
        assert reference.removeprefix("#/$defs/") in SCHEMA["$defs"]


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from references(each)


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.key)
def test_every_value_is_described_and_typed(leaf: Value) -> None:
    schema = at(leaf.path)

    assert leaf.description
    assert leaf.section
    assert schema["description"] == leaf.description
    assert schema.keys() & {"type", "enum", "$ref"}
    assert f"`{leaf.key}`" in (CHART / "README.md").read_text()


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.key)
def test_every_default_fits_its_schema(leaf: Value) -> None:
    schema = {**at(leaf.path), "$defs": SCHEMA["$defs"]}

    assert list(Draft202012Validator(schema).iter_errors(leaf.default)) == []


def at(path: tuple[str, ...]) -> dict[str, Any]:
    here: dict[str, Any] = SCHEMA
    for step in path:
        here = here["properties"][step]
    return here


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.key)
def test_a_value_of_another_type_is_refused(leaf: Value) -> None:
    """Of each value; that is what `helm install` says before anything else."""
    schema = {**at(leaf.path), "$defs": SCHEMA["$defs"]}

    assert not Draft202012Validator(schema).is_valid(1.5)


def test_no_table_of_ours_takes_keys_that_are_not_there() -> None:
    open_tables = [
        ".".join(path)
        for path, schema in tables(SCHEMA, ())
        if schema.get("additionalProperties") is not False
    ]

    assert open_tables == []


def tables(
    schema: dict[str, Any], path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Those whose keys the chart knows."""
    if "properties" in schema:
        yield path, schema
    for name, inner in schema.get("properties", {}).items():
        yield from tables(inner, (*path, name))


def test_the_relays_own_tables_are_closed_as_well() -> None:
    for name, table in SCHEMA["$defs"].items():
        if name == "config.Source":
            branch = table
            while branch:  # a source is closed once its kind is known
                assert branch["then"]["additionalProperties"] is False
                branch = branch.get("else")
        elif "properties" in table:
            assert table["additionalProperties"] is False, name


def test_every_key_of_the_relays_configuration_is_known() -> None:
    own = json.loads((ROOT / "schemas" / "config.schema.json").read_text())

    assert set(SCHEMA["$defs"]["config"]["properties"]) == set(own["properties"])
    for name, table in own["$defs"].items():
        if name != "Source":
            known = SCHEMA["$defs"][f"config.{name}"]
            assert known.get("properties", {}).keys() == table.get("properties", {}).keys()


def test_no_pattern_is_left_that_helm_would_print() -> None:
    assert list(bare_patterns(SCHEMA)) == []


def bare_patterns(value: object, path: str = "") -> Iterator[str]:
    """A pattern outside of `if`: what does not fit it would be repeated, a secret among it."""
    if isinstance(value, dict):
        if isinstance(value.get("pattern"), str):
            yield path
        value = {key: each for key, each in value.items() if key not in ("if", "default")}
        for key, each in value.items():
            yield from bare_patterns(each, f"{path}/{key}")
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from bare_patterns(each, f"{path}/{index}")


def test_the_examples_are_valid() -> None:
    validator = Draft202012Validator(SCHEMA)
    for path in CI.glob("*.yaml"):
        errors = [
            error.message for error in validator.iter_errors(yaml.safe_load(path.read_text()))
        ]
        # What stands on top of another file may lack what that has.
        assert [each for each in errors if "required" not in each] == [], path.name


# --- the generator itself -------------------------------------------------------------------------

TEXT = """
# @section -- First

# Not a description.

# -- One, which is
# long.
# @schema {minimum: 1}
one: 1
table:
  # -- Two | three.
  two: [a]
# @section -- Second

# -- Any keys.
# @schema {additionalProperties: true}
free: {a: {b: 1}}
"""


def test_comments_become_descriptions_schemas_and_sections() -> None:
    one, table, free = read_values(TEXT)

    assert (one.description, one.schema, one.section) == (
        "One, which is long.",
        {"minimum": 1},
        "First",
    )
    assert [leaf.key for leaf in table.leaves()] == ["table.two"]
    assert (free.children, free.section) == ((), "Second")


def test_a_comment_that_is_not_understood_is_told() -> None:
    with pytest.raises(ValueError, match="not understood: # @shcema"):
        read_values("# -- One.\n# @shcema {minimum: 1}\none: 1\n")


def test_the_readme_has_a_table_for_each_section_and_the_runbook() -> None:
    made = readme("# T\n<!-- values -->\n<!-- runbook -->\n", read_values(TEXT), "## Runbook\n")

    assert "### First" in made
    assert '| `table.two` | list | `["a"]` | Two \\| three. |' in made
    assert made.endswith("## Runbook\n")


@pytest.mark.parametrize("template", ["<!-- values -->", "<!-- runbook -->", ""])
def test_a_template_without_a_place_for_them_is_told(template: str) -> None:
    with pytest.raises(ValueError, match=r"README\.template\.md needs"):
        readme(template, (), "")


def test_what_does_not_fit_is_told_to_be_a_sentence() -> None:
    schema = told({"type": "string", "pattern": "^a+$", "says": "some a's"})
    (error,) = Draft202012Validator(schema).iter_errors("secret")

    assert Draft202012Validator(schema).is_valid("aaa")
    assert error.validator == "const"
    assert error.validator_value == "some a's"
    assert told({"type": "integer"}) == {"type": "integer"}


@pytest.mark.parametrize("wrong", ["a secret", 20, False])
def test_what_yaml_reads_as_something_else_is_told_the_same(wrong: object) -> None:
    """`20` where a duration belongs, `NO` where a country does, a token where a table does."""
    for schema in (
        told({"type": "string", "pattern": "^a+$", "says": "some a's"}),
        told({"type": "object", "says": "some a's", "required": ["a"]}),
    ):
        (error,) = Draft202012Validator(schema).iter_errors(wrong)

        assert error.validator_value == "some a's"
