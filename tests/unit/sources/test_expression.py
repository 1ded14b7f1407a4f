"""The fence around JMESPath, and the functions it lacks."""

from __future__ import annotations

from typing import Any

import pytest

from relay.errors import PayloadRefused
from relay.sources.expression import NOT_COMPUTABLE, ExpressionError, Scope, compiled
from relay.sources.functions import OWN_FUNCTIONS

DIGEST = "a" * 63 + "B"


def _value(expression: str, payload: Any = None, **headers: str) -> Any:
    return Scope(payload, headers).value(compiled(expression), payload)


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("a" * 2049, "too long"),
        ("[" * 3000 + "]" * 3000, "too long"),
        ("[" * 31 + "a" + "]" * 31, "nested too deep"),
        ("!" * 2000 + "a", "not JMESPath"),
        ("a b", "not JMESPath"),
        ("", "not JMESPath"),
        ("$.a", "not JMESPath"),
        ("`text`", "not JMESPath"),
        (".".join(["a"] * 300), "too many parts"),
        ("a[][][][][]", "could multiply"),
        ("|".join(["[@,@][]"] * 26), "could multiply"),
        ("|".join(["[@,@]"] * 9), "could multiply"),
        ("|".join(["{a:@,b:@}"] * 9), "could multiply"),
        ("nope(a)", "does not exist"),
        ("lower(a, b)", "with 2 arguments"),
        ("concat()", "with 0 arguments"),
    ],
)
def test_an_expression_beyond_the_caps_is_refused_at_start(expression: str, problem: str) -> None:
    with pytest.raises(ExpressionError, match=problem) as caught:
        compiled(expression)

    assert caught.value.mend


@pytest.mark.parametrize(
    "expression",
    [
        "[*].root()[*].root()[*].a",
        "[?contains(root()[].a, root()[0].a)]",
        "map(&map(&root()[*].a, root()), @)",
        "[*].[root(), @][] | [*].root()[*].[root(), @][]",
    ],
)
def test_an_expression_that_begins_at_the_top_for_each_element_is_stopped(expression: str) -> None:
    payload = [{"a": str(index)} for index in range(1000)]

    with pytest.raises(PayloadRefused, match="too_complex"):
        _value(expression, payload)


def test_a_join_that_would_fill_the_memory_is_not_made() -> None:
    with pytest.raises(NOT_COMPUTABLE):
        _value("join(s, a)", {"s": "x" * 8000, "a": ["y"] * 100_000})

    assert _value("join('-', a)", {"a": ["x", "y"]}) == "x-y"


def test_a_concatenation_that_would_fill_the_memory_is_not_made() -> None:
    with pytest.raises(NOT_COMPUTABLE):
        _value("concat(a, a)", {"a": "x" * 5000})


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("lower('AbÇ')", "abç"),
        ("trim('  a ')", "a"),
        ("default(a, b, `0`, 'x')", 0),
        ("default(a, '', `[]`, 'x')", "x"),
        ("default(a)", None),
        ("concat('o-', `7`, '-', 'x')", "o-7-x"),
        ("concat('o-', a)", None),
        ("divide(`14220`, `100`)", "142.2"),
        ("divide('100.00', '3')", "33.333333"),
        ("divide(`7000`, `7`)", "1000"),
        ("minor_units(`14220`, 'GBP')", "142.20"),
        ("minor_units('500', 'jpy')", "500"),
        ("minor_units(`5120`, 'KWD')", "5.120"),
        ("minor_units(`12345`, 'CLF')", "1.2345"),
        ("minor_units(a, 'GBP')", None),
        ("minor_units(`1`, a)", None),
        ("query_param('https://x.example/?a=1&ttclid=E.C.P.%2B#f', 'ttclid')", "E.C.P.+"),
        ("query_param('https://x.example/?xttclid=1', 'ttclid')", None),
        ("query_param('/p?a+=1', 'a+')", "1"),
        ("query_param(a, 'ttclid')", None),
        ("unix_time('2026-08-20T12:03:22.999Z')", 1787227402),
        ("unix_time('2026-08-20 12:03:22')", 1787227402),
        ("unix_time('2026-08-20T14:03:22+02:00')", 1787227402),
        ("unix_time('Thu, 20 Aug 2026 12:03:22 +0000')", 1787227402),
        ("unix_time(`1787227402`)", 1787227402),
        ("unix_time('1787227402')", 1787227402),
        ("unix_time(`1787227402999`)", 1787227402),
        ("unix_time(`1787227402999999`)", 1787227402),
        ("unix_time(a)", None),
        ("unix_time('')", None),
        (f"sha256_hex_or_raw(' {DIGEST} ')", DIGEST.lower()),
        ("sha256_hex_or_raw(' Ada@Example.com ')", "Ada@Example.com"),
        ("to_string(`7`)", "7"),
        ("to_string(a)", None),
        ("to_string(`true`)", "true"),
        ("phone('07700 900123', 'GB')", "+447700900123"),
        ("phone('06 1234 5678', 'IT')", "+390612345678"),
        ("phone('011 15-2345-6789', 'AR')", "+5491123456789"),
        ("phone('+44 (0)7700 900123', a)", "+447700900123"),
        ("phone('07700 900123', a)", None),
        ("phone('07700 900123', 'US')", None),
        ("phone('07700 900123', 'XX')", None),
        ("phone('call me', 'GB')", None),
        ("phone(a, 'GB')", None),
        ("header('X-Nothing')", None),
        ("a.b[0] || 'none'", "none"),
    ],
)
def test_functions_answer_as_documented(expression: str, value: Any) -> None:
    assert _value(expression, {}) == value


@pytest.mark.parametrize(
    "expression",
    [
        "lower(`5`)",
        "concat(`[]`)",
        "divide(`1`, `0`)",
        "divide('a', `1`)",
        "minor_units('1,000', 'GBP')",
        "unix_time('yesterday')",
        "unix_time(`true`)",
        "to_string(`[]`)",
        'max(`[1, "a"]`)',
    ],
)
def test_what_makes_no_sense_is_raised_not_passed_over(expression: str) -> None:
    with pytest.raises(NOT_COMPUTABLE):
        _value(expression, {})


def test_ids_of_64_bits_keep_every_digit() -> None:
    payload = {"id": 820982911946154508}

    assert _value("id", payload) == 820982911946154508
    assert _value("to_string(id)", payload) == "820982911946154508"
    assert _value("concat('x', id)", payload) == "x820982911946154508"


def test_headers_and_the_whole_body_are_within_reach() -> None:
    assert _value("header('X-Topic')", {}, **{"x-topic": "t"}) == "t"
    assert _value("a[].concat(root().p, @)", {"p": "x", "a": ["1", "2"]}) == ["x1", "x2"]


def test_our_functions_are_those_that_are_documented() -> None:
    documented = "concat default divide header lower minor_units phone query_param root"

    assert set(documented.split()) | {"sha256_hex_or_raw", "trim", "unix_time"} == OWN_FUNCTIONS
