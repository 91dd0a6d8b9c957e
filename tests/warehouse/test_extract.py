"""What an extraction stores, night after night, against the sandbox's own lists."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from airflow_xero.endpoint import Reading
from airflow_xero.endpoints import DEFAULT_ENDPOINTS, report_key
from airflow_xero.errors import BadRequestError, XeroSetupError
from airflow_xero.extract import EndpointCounts
from tests.warehouse.extraction import (
    BY_NAME,
    DAY,
    FIRST_PATHS,
    NIGHTLY_PATHS,
    NOW,
    REPORT_PATHS,
    ConnectedApp,
    invoices_of,
    write_payloads,
)
from xero_sandbox.testing import SandboxServer

DOCUMENTS = [each for each in DEFAULT_ENDPOINTS if each.reading is not Reading.REPORT]
TRAITS = {"invoices_per_day": 6, "currencies": ["EUR", "USD"], "customers": 12}


@pytest.fixture
def xero(xero_sandbox: SandboxServer, warehouse_dsn: str) -> Iterator[ConnectedApp]:
    with ConnectedApp(xero_sandbox, warehouse_dsn) as app:
        yield app


def test_first_extraction_stores_exactly_the_records_that_xero_lists(xero):
    tenant = xero.organisation(days=60, **TRAITS)
    assert xero.extract(tenant).state == "complete"
    for endpoint in DOCUMENTS:
        listed = xero.listed(tenant, endpoint)
        assert xero.stored(tenant, endpoint.name) == listed, endpoint.name


def test_first_extraction_stores_the_trial_balance_of_its_day(xero):
    tenant = xero.organisation(days=60, **TRAITS)
    xero.extract(tenant)
    stored = xero.stored(tenant, "trial_balances")[report_key(BY_NAME["trial_balances"], DAY)]
    assert stored["Rows"] == xero.report(tenant)["Rows"]
    assert stored["Rows"][-1]["Rows"] != []


def test_first_extraction_asks_every_endpoint_once_and_counts_what_came(xero):
    tenant = xero.organisation(days=60, **TRAITS)
    extracted = xero.extract(tenant)
    # Books in several currencies: the end of the year before they began, too.
    assert xero.calls() == [*FIRST_PATHS, "Reports/TrialBalance"]
    assert set(extracted.counts) == {endpoint.name for endpoint in DEFAULT_ENDPOINTS}
    for endpoint in DOCUMENTS:
        counts, count = extracted.counts[endpoint.name], len(xero.listed(tenant, endpoint))
        assert (counts.records_read, counts.records_new, counts.calls) == (count, count, 1)
    stored = xero.rows.execute(
        "select endpoint, records_read, records_new, calls, bytes, finished_at is not null"
        " from xero_ops.extract_endpoints"
    ).fetchall()
    assert sorted(stored) == sorted(
        (name, c.records_read, c.records_new, c.calls, c.bytes, True)
        for name, c in extracted.counts.items()
    )


def test_completion_publishes_the_moment_the_day_and_the_run(xero):
    tenant = xero.organisation()
    run_id = xero.extract(tenant).run_id
    assert xero.one(
        "select state, day, known_at = complete_at, complete_day, complete_run_id,"
        " finished_at >= known_at from xero_ops.extract_runs inner join xero_ops.tenants"
        " using (tenant_id)"
    ) == ("complete", DAY, True, DAY, run_id, True)
    moments = {row[4] for rows in xero.all_rows().values() for row in rows}
    assert moments == {xero.one("select complete_at from xero_ops.tenants")[0]}


def busy_books(xero, *, ago=timedelta(hours=1)):
    """An organisation with a record of every kind, entered an hour ago."""
    xero.set_clock(NOW - ago)
    tenant = xero.organisation()
    xero.do(tenant, "create_contact", name="Aroha")
    paid = xero.do(tenant, "create_invoice", contact="Aroha", amount="115.00")
    xero.do(tenant, "pay", id=paid["InvoiceID"])
    xero.do(tenant, "create_invoice", contact="Aroha", amount="230.00", type="ACCPAY")
    xero.do(tenant, "create_credit_note", contact="Aroha", amount="23.00")
    xero.do(tenant, "create_bank_transaction", contact="Aroha", amount="11.50")
    xero.set_clock(NOW)
    return tenant


def test_unchanged_second_extraction_a_day_later_writes_no_version_and_asks_once_each(xero):
    tenant = busy_books(xero)
    first = xero.extract(tenant)
    before = xero.all_rows()
    assert before["invoices"]
    xero.set_clock(NOW + timedelta(days=1))
    second = xero.extract(tenant)
    assert xero.all_rows() == before
    assert xero.calls() == NIGHTLY_PATHS
    assert second.run_id > first.run_id
    assert {c.records_new + c.records_changed for c in second.counts.values()} == {0}
    assert second.counts["invoices"] == EndpointCounts(
        calls=1, bytes=second.counts["invoices"].bytes
    )


def test_second_extraction_asks_for_changes_since_the_first_less_ten_minutes(xero):
    tenant = busy_books(xero)
    xero.extract(tenant)
    assert xero.asked_since("Invoices") == [None]
    watermark = xero.watermark()
    assert timedelta(0) <= watermark - (NOW - timedelta(minutes=10)) < timedelta(minutes=1)
    xero.set_clock(NOW + timedelta(days=1))
    xero.extract(tenant)
    assert xero.asked_since("Invoices") == [watermark.strftime("%Y-%m-%dT%H:%M:%S")]
    assert xero.asked_since("Accounts") == [None]
    assert xero.watermark() > watermark


def test_changed_record_closes_its_version_and_opens_the_next(xero):
    tenant = xero.organisation()
    contact = xero.do(tenant, "create_contact", name="Aroha")
    other = xero.do(tenant, "create_contact", name="Wiremu")
    xero.extract(tenant)
    xero.do(tenant, "edit_contact", id=contact["ContactID"], email="aroha@example.com")
    xero.set_clock(NOW + timedelta(days=1))
    counts = xero.extract(tenant).counts["contacts"]
    assert (counts.records_new, counts.records_changed) == (0, 1)
    first, second = xero.rows.execute(
        "select known_at from xero_ops.extract_runs order by run_id"
    ).fetchall()
    versions = xero.rows.execute(
        "select record_id, known_from, known_to, payload ->> 'EmailAddress', run_id"
        " from xero_raw.contacts where record_id = any(%s) order by 4 desc, record_id",
        ([contact["ContactID"], other["ContactID"]],),
    ).fetchall()
    assert sorted(versions, key=lambda v: (v[0] != contact["ContactID"], v[1])) == [
        (contact["ContactID"], first[0], second[0], "", 1),
        (contact["ContactID"], second[0], None, "aroha@example.com", 2),
        (other["ContactID"], first[0], None, "", 1),
    ]


def test_second_extraction_within_half_an_hour_of_xeros_clock_reads_only_the_organisation(xero):
    tenant = busy_books(xero)
    xero.extract(tenant)
    xero.set_clock(NOW + timedelta(minutes=28))
    assert xero.extract(tenant).state == "complete"
    assert xero.calls() == ["Organisation"]


def test_another_day_within_half_an_hour_reads_only_the_organisation_and_its_reports(xero):
    tenant = busy_books(xero)
    xero.extract(tenant)
    xero.set_clock(NOW + timedelta(minutes=28))
    xero.extract(tenant, DAY - timedelta(days=1))
    assert xero.calls() == ["Organisation", *REPORT_PATHS]
    assert len(xero.stored(tenant, "trial_balances")) == 2


def test_who_wants_it_fresh_gets_everything_of_the_day_within_half_an_hour(xero):
    tenant = busy_books(xero)
    xero.extract(tenant)
    xero.set_clock(NOW + timedelta(minutes=5))
    assert xero.extract(tenant, fresh=True).state == "complete"
    assert xero.calls() == NIGHTLY_PATHS
    (since,) = xero.asked_since("Invoices")
    assert str(since).startswith("2026-11-20T11:50:")


def test_another_try_of_a_run_that_wants_it_fresh_goes_on_where_the_first_one_stopped(xero):
    xero.sandbox.control("POST", "limits", {"enabled": False})
    tenant = busy_books(xero)
    xero.extract(tenant)
    xero.fault("Payments", status=400)
    with pytest.raises(BadRequestError):
        xero.extract(tenant, fresh=True, dag_run_id="manual__1")
    asked = xero.calls()
    assert asked[-1] == "Payments"
    xero.end_faults()
    xero.extract(tenant, fresh=True, dag_run_id="manual__1")
    left = NIGHTLY_PATHS[len(asked) - 1 :]
    assert xero.calls() == ["Organisation", *left]
    # Another run begins anew.
    xero.extract(tenant, fresh=True, dag_run_id="manual__2")
    assert xero.calls() == NIGHTLY_PATHS


def test_everything_is_read_again_after_half_an_hour_of_xeros_clock(xero):
    tenant = busy_books(xero)
    xero.extract(tenant)
    xero.set_clock(NOW + timedelta(minutes=31))
    xero.extract(tenant)
    assert xero.calls() == NIGHTLY_PATHS


def test_everything_is_read_whole_when_xeros_clock_was_set_back(xero):
    tenant = busy_books(xero, ago=timedelta(days=3))
    xero.extract(tenant)
    xero.set_clock(NOW - timedelta(days=2))
    xero.extract(tenant)
    assert xero.calls() == [path for path in FIRST_PATHS if path != "Reports/BudgetSummary"]
    assert xero.asked_since("Invoices") == [None]
    assert xero.watermark() < NOW - timedelta(days=1)


def test_late_run_of_an_earlier_day_does_not_take_the_later_day_back(xero):
    tenant = xero.organisation()
    xero.extract(tenant)
    late = xero.extract(tenant, DAY - timedelta(days=3)).run_id
    assert xero.one("select complete_day, complete_run_id from xero_ops.tenants") == (DAY, late)


def test_a_day_that_has_begun_nowhere_is_refused_and_publishes_nothing(xero):
    tenant = xero.organisation()
    with pytest.raises(XeroSetupError, match="2062-11-20 has not begun"):
        xero.extract(tenant, date(2062, 11, 20))
    assert xero.one("select complete_day from xero_ops.tenants") == (None,)


def test_a_day_that_has_begun_in_the_easternmost_time_zone_is_extracted(xero):
    tenant = xero.organisation()
    assert xero.extract(tenant, (NOW + timedelta(hours=14)).date()).state == "complete"


def given(tmp_path: Path, **changes: object) -> Path:
    resources: dict[str, list[object]] = {
        "Accounts": [{"AccountID": "a-200", "Code": "200"}, {"AccountID": "a-400", "Code": "400"}],
        "TaxRates": [{"TaxType": "OUTPUT2", "Name": "15%"}],
        "Currencies": [{"Code": "NZD"}],
        "Invoices": invoices_of(2),
    }
    return write_payloads(tmp_path, **{**resources, **changes})  # type: ignore[arg-type]


def test_account_and_tax_rate_that_vanished_are_deleted_and_documents_are_not(xero, tmp_path):
    tenant = xero.payloads(given(tmp_path))
    xero.extract(tenant)
    left = {"AccountID": "a-200", "Code": "200"}
    other = {"TaxType": "NONE", "Name": "None"}
    xero.serve(given(tmp_path, Accounts=[left], TaxRates=[other]))
    xero.set_clock(NOW + timedelta(days=8))
    counts = xero.extract(tenant).counts
    assert {name: c.records_deleted for name, c in counts.items() if c.records_deleted} == {
        "accounts": 1,
        "tax_rates": 1,
    }
    assert set(xero.stored(tenant, "accounts")) == {"a-200"}
    assert len(xero.stored(tenant, "invoices")) == 2
    assert xero.rows.execute(
        "select is_deleted, known_to is null, run_id from xero_raw.accounts"
        " where record_id = 'a-400' order by known_from"
    ).fetchall() == [(False, False, 1), (True, True, 2)]


def test_organisation_without_any_data_completes(xero, tmp_path):
    tenant = xero.payloads(write_payloads(tmp_path / "empty", Accounts=[]))
    extracted = xero.extract(tenant)
    assert (extracted.state, xero.run()) == ("complete", ("complete", None))
    assert xero.calls() == FIRST_PATHS
    reports = {each.name for each in DEFAULT_ENDPOINTS if each.reading is Reading.REPORT}
    read = {name for name, counts in extracted.counts.items() if counts.records_read}
    assert read == {"organisations", *reports}


@pytest.mark.parametrize(
    "name",
    ['Ngā <b>"Pukapuka"</b> & Sons\' 🌙', "'; drop schema xero_raw cascade; --", "%s {0} \\u0000"],
)
def test_names_with_markup_quotes_and_emoji_arrive_as_they_are(xero, name):
    tenant = xero.organisation(name, days=2)
    assert tenant.tenant_name == name
    xero.extract(tenant)
    [organisation] = xero.stored(tenant, "organisations").values()
    assert organisation["Name"] == name
    assert xero.stored(tenant, "contacts") == xero.listed(tenant, BY_NAME["contacts"])


def test_two_organisations_are_stored_apart(xero):
    kauri = xero.sandbox.control("POST", "organisations", {"name": "A", "seed": 1, "days": 5})
    other = xero.sandbox.control("POST", "organisations", {"name": "B", "seed": 2, "days": 5})
    first = xero.connect_to(kauri["tenantId"], other["tenantId"])
    second = xero.connect_to(other["tenantId"], kauri["tenantId"])
    for tenant in (first, second):
        xero.extract(tenant)
    for tenant in (first, second):
        assert xero.stored(tenant, "contacts") == xero.listed(tenant, BY_NAME["contacts"])


def envelope(records: str) -> str:
    now = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    return (
        f'{{"Status":"OK","DateTimeUTC":"/Date({int(now.timestamp() * 1000)})/",'
        '"pagination":{"page":1,"pageSize":1000,"pageCount":1,"itemCount":1},'
        f'"Invoices":[{records}]}}'
    )


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        (r"a\u0000b", "a\ufffdb"),
        (r"half \ud83c moon", "half \ufffd moon"),
        (r"\udf19 other half", "\ufffd other half"),
        (r"\ud83c\udf19", "🌙"),
        (r"C:\\u0000", r"C:\u0000"),
    ],
    ids=["nul", "high-half", "low-half", "whole-pair", "escaped-backslash"],
)
def test_text_that_postgres_refuses_does_not_stop_the_extraction(xero, written, stored):
    tenant = xero.organisation()
    body = envelope(f'{{"InvoiceID":"a","Reference":"{written}"}},{{"InvoiceID":"b"}}')
    headers = {"Content-Type": "application/json; charset=utf-8"}
    xero.fault("Invoices", status=200, body=body, headers=headers)
    counts = xero.extract(tenant).counts["invoices"]
    assert xero.stored(tenant, "invoices")["a"]["Reference"] == stored
    assert counts.records_repaired == int("\ufffd" in stored)


def test_record_with_a_nul_in_given_payloads_arrives_with_a_mark_in_its_place(xero, tmp_path):
    records = [{**record, "Reference": "a\0b"} for record in invoices_of(2)]
    tenant = xero.payloads(given(tmp_path, Invoices=records))
    assert xero.extract(tenant).counts["invoices"].records_repaired == 2
    references = {r["Reference"] for r in xero.stored(tenant, "invoices").values()}
    assert references == {"a\ufffdb"}


def test_half_of_an_emoji_that_xero_sends_as_raw_bytes_does_not_stop_the_extraction(xero, tmp_path):
    records = [{**invoices_of(1)[0], "Reference": "half \ud83c moon"}]
    tenant = xero.payloads(given(tmp_path, Invoices=records))
    assert json.dumps(records).count(r"\ud83c") == 1
    assert xero.extract(tenant).counts["invoices"].records_repaired == 1
    [stored] = xero.stored(tenant, "invoices").values()
    assert stored["Reference"] == "half \ufffd moon"
