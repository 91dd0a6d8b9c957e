"""Pages into versioned rows, against a real Postgres."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import psycopg
import pytest

from airflow_xero.endpoints import ENDPOINTS, Endpoint
from airflow_xero.errors import UnexpectedPayloadError, VanishedError
from airflow_xero.page import Page
from airflow_xero.progress import OVERLAP, Walk
from airflow_xero.raw import RawStore

BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS}
INVOICES = BY_NAME["invoices"]
ACCOUNTS = BY_NAME["accounts"]
TRIAL_BALANCES = BY_NAME["trial_balances"]
TENANT = "11111111-2222-3333-4444-555555555555"
XERO_NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
WALK = Walk(None, XERO_NOW, 1)
FIRST_NIGHT = datetime(2026, 11, 20, 12, 1, tzinfo=UTC)
SECOND_NIGHT = FIRST_NIGHT + timedelta(days=1)


@pytest.fixture
def warehouse(warehouse_dsn: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(warehouse_dsn) as connection:
        connection.execute(
            "insert into xero_ops.tenants (tenant_id, tenant_name) values (%s, 'Kauri')", (TENANT,)
        )
        connection.execute(
            "insert into xero_ops.extract_runs (tenant_id, day, known_at, state)"
            " select %s, '2026-11-20', %s::timestamptz + n * interval '1 day', 'running'"
            " from generate_series(0, 2) as n",
            (TENANT, FIRST_NIGHT),
        )
        connection.commit()
        yield connection


def store(warehouse, *, run_id=1, known_at=FIRST_NIGHT, **agreed):
    return RawStore(warehouse, tenant_id=TENANT, run_id=run_id, known_at=known_at, **agreed)


def second_night(warehouse, **agreed):
    return store(warehouse, run_id=2, known_at=SECOND_NIGHT, **agreed)


def page_of(endpoint: Endpoint, records: list[Any] | bytes, **changes: Any) -> Page:
    body = records if isinstance(records, bytes) else envelope(endpoint, records)
    page = Page(
        endpoint=endpoint,
        number=1,
        body=body,
        xero_now=XERO_NOW,
        page_count=1,
        item_count=None,
        seconds=0.25,
        calls=1,
        minute_calls_left=59,
        day_calls_left=4999,
        is_last=True,
        tenant_id=TENANT,
    )
    return replace(page, **changes)


def envelope(endpoint: Endpoint, records: list[Any]) -> bytes:
    return json.dumps({"Status": "OK", endpoint.array_key: records}).encode()


def invoice(number: int, **fields: Any) -> dict[str, Any]:
    return {"InvoiceID": f"inv-{number}", "Total": 40, **fields}


def pour(raw: RawStore, page: Page, **arguments: Any):
    return raw.pour(page, walk=arguments.pop("walk", WALK), **arguments)


def versions(warehouse, table="invoices"):
    return warehouse.execute(
        f"select record_id, known_from, known_to, is_deleted, run_id from xero_raw.{table}"
        " order by record_id, known_from"
    ).fetchall()


def test_new_records_are_stored_as_they_came(warehouse):
    body = b'{"Invoices":[{"InvoiceID":"a","Total":40.00,"Rate":0.1234567891,"Gone":null}]}'
    poured = pour(store(warehouse), page_of(INVOICES, body))
    stored = warehouse.execute("select payload::text from xero_raw.invoices").fetchall()
    # jsonb sorts the keys and keeps every digit.
    assert stored == [('{"Gone": null, "Rate": 0.1234567891, "Total": 40.00, "InvoiceID": "a"}',)]
    assert (poured.records_read, poured.records_new) == (1, 1)


def test_unchanged_record_costs_no_write(warehouse):
    pour(store(warehouse), page_of(INVOICES, [invoice(1), invoice(2)]))
    before = warehouse.execute("select ctid, xmin, * from xero_raw.invoices").fetchall()
    poured = pour(second_night(warehouse), page_of(INVOICES, [invoice(1), invoice(2)]))
    after = warehouse.execute("select ctid, xmin, * from xero_raw.invoices").fetchall()
    assert after == before
    assert (poured.records_read, poured.records_new, poured.records_changed) == (2, 0, 0)


def test_walk_without_page_numbers_remembers_an_edit_until_its_empty_last_page(warehouse):
    raw = store(warehouse)
    edited = invoice(1, UpdatedDateUTC=f"/Date({int(XERO_NOW.timestamp() * 1000)}+0000)/")
    first = pour(raw, page_of(INVOICES, [edited], is_last=False, page_count=None))
    last = page_of(INVOICES, [], number=2, page_count=None)
    assert first.has_edited
    assert pour(raw, last, edited_before=first.has_edited).is_shifted
    assert not pour(raw, last, edited_before=False).is_shifted


def test_changed_record_closes_its_version_and_opens_another(warehouse):
    pour(store(warehouse), page_of(INVOICES, [invoice(1), invoice(2)]))
    poured = pour(second_night(warehouse), page_of(INVOICES, [invoice(1, Total=41)]))
    assert versions(warehouse) == [
        ("inv-1", FIRST_NIGHT, SECOND_NIGHT, False, 1),
        ("inv-1", SECOND_NIGHT, None, False, 2),
        ("inv-2", FIRST_NIGHT, None, False, 1),
    ]
    assert (poured.records_new, poured.records_changed) == (0, 1)


def test_amount_that_is_only_written_differently_opens_another_version(warehouse):
    for night, total in ((store(warehouse), b"40"), (second_night(warehouse), b"40.00")):
        pour(night, page_of(INVOICES, b'{"Invoices":[{"InvoiceID":"inv-1","Total":%s}]}' % total))
    stored = warehouse.execute(
        "select payload ->> 'Total' from xero_raw.invoices order by known_from"
    ).fetchall()
    assert stored == [("40",), ("40.00",)]


def test_unchanged_record_too_large_for_a_block_costs_no_write(warehouse):
    random = Random(7)
    lines = [{"LineItemID": random.randbytes(500).hex()} for _ in range(50)]
    for night in (store(warehouse), second_night(warehouse)):
        pour(night, page_of(INVOICES, [invoice(1, LineItems=lines)]))
    assert versions(warehouse) == [("inv-1", FIRST_NIGHT, None, False, 1)]


def test_record_that_changes_twice_within_a_run_is_replaced_in_place(warehouse):
    pour(store(warehouse), page_of(INVOICES, [invoice(1)]))
    pour(store(warehouse), page_of(INVOICES, [invoice(1, Total=99)]))
    assert versions(warehouse) == [("inv-1", FIRST_NIGHT, None, False, 1)]
    assert warehouse.execute("select payload ->> 'Total' from xero_raw.invoices").fetchall() == [
        ("99",)
    ]


def test_record_listed_twice_on_a_page_keeps_the_later_mention(warehouse):
    poured = pour(store(warehouse), page_of(INVOICES, [invoice(1, Total=1), invoice(1, Total=2)]))
    assert warehouse.execute("select payload ->> 'Total' from xero_raw.invoices").fetchall() == [
        ("2",)
    ]
    assert (poured.records_read, poured.records_new) == (2, 1)


def account(code: str, **fields: Any) -> dict[str, Any]:
    return {"AccountID": f"account-{code}", "Code": code, **fields}


def test_account_missing_from_a_full_read_is_marked_as_deleted(warehouse):
    pour(store(warehouse), page_of(ACCOUNTS, [account("200"), account("400")]))
    poured = pour(second_night(warehouse), page_of(ACCOUNTS, [account("200")]))
    assert poured.records_deleted == 1
    assert versions(warehouse, "accounts") == [
        ("account-200", FIRST_NIGHT, None, False, 1),
        ("account-400", FIRST_NIGHT, SECOND_NIGHT, False, 1),
        ("account-400", SECOND_NIGHT, None, True, 2),
    ]


def test_deleted_account_stays_as_it_is_when_it_is_missing_again(warehouse):
    pour(store(warehouse), page_of(ACCOUNTS, [account("200"), account("400")]))
    pour(second_night(warehouse), page_of(ACCOUNTS, [account("200")]))
    before = versions(warehouse, "accounts")
    third = store(warehouse, run_id=3, known_at=SECOND_NIGHT + timedelta(days=1))
    assert pour(third, page_of(ACCOUNTS, [account("200")])).records_deleted == 0
    assert versions(warehouse, "accounts") == before


def test_account_that_comes_back_unchanged_gets_a_new_version(warehouse):
    third_night = SECOND_NIGHT + timedelta(days=1)
    pour(store(warehouse), page_of(ACCOUNTS, [account("200"), account("400")]))
    pour(second_night(warehouse), page_of(ACCOUNTS, [account("200")]))
    third = store(warehouse, run_id=3, known_at=third_night)
    pour(third, page_of(ACCOUNTS, [account("200"), account("400")]))
    assert versions(warehouse, "accounts")[-1] == ("account-400", third_night, None, False, 3)


def test_record_missing_from_a_read_of_changes_is_not_deleted(warehouse):
    pour(store(warehouse), page_of(INVOICES, [invoice(1)]))
    changes = Walk(XERO_NOW, XERO_NOW, 1)
    poured = pour(second_night(warehouse), page_of(INVOICES, []), walk=changes)
    assert poured.records_deleted == 0
    assert versions(warehouse) == [("inv-1", FIRST_NIGHT, None, False, 1)]


def test_accounts_suddenly_empty_are_refused_until_somebody_agrees(warehouse):
    pour(store(warehouse), page_of(ACCOUNTS, [account("200")]))
    with pytest.raises(UnexpectedPayloadError, match="empty") as refused:
        pour(second_night(warehouse), page_of(ACCOUNTS, []))
    assert (refused.value.endpoint, refused.value.tenant_id) == ("accounts", TENANT)
    assert f'{{"accept_deletions": ["{TENANT}"]}}' in refused.value.message
    assert versions(warehouse, "accounts") == [("account-200", FIRST_NIGHT, None, False, 1)]
    agreed = second_night(warehouse, accept_deletions=True)
    assert pour(agreed, page_of(ACCOUNTS, [])).records_deleted == 1


def test_reading_of_all_invoices_suddenly_empty_is_refused_until_somebody_agrees(warehouse):
    pour(store(warehouse), page_of(INVOICES, [invoice(1)]))
    with pytest.raises(UnexpectedPayloadError, match="empty"):
        pour(second_night(warehouse), page_of(INVOICES, []))
    agreed = second_night(warehouse, accept_deletions=True)
    assert pour(agreed, page_of(INVOICES, [])).records_read == 0


def test_budget_asked_for_by_its_id_that_does_not_come_is_refused(warehouse):
    with pytest.raises(UnexpectedPayloadError, match="0 records"):
        pour(store(warehouse), page_of(BY_NAME["budgets"], []), walk=None)


def test_short_list_that_is_suddenly_empty_keeps_its_records_until_somebody_agrees(warehouse):
    groups = BY_NAME["contact_groups"]
    pour(store(warehouse), page_of(groups, [{"ContactGroupID": "a", "Status": "ACTIVE"}]))
    with pytest.raises(VanishedError):
        pour(second_night(warehouse), page_of(groups, []))
    assert versions(warehouse, "contact_groups") == [("a", FIRST_NIGHT, None, False, 1)]
    agreed = second_night(warehouse, accept_deletions=True)
    assert pour(agreed, page_of(groups, [])).records_deleted == 1


def test_first_read_of_an_empty_tenant_is_no_fault(warehouse):
    assert pour(store(warehouse), page_of(ACCOUNTS, [])).records_read == 0


REPORT = {"ReportID": "TrialBalance", "ReportTitles": ["Trial Balance"], "Rows": [{"Cells": []}]}
REPORT_KEY = "TrialBalance:2026-11-20:accrual"


def test_report_with_other_titles_but_the_same_rows_is_unchanged(warehouse):
    pour(store(warehouse), page_of(TRIAL_BALANCES, [REPORT]), report_key=REPORT_KEY)
    retitled = {**REPORT, "ReportTitles": ["other"], "UpdatedDateUTC": "/Date(1)/"}
    pour(second_night(warehouse), page_of(TRIAL_BALANCES, [retitled]), report_key=REPORT_KEY)
    assert versions(warehouse, "trial_balances") == [(REPORT_KEY, FIRST_NIGHT, None, False, 1)]


def test_report_with_other_rows_gets_a_new_version(warehouse):
    pour(store(warehouse), page_of(TRIAL_BALANCES, [REPORT]), report_key=REPORT_KEY)
    other = {**REPORT, "Rows": []}
    pour(second_night(warehouse), page_of(TRIAL_BALANCES, [other]), report_key=REPORT_KEY)
    assert len(versions(warehouse, "trial_balances")) == 2


@pytest.mark.parametrize(
    ("written", "stored", "repairs"),
    [
        (rb'"a\u0000b"', "a\ufffdb", 1),
        (rb'"\u0000\u0000"', "\ufffd\ufffd", 1),
        (rb'"back\\u0000slash"', "back\\u0000slash", 0),
        (rb'"\\\u0000"', "\\\ufffd", 1),
        (rb'"\ud83c\udf19 moon"', "🌙 moon", 0),
        (rb'"half \ud83c moon"', "half \ufffd moon", 1),
        (rb'"half \udf19 moon"', "half \ufffd moon", 1),
    ],
    ids=["nul", "two", "escaped-backslash", "odd-backslashes", "pair", "high-half", "low-half"],
)
def test_escapes_that_postgres_refuses_are_repaired_and_counted(
    warehouse, written, stored, repairs
):
    body = b'{"Invoices":[{"InvoiceID":"a","Reference":%s},{"InvoiceID":"b"}]}' % written
    poured = pour(store(warehouse), page_of(INVOICES, body))
    reference = warehouse.execute(
        "select payload ->> 'Reference' from xero_raw.invoices where record_id = 'a'"
    ).fetchone()
    assert reference == (stored,)
    assert poured.records_repaired == repairs


@pytest.mark.parametrize(
    "body",
    [
        b"<html>The Xero API is currently offline</html>",
        b"",
        b'{"Invoices":[{"InvoiceID":"a"},{"Invoi',
        b'{"Invoices":[{"InvoiceID":"a"}]}\x00',
        b'{"Invoices":[{"InvoiceID":"\xff"}]}',
        b'{"Other":[]}',
        b'{"Invoices":{"InvoiceID":"a"}}',
        b'{"Invoices":[{"InvoiceID":"a"},{"Total":40}]}',
        b'{"Invoices":[{"InvoiceID":"a"},{"InvoiceID":""}]}',
        b'{"Invoices":[{"InvoiceID":"a"},"text"]}',
        b'{"Invoices":[{"InvoiceID":"a","Total":1e999999}]}',
    ],
    ids=[
        "html",
        "nothing",
        "cut",
        "nul-byte",
        "not-utf8",
        "no-array",
        "object",
        "no-id",
        "empty-id",
        "text-record",
        "absurd-number",
    ],
)
def test_page_that_is_not_as_documented_is_refused_whole(warehouse, body):
    with pytest.raises(UnexpectedPayloadError) as refused:
        pour(store(warehouse), page_of(INVOICES, body))
    assert (refused.value.endpoint, refused.value.tenant_id) == ("invoices", TENANT)
    assert versions(warehouse) == []
    assert warehouse.execute("select count(*) from xero_ops.watermarks").fetchone() == (0,)
    assert warehouse.execute("select count(*) from xero_ops.extract_endpoints").fetchone() == (0,)


@pytest.mark.parametrize("records", [[], [REPORT, REPORT], [{"ReportID": "TrialBalance"}]])
def test_report_answer_without_exactly_one_report_with_rows_is_refused(warehouse, records):
    with pytest.raises(UnexpectedPayloadError):
        pour(store(warehouse), page_of(TRIAL_BALANCES, records), report_key=REPORT_KEY)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("/Date(1573755038314)/", datetime(2019, 11, 14, 18, 10, 38, 314000, tzinfo=UTC)),
        ("/Date(1573755038314+1300)/", datetime(2019, 11, 14, 18, 10, 38, 314000, tzinfo=UTC)),
        ("/Date(-62135596800000+0000)/", datetime(1, 1, 1, tzinfo=UTC)),
        ("/Date(0+0000)/", datetime(1970, 1, 1, tzinfo=UTC)),
        ("/Date(253402214400000)/", datetime(9999, 12, 31, tzinfo=UTC)),
        ("yesterday", None),
        ("/Date(123456789012345678901234567890)/", None),
        (None, None),
    ],
    ids=["plain", "offset", "year-1", "epoch", "year-9999", "words", "too-far", "null"],
)
def test_xero_updated_at_is_read_from_the_wire_format(warehouse, text, moment):
    pour(store(warehouse), page_of(INVOICES, [invoice(1, UpdatedDateUTC=text)]))
    assert warehouse.execute("select xero_updated_at from xero_raw.invoices").fetchall() == [
        (moment,)
    ]


def test_watermark_moves_with_the_last_page_only(warehouse):
    raw = store(warehouse)
    pour(raw, page_of(INVOICES, [invoice(1)], page_count=2, is_last=False))
    assert raw.watermark(INVOICES) is None
    assert raw.walk_cut_short(INVOICES) == Walk(None, XERO_NOW, 2)
    later = XERO_NOW + timedelta(minutes=3)
    pour(raw, page_of(INVOICES, [invoice(2)], number=2, page_count=2, xero_now=later))
    assert raw.watermark(INVOICES) == XERO_NOW - OVERLAP
    assert raw.walk_cut_short(INVOICES) is None


def test_counts_of_all_pages_add_up(warehouse):
    raw = store(warehouse)
    pour(raw, page_of(INVOICES, [invoice(1)], page_count=2, is_last=False, calls=3))
    pour(raw, page_of(INVOICES, [invoice(1, Total=7), invoice(2)], number=2, page_count=2))
    row = warehouse.execute(
        "select records_read, records_new, records_changed, calls, seconds::text,"
        " minute_calls_left, day_calls_left, finished_at is not null"
        " from xero_ops.extract_endpoints where run_id = 1 and endpoint = 'invoices'"
    ).fetchone()
    assert row == (3, 2, 1, 4, "0.500", 59, 4999, True)


def test_two_tenants_with_the_same_record_ids_stay_apart(warehouse):
    other = "99999999-2222-3333-4444-555555555555"
    warehouse.execute(
        "insert into xero_ops.tenants (tenant_id, tenant_name) values (%s, 'B')", (other,)
    )
    warehouse.commit()
    pour(store(warehouse), page_of(ACCOUNTS, [account("200")]))
    pour(
        RawStore(warehouse, tenant_id=other, run_id=2, known_at=SECOND_NIGHT),
        page_of(ACCOUNTS, [account("400")]),
    )
    current = warehouse.execute(
        "select tenant_id::text, record_id from xero_raw.accounts where not is_deleted"
    ).fetchall()
    assert sorted(current) == [(TENANT, "account-200"), (other, "account-400")]
