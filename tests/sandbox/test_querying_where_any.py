"""Any text at all as a filter, and any filter against plain Python."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sandbox.few_invoices import ANA, INVOICES
from xero_sandbox.api.where import parse_where
from xero_sandbox.errors import QueryParseError

words = st.sampled_from(
    (
        "Status", "Contact.ContactID", "Date", "Total", "HasErrors", "Typo", "==", "=", "!=", "<",
        ">=", "AND", "&&", "OR", "||", "NOT", "!", "(", ")", '"PAID"', '"', "'", "-", "5", "1.5",
        "null", "true", f'Guid("{ANA}")', "DateTime(2026,1,1)", "DateTime(", ",", ".",
        '.Contains("a")', ".ToLower()", "\x00", "\ud800", "é", "\\",
    )
)  # fmt: skip


texts = st.text() | st.lists(words, max_size=12).map(" ".join) | st.lists(words).map("".join)


def check_any_text(text: str) -> None:
    try:
        where = parse_where(text, "Invoice")
    except QueryParseError:
        return
    assert {where.matches(record) for record in (*INVOICES, {})} <= {True, False}


@settings(max_examples=100, deadline=None)
@given(texts)
def test_any_text_is_a_filter_or_is_refused(text: str) -> None:
    check_any_text(text)


@pytest.mark.campaign
@settings(max_examples=10_000, deadline=None, derandomize=True)
@given(texts)
def test_any_of_very_many_texts_is_a_filter_or_is_refused(text: str) -> None:
    check_any_text(text)


Condition = tuple[str, Callable[[dict[str, Any]], bool]]
SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@st.composite
def comparisons(draw: st.DrawFn) -> Condition:
    sign = draw(st.sampled_from(sorted(SIGNS)))
    compare = SIGNS[sign]
    if draw(st.booleans()):
        number = draw(st.decimals(-200, 200, places=2))
        field = draw(st.sampled_from(("Total", "AmountDue")))
        return f"{field}{sign}{number}", lambda record: compare(record[field], number)
    text = draw(st.sampled_from(("DRAFT", "PAID", "ACCREC", "")))
    name = draw(st.sampled_from(("Status", "Type")))
    return f'{name.lower()} {sign} "{text}"', lambda record: compare(record[name], text)


def conditions(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    pairs = st.tuples(inner, inner)
    return st.one_of(
        inner.map(lambda one: (f"NOT ({one[0]})", lambda record: not one[1](record))),
        pairs.map(
            lambda two: (
                f"({two[0][0]}) AND ({two[1][0]})",
                lambda record: two[0][1](record) and two[1][1](record),
            )
        ),
        pairs.map(
            lambda two: (
                f"({two[0][0]} || {two[1][0]})",
                lambda record: two[0][1](record) or two[1][1](record),
            )
        ),
    )


@settings(max_examples=100, deadline=None)
@given(st.recursive(comparisons(), conditions, max_leaves=8))
def test_a_filter_says_the_same_as_plain_python(condition: Condition) -> None:
    text, wanted = condition
    found = parse_where(text, "Invoice")
    assert [found.matches(each) for each in INVOICES] == [wanted(each) for each in INVOICES]
