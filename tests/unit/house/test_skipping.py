"""A test that cannot run says what it needs; where everything is required, that is a failure."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = """
import pytest

@pytest.mark.needs("a-lost-tool")
def test_needing(): ...

def test_giving_up():
    pytest.skip("no wish to")

@pytest.mark.xfail(reason="known")
def test_expected():
    assert False

def test_good(): ...
"""


INI = """
[pytest]
asyncio_default_fixture_loop_scope = function
markers =
    needs(name): x
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A small project with our conftest, where one tool is never there."""
    text = (Path(__file__).parents[2] / "conftest.py").read_text()
    lost = 'NEEDS = {"a-lost-tool": Need(lambda: False, "look in the shed"), '
    assert "NEEDS = {" in text
    pytester.makeconftest(text.replace("NEEDS = {", lost))
    pytester.makepyfile(test_some=TESTS)
    pytester.makeini(INI)
    monkeypatch.delenv("RELAY_TEST_REQUIRE", raising=False)
    return pytester


def test_what_cannot_run_is_skipped_with_a_line_that_says_why(project: pytest.Pytester) -> None:
    project.makepyfile(test_whole="import pytest\npytest.importorskip('no_such_thing')\n")

    result = project.runpytest_inprocess("-ra")

    result.assert_outcomes(passed=1, skipped=3, xfailed=1)
    result.stdout.fnmatch_lines(["SKIPPED*needs a-lost-tool: look in the shed"])


def test_where_everything_is_required_every_skip_is_a_failure(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELAY_TEST_REQUIRE", "all")

    result = project.runpytest_inprocess("-ra")

    result.assert_outcomes(passed=1, failed=1, errors=1, xfailed=1)
    said = result.stdout.str()
    assert "needs a-lost-tool: look in the shed" in said
    assert "no wish to" in said


def test_a_file_that_gives_up_as_a_whole_is_a_failure_too(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELAY_TEST_REQUIRE", "all")
    project.makepyfile(test_whole="import pytest\npytest.importorskip('no_such_thing')\n")

    result = project.runpytest_inprocess("-ra")

    assert result.ret != pytest.ExitCode.OK
    assert "skipped where nothing may be: test_whole.py" in result.stdout.str()
