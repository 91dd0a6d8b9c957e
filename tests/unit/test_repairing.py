"""Pages that Postgres refuses as they are, and those that it takes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from airflow_xero.endpoints import ENDPOINTS
from airflow_xero.page import Page
from airflow_xero.repairing import repaired


@pytest.mark.parametrize(
    "body",
    [
        b'{"Name": "plain"}',
        b'{"Name": "\\u00e9"}',
        b'{"Name": "\\ud83c\\udf19"}',
        b'{"Name": "C:\\\\u0000"}',
        '{"Name": "한"}'.encode(),
    ],
    ids=["plain", "escape", "whole-pair", "escaped-backslash", "korean"],
)
def test_a_body_that_needs_no_repair_is_not_copied(body):
    storable, repairs = repaired(body)
    assert storable is body
    assert repairs == 0


@pytest.mark.parametrize(
    ("body", "storable", "repairs"),
    [
        (b"a\\u0000b\\u0000", b"a\\ufffdb\\ufffd", 2),
        (b"a\xed\xa0\xbcb", b"a\xef\xbf\xbdb", 1),
        (b"a\xed\xa0\xbcb\\ud83c\\udf19", b"a\xef\xbf\xbdb\\ud83c\\udf19", 1),
        (b"a\xed\xa0\xbcb\\ud83c", b"a\xef\xbf\xbdb\\ufffd", 2),
    ],
    ids=["nul", "raw-half", "raw-half-and-whole-pair", "two-halves"],
)
def test_what_postgres_refuses_is_replaced_and_counted(body, storable, repairs):
    assert repaired(body) == (storable, repairs)
    assert len(storable) == len(body)


def page_of(body: bytes) -> Page:
    return Page(
        endpoint=ENDPOINTS[0],
        number=1,
        body=body,
        xero_now=datetime(2026, 11, 20, tzinfo=UTC),
        page_count=None,
        item_count=None,
        seconds=0.1,
        calls=1,
        minute_calls_left=None,
        day_calls_left=None,
        is_last=True,
    )


def test_a_storable_page_keeps_no_body_beside_its_own():
    page = page_of(b'{"Name": "a\\u0000b"}')
    storable = page.storable()
    assert (storable.body, storable.repairs) == (b'{"Name": "a\\ufffdb"}', 1)
    assert page.body not in vars(storable).values()


def test_a_page_says_that_nothing_was_replaced():
    page = page_of(b'{"Name": "plain"}')
    assert page.storable().repairs == 0
    assert page.storable().body is page.body
