"""Changes that Xero does not stamp, records that vanish, settings made since the weekly read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_xero import rereads
from airflow_xero.already_read import endpoints_read
from airflow_xero.endpoints import DEFAULT_ENDPOINTS, ENDPOINTS
from airflow_xero.errors import UnavailableError
from airflow_xero.extract import Tenant
from tests.warehouse.extraction import (
    BY_NAME,
    NIGHTLY_PATHS,
    NOW,
    ConnectedApp,
    invoice,
    invoices_of,
    is_page,
    write_payloads,
)
from xero_sandbox.testing import SandboxServer

INVOICES = BY_NAME["invoices"]
LONG_AGO = NOW - timedelta(days=30)


@pytest.fixture
def xero(xero_sandbox: SandboxServer, warehouse_dsn: str) -> Iterator[ConnectedApp]:
    with ConnectedApp(xero_sandbox, warehouse_dsn) as app:
        app.endpoints = DEFAULT_ENDPOINTS
        yield app


def night(xero: ConnectedApp, number: int) -> None:
    xero.set_clock(NOW + timedelta(days=number))


def wanted(xero: ConnectedApp, tenant: Tenant) -> set[str]:
    """The endpoints that are to be read whole."""
    states = rereads.states_of(xero.rows, tenant.tenant_id)
    return {name for name, state in states.items() if state.wanted_reason is not None}


# Re-reading


def test_quiet_day_takes_twenty_one_calls_and_four_for_the_rereading(xero):
    tenant = xero.organisation(days=20)
    xero.extract(tenant)
    night(xero, 1)
    xero.extract(tenant)
    reread = ["Contacts", "Invoices", "CreditNotes", "BankTransactions"]
    assert len(NIGHTLY_PATHS) == 21
    assert sorted(xero.calls()) == sorted([*NIGHTLY_PATHS, *reread])


def test_edit_that_moves_no_stamp_arrives_with_the_rereading(xero, tmp_path):
    tenant = xero.payloads(write_payloads(tmp_path, Invoices=invoices_of(3, LONG_AGO)))
    xero.extract(tenant)
    edited = [{**each, "DueDateString": "2026-12-24T00:00:00"} for each in invoices_of(3, LONG_AGO)]
    xero.serve(write_payloads(tmp_path, Invoices=edited))
    night(xero, 1)
    counts = xero.extract(tenant).counts["invoices"]
    assert (counts.calls, counts.records_changed) == (2, 3)
    assert xero.stored(tenant, "invoices") == xero.listed(tenant, INVOICES)


def test_large_list_is_reread_in_shares_until_all_of_it_was_seen(xero, tmp_path):
    xero.endpoints = [
        replace(each, reread_nights=2 if each.name == "invoices" else 0)
        for each in DEFAULT_ENDPOINTS
    ]
    records = [invoice(number, LONG_AGO) for number in range(3500)]
    tenant = xero.payloads(write_payloads(tmp_path, Invoices=records))
    xero.extract(tenant)
    xero.serve(write_payloads(tmp_path, Invoices=[{**each, "Total": -1} for each in records]))
    changed = []
    for number in (1, 2, 3):
        night(xero, number)
        changed.append(xero.extract(tenant).counts["invoices"].records_changed)
    assert changed == [2000, 1500, 0]
    assert xero.stored(tenant, "invoices") == xero.listed(tenant, INVOICES)


def test_share_that_is_read_again_leaves_its_list_read(xero, tmp_path):
    listed = [invoice(number, LONG_AGO) for number in range(2500)]
    tenant = xero.payloads(write_payloads(tmp_path, Invoices=listed))
    xero.extract(tenant)
    night(xero, 1)
    xero.extract(tenant, dag_run_id="tonight")
    assert xero.calls("Invoices") == ["1", "1"]
    assert "invoices" in endpoints_read(xero.rows, tenant.tenant_id, dag_run_id="tonight")


def test_first_extraction_rereads_nothing(xero):
    tenant = xero.organisation(days=5)
    assert xero.extract(tenant).counts["invoices"].calls == 1


def test_record_that_was_missed_is_fetched_by_a_whole_walk_after_two_nights(xero, tmp_path):
    xero.endpoints = [
        replace(each, reread_nights=30 if each.name == "invoices" else 0)
        for each in DEFAULT_ENDPOINTS
    ]
    records = [invoice(number, LONG_AGO) for number in range(2500)]
    tenant = xero.payloads(write_payloads(tmp_path, Invoices=records))
    xero.extract(tenant)
    # As if it had slipped past every walk: it is on the last page, far from the first share.
    missed = records[2400]["InvoiceID"]
    xero.rows.execute("delete from xero_raw.invoices where record_id = %s", (missed,))
    night(xero, 1)
    xero.extract(tenant)
    assert missed not in xero.stored(tenant, "invoices")
    night(xero, 2)
    xero.extract(tenant)
    assert xero.stored(tenant, "invoices") == xero.listed(tenant, INVOICES)


def test_records_that_xero_no_longer_lists_are_an_alarm_on_the_second_night(xero, tmp_path):
    tenant = xero.payloads(write_payloads(tmp_path, Invoices=invoices_of(4, LONG_AGO)))
    xero.extract(tenant)
    xero.serve(write_payloads(tmp_path, Invoices=invoices_of(3, LONG_AGO)))
    gaps = []
    for number in (1, 2):
        night(xero, number)
        gaps.append(xero.extract(tenant).gaps)
    assert gaps == [
        {},
        {"invoices": "Xero lists 1 records fewer than are stored: nobody may delete them"},
    ]
    assert len(xero.stored(tenant, "invoices")) == 4


def test_endpoint_that_somebody_wants_again_is_read_whole_once(xero, tmp_path):
    tenant = xero.payloads(write_payloads(tmp_path, Invoices=invoices_of(1500, LONG_AGO)))
    xero.extract(tenant)
    rereads.want(xero.rows, tenant.tenant_id, INVOICES, reason="the tie-out is broken")
    night(xero, 1)
    xero.extract(tenant)
    assert xero.calls("Invoices") == ["1", "1", "2"]
    night(xero, 2)
    xero.extract(tenant)
    assert xero.calls("Invoices") == ["1", "1"]


def test_endpoint_that_is_wanted_stays_so_when_each_reading_was_edited(xero, tmp_path):
    tenant = xero.payloads(write_payloads(tmp_path, Invoices=invoices_of(1500, LONG_AGO)))
    xero.extract(tenant)
    rereads.want(xero.rows, tenant.tenant_id, INVOICES, reason="the tie-out is broken")
    night(xero, 1)
    edits = iter(range(9))

    def edit(response):
        if is_page(response, "Invoices", 1):
            records = invoices_of(1500, LONG_AGO)
            stamp = f"/Date({int((NOW + timedelta(days=1)).timestamp() * 1000)}+0000)/"
            records[0] |= {"Total": next(edits) + 5000, "UpdatedDateUTC": stamp}
            xero.serve(write_payloads(tmp_path, Invoices=[*records[1:], records[0]]))

    assert "invoices" in xero.extract(tenant, on_response=edit).gaps
    assert wanted(xero, tenant) == {"invoices"}
    night(xero, 2)
    assert xero.extract(tenant).gaps == {}
    assert wanted(xero, tenant) == set()
    assert xero.stored(tenant, "invoices") == xero.listed(tenant, INVOICES)


# Lists that say what was deleted


def items_of(count: int) -> list[dict[str, object]]:
    return [{"ItemID": f"item-{number}", "Code": f"I{number}"} for number in range(count)]


def test_list_that_loses_most_of_its_records_at_once_is_an_alarm_and_keeps_them(xero, tmp_path):
    tenant = xero.payloads(write_payloads(tmp_path, Items=items_of(12)))
    xero.extract(tenant)
    xero.serve(write_payloads(tmp_path, Items=items_of(2)))
    night(xero, 1)
    extracted = xero.extract(tenant)
    assert "Xero lists 2 of 12 records" in extracted.gaps["items"]
    assert f'{{"accept_deletions": ["{tenant.tenant_id}"]}}' in xero.run()[1]
    assert len(xero.stored(tenant, "items")) == 12
    extracted = xero.extract(tenant, accept_deletions=True)
    assert (extracted.gaps, len(xero.stored(tenant, "items"))) == ({}, 2)


def test_list_in_pages_of_a_hundred_marks_what_is_gone(xero, tmp_path):
    def links(count: int) -> list[dict[str, str]]:
        return [{"LinkedTransactionID": f"link-{number}"} for number in range(count)]

    tenant = xero.payloads(write_payloads(tmp_path, LinkedTransactions=links(230)))
    xero.extract(tenant)
    assert len(xero.stored(tenant, "linked_transactions")) == 230
    xero.serve(write_payloads(tmp_path, LinkedTransactions=links(180)))
    night(xero, 8)
    counts = xero.extract(tenant).counts["linked_transactions"]
    # What is missing from one walk is looked for by another.
    assert xero.calls("LinkedTransactions") == ["1", "2", "3"] * 2
    assert (counts.records_read, counts.records_deleted) == (2 * 180, 50)
    assert len(xero.stored(tenant, "linked_transactions")) == 180


# Cadence


def test_settings_are_read_weekly(xero):
    tenant = xero.organisation()
    xero.extract(tenant)
    read = []
    for number in (1, 6, 7, 8):
        night(xero, number)
        xero.extract(tenant)
        read.append("TaxRates" in xero.calls())
    assert read == [False, False, True, False]


def test_budget_summary_is_read_once_a_month(xero):
    tenant = xero.organisation()
    xero.extract(tenant)
    read = []
    for number in (1, 20, 21):
        night(xero, number)
        xero.extract(tenant, (NOW + timedelta(days=number - 1)).date())
        read.append("Reports/BudgetSummary" in xero.calls())
    assert read == [False, True, False]


def test_settings_are_read_at_once_when_a_document_names_an_unknown_one(xero, tmp_path):
    def folder(theme: str) -> Path:
        return write_payloads(
            tmp_path,
            Invoices=[{**invoice(1, LONG_AGO), "BrandingThemeID": theme}],
            BrandingThemes=[{"BrandingThemeID": theme, "Name": theme}],
        )

    tenant = xero.payloads(folder("first"))
    xero.extract(tenant)
    xero.serve(folder("second"))
    night(xero, 1)
    xero.extract(tenant)
    assert "BrandingThemes" in xero.calls()
    assert set(xero.stored(tenant, "branding_themes")) == {"second"}
    night(xero, 2)
    xero.extract(tenant)
    assert "BrandingThemes" not in xero.calls()


def test_templates_are_read_at_once_when_a_new_invoice_names_an_unknown_one(xero, tmp_path):
    def written_by(*templates: str) -> list[dict[str, Any]]:
        return [
            {**invoice(number, LONG_AGO), "RepeatingInvoiceID": template}
            for number, template in enumerate(templates)
        ]

    def calls(number: int, invoices: list[dict[str, Any]], listed: str) -> int:
        templates = [{"RepeatingInvoiceID": listed, "Status": "AUTHORISED"}]
        xero.serve(write_payloads(tmp_path, Invoices=invoices, RepeatingInvoices=templates))
        night(xero, number)
        xero.extract(tenant)
        return len([path for path in xero.calls() if path == "RepeatingInvoices"])

    invoices = written_by("deleted long ago", "weekly")
    templates = [{"RepeatingInvoiceID": "weekly", "Status": "AUTHORISED"}]
    tenant = xero.payloads(write_payloads(tmp_path, Invoices=invoices, RepeatingInvoices=templates))
    xero.extract(tenant)
    # An old one is paid, whose template is listed no more.
    invoices[0] = {**invoices[0], "Total": 5}
    assert calls(1, invoices, "weekly") == 0
    assert calls(2, [*invoices, *written_by("", "", "weekly")[2:]], "weekly") == 0
    made = [*invoices, *written_by("", "", "weekly", "monthly")[2:]]
    assert calls(3, made, "monthly") == 1
    assert calls(4, made, "monthly") == 0


@pytest.mark.parametrize("line", ["LineItems", "JournalLines"])
def test_tracking_is_read_at_once_when_a_line_names_an_option_made_since(xero, tmp_path, line):
    def folder(option: str) -> Path:
        tracked = {"TrackingCategoryID": "region", "Name": "Region", "Option": option}
        options = [
            {"TrackingOptionID": f"id of {name}", "Name": name} for name in ("North", option)
        ]
        return write_payloads(
            tmp_path,
            Invoices=[{**invoice(1, LONG_AGO), line: [{"Tracking": [tracked]}]}],
            TrackingCategories=[{"TrackingCategoryID": "region", "Options": options}],
        )

    tenant = xero.payloads(folder("North"))
    xero.extract(tenant)
    for number, option in enumerate(("North", "South", "South"), start=1):
        xero.serve(folder(option))
        night(xero, number)
        xero.extract(tenant)
        is_new = number == 2
        assert ("TrackingCategories" in xero.calls()) is is_new
    [stored] = xero.stored(tenant, "tracking_categories").values()
    assert [each["Name"] for each in stored["Options"]] == ["North", "South"]


# Details and numbers


def test_budgets_are_read_with_their_lines(xero):
    tenant = xero.organisation(days=40, features=["budgets"])
    xero.extract(tenant)
    budgets = xero.stored(tenant, "budgets")
    assert budgets
    assert all(budget["BudgetLines"] for budget in budgets.values())
    assert budgets == xero.listed(tenant, BY_NAME["budgets"])


def test_journals_are_read_after_their_last_number_where_they_are_wanted(xero):
    xero.endpoints = ENDPOINTS
    tenant = xero.organisation(days=40)
    first = xero.extract(tenant)
    stored = set(xero.stored(tenant, "journals"))
    assert len(stored) == first.counts["journals"].records_new > 100
    night(xero, 3)
    second = xero.extract(tenant)
    counts = second.counts["journals"]
    assert 0 < counts.records_read == counts.records_new < len(stored)
    assert stored < set(xero.stored(tenant, "journals"))
    assert set(xero.stored(tenant, "cash_journals"))


def test_journals_that_were_cut_short_are_read_on_by_the_next_try(xero):
    xero.endpoints = ENDPOINTS
    tenant = xero.organisation(days=40)
    xero.fault("Journals", query={"offset": "100"}, status=500, times=4)
    with pytest.raises(UnavailableError):
        xero.extract(tenant)
    cut_short = len(xero.stored(tenant, "journals"))
    xero.extract(tenant)
    stored = xero.stored(tenant, "journals")
    assert 0 < cut_short < len(stored)
    assert stored == xero.listed(tenant, BY_NAME["journals"])


def test_endpoint_without_its_scope_is_a_gap_and_not_empty(xero):
    made = xero.sandbox.control("POST", "organisations", {"name": "Plain", "seed": 3, "days": 0})
    few = "offline_access openid profile email accounting.settings.read accounting.contacts.read"
    few += " accounting.invoices.read accounting.payments.read accounting.banktransactions.read"
    tenant = xero.connect_to(made["tenantId"], scopes=few)
    extracted = xero.extract(tenant)
    assert extracted.state == "complete"
    assert set(extracted.gaps) == {
        *("manual_journals", "budgets", "trial_balances", "profit_and_losses", "balance_sheets"),
        *("bank_summaries", "executive_summaries", "budget_summaries"),
    }
    assert "accounting.manualjournals.read" in extracted.gaps["manual_journals"]


# What Xero does not document


def test_organisation_with_everything_sends_nothing_that_is_not_known(xero):
    xero.endpoints = ENDPOINTS
    tenant = xero.organisation(days=120, features=["all"], currencies=["EUR", "USD"])
    extracted = xero.extract(tenant)
    assert [str(drift) for drift in extracted.drifts] == []
    empty = {name for name, counts in extracted.counts.items() if not counts.records_read}
    assert empty == set()


def test_new_field_and_new_value_are_stored_and_told_once(xero, tmp_path):
    record = {**invoice(1, LONG_AGO), "Status": "SEALED", "Mood": {"is": "good"}}
    tenant = xero.payloads(write_payloads(tmp_path, Invoices=[record]))
    first = xero.extract(tenant)
    assert [str(drift) for drift in first.drifts] == [
        "invoices: new field Mood",
        "invoices: new value Status=SEALED",
    ]
    [stored] = xero.stored(tenant, "invoices").values()
    assert (stored["Status"], stored["Mood"]) == ("SEALED", {"is": "good"})
    xero.serve(write_payloads(tmp_path, Invoices=[{**record, "Total": 5}]))
    night(xero, 1)
    assert xero.extract(tenant).drifts == []
    assert xero.rows.execute(
        "select endpoint, field, kind from xero_ops.schema_drift order by field"
    ).fetchall() == [("invoices", "Mood", "field"), ("invoices", "Status=SEALED", "value")]


def test_new_field_within_the_parts_of_a_record_is_told_once(xero, tmp_path):
    parts = {
        "LineItems": [{"LineAmount": 1}, {"LineAmount": 2, "Scent": "lemon"}],
        "Contact": {"ContactID": "c1", "Aura": None},
        "Payments": [],
        "CreditNotes": None,
        "Overpayments": ["no record"],
    }
    tenant = xero.payloads(write_payloads(tmp_path, Invoices=[{**invoice(1, LONG_AGO), **parts}]))
    assert [str(drift) for drift in xero.extract(tenant).drifts] == [
        "invoices: new field Contact.Aura",
        "invoices: new field LineItems.Scent",
    ]
    xero.serve(write_payloads(tmp_path, Invoices=[{**invoice(1, LONG_AGO), **parts, "Total": 5}]))
    night(xero, 1)
    assert xero.extract(tenant).drifts == []


def test_new_value_within_the_parts_of_a_record_is_told_once(xero, tmp_path):
    parts = {
        "Payments": [{"Status": given} for given in ("AUTHORISED", "PENDING", "", None)],
        "Contact": {"ContactID": "c1", "ContactStatus": "ASLEEP"},
    }
    tenant = xero.payloads(write_payloads(tmp_path, Invoices=[{**invoice(1, LONG_AGO), **parts}]))
    assert [str(drift) for drift in xero.extract(tenant).drifts] == [
        "invoices: new value Contact.ContactStatus=ASLEEP",
        "invoices: new value Payments.Status=PENDING",
    ]
    xero.serve(write_payloads(tmp_path, Invoices=[{**invoice(1, LONG_AGO), **parts, "Total": 5}]))
    night(xero, 1)
    assert xero.extract(tenant).drifts == []


@pytest.mark.parametrize(
    ("news", "told"), [(100, ["invoices: new value Payments.Status=PENDING"]), (101, [])]
)
def test_rare_value_within_a_night_of_a_hundred_news_is_told_at_once(xero, tmp_path, news, told):
    records = [{**each, "Payments": []} for each in invoices_of(news, LONG_AGO)]
    records[77]["Payments"] = [{"Status": "AUTHORISED"}, {"Status": "PENDING"}]
    tenant = xero.payloads(write_payloads(tmp_path, Invoices=records))
    assert [str(drift) for drift in xero.extract(tenant).drifts] == told
    # Of more a few are looked at; the others when they are changed.
    records[77]["Total"] = -1
    xero.serve(write_payloads(tmp_path, Invoices=records))
    night(xero, 1)
    told_later = [] if told else ["invoices: new value Payments.Status=PENDING"]
    assert [str(drift) for drift in xero.extract(tenant).drifts] == told_later


def test_announced_end_of_an_endpoint_is_told_once(xero, tmp_path):
    tenant = xero.payloads(write_payloads(tmp_path, Invoices=invoices_of(1, LONG_AGO)))
    body = '{"DateTimeUTC": "/Date(1795176000000)/", "Quotes": []}'
    headers = {"Sunset": "Wed, 01 Sep 2027 00:00:00 GMT", "Content-Type": "application/json"}
    xero.fault("Quotes", status=200, body=body, headers=headers)
    drifts = [str(drift) for drift in xero.extract(tenant).drifts]
    assert drifts == ["quotes: new notice Sunset: Wed, 01 Sep 2027 00:00:00 GMT"]
