"""Staging: every record of every endpoint, with its columns typed as their names promise."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from airflow_xero.endpoints import ENDPOINTS, Endpoint

LAST_DAY = date(2026, 11, 19)
BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS}
every_endpoint = pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: each.name)

SUMS = {
    "bank_transfers": {"amount": "Amount"},
    "batch_payments": {"total_amount": "TotalAmount"},
    "items": {"inventory_base_amount": "TotalCostPool", "on_hand_quantity": "QuantityOnHand"},
    "overpayments": {"total_amount": "Total"},
    **{
        name: {"net_amount": "SubTotal", "tax_amount": "TotalTax", "total_amount": "Total"}
        for name in (
            "bank_transactions",
            "credit_notes",
            "invoices",
            "prepayments",
            "purchase_orders",
            "quotes",
            "repeating_invoices",
        )
    },
}
# The field that a column's list comes from.
LISTS = {
    "batch_payments": {"payments": "Payments"},
    "budgets": {"budget_lines": "BudgetLines"},
    "journals": {"journal_lines": "JournalLines"},
    "cash_journals": {"journal_lines": "JournalLines"},
    "manual_journals": {"journal_lines": "JournalLines"},
    "overpayments": {"allocations": "Allocations", "line_items": "LineItems"},
    "prepayments": {"allocations": "Allocations", "line_items": "LineItems"},
    "purchase_orders": {"line_items": "LineItems"},
    "quotes": {"line_items": "LineItems"},
    "repeating_invoices": {"line_items": "LineItems"},
    "tracking_categories": {"tracking_options": "Options"},
}
TYPES = {
    r"(^|_)amount$|_quantity$|_rate$|_percentage$": "numeric",
    r"_date$": "date",
    r"_at$": "timestamp with time zone",
    r"^(is|has)_": "boolean",
    r"_(lines|items|rows|options|tracking)$|^(allocations|payments|tracking|contacts)$": "jsonb",
    r"(_id|_code|_name|_type|_number|^status|^reference)$": "text",
}
# The field, or the path, that a column's date comes from.
DATES = {
    "bank_transfers": {"transfer_date": ["Date"]},
    "batch_payments": {"payment_date": ["Date"]},
    "cash_journals": {"journal_date": ["JournalDate"]},
    "journals": {"journal_date": ["JournalDate"]},
    "manual_journals": {"journal_date": ["Date"]},
    "overpayments": {"overpayment_date": ["Date"]},
    "prepayments": {"prepayment_date": ["Date"]},
    "purchase_orders": {"purchase_order_date": ["Date"], "delivery_date": ["DeliveryDate"]},
    "quotes": {"quote_date": ["Date"], "expiry_date": ["ExpiryDate"]},
    "repeating_invoices": {
        "start_date": ["Schedule", "StartDate"],
        "next_date": ["Schedule", "NextScheduledDate"],
    },
}
PUBLISHED = {
    "balance_sheets",
    "bank_summaries",
    "bank_transfers",
    "batch_payments",
    "branding_themes",
    "budget_summaries",
    "budgets",
    "cash_journals",
    "contact_groups",
    "executive_summaries",
    "items",
    "journals",
    "linked_transactions",
    "manual_journals",
    "overpayments",
    "prepayments",
    "purchase_orders",
    "quotes",
    "repeating_invoices",
    "tracking_categories",
    "users",
}
# Whether an organisation pays tax is unknown where Xero does not say.
MAY_BE_UNKNOWN = {"has_tax"}
NUMBERED = {("journals", "journal_number"), ("cash_journals", "journal_number")}


def records_of(marts, tenant: str, endpoint: Endpoint) -> dict[str, Mapping[str, Any]]:
    """What was loaded of an endpoint, by id."""
    (records,) = marts.tenants[tenant].nights.values()
    return {str(record[endpoint.id_field]): record for record in records.get(endpoint.name, [])}


def rows_of(marts, tenant: str, endpoint: Endpoint) -> dict[str, dict[str, Any]]:
    """The staging model's rows, by the key that follows the tenant."""
    rows = marts.table(f"xero_staging.stg_xero__{endpoint.name}", tenant)
    return {list(row.values())[1]: row for row in rows}


def value_at(record: Mapping[str, Any], path: Sequence[str]) -> Any:
    """What stands in a record under a path; None where it leads nowhere."""
    found: Any = record
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


@every_endpoint
def test_every_record_of_an_organisation_that_has_all_kinds_is_staged(marts, endpoint):
    wanted = records_of(marts, "every kind", endpoint)
    rows = rows_of(marts, "every kind", endpoint)
    assert wanted
    assert set(rows) == set(wanted)
    for column, field in SUMS.get(endpoint.name, {}).items():
        total = sum(Decimal(str(record.get(field, 0))) for record in wanted.values())
        assert sum(row[column] or 0 for row in rows.values()) == total != 0
    for column, field in LISTS.get(endpoint.name, {}).items():
        given = {name: record[field] for name, record in wanted.items()}
        assert {name: row[column] for name, row in rows.items()} == given
        assert any(given.values())


@every_endpoint
def test_columns_have_the_type_that_their_name_promises(marts, endpoint):
    columns = marts.rows(
        "select column_name, data_type from information_schema.columns"
        " where table_schema = 'xero_staging' and table_name = %s",
        f"stg_xero__{endpoint.name}",
    )
    wrong = [
        (name, kind)
        for name, kind in columns
        for pattern, promised in TYPES.items()
        if name != "tenant_id"
        and (endpoint.name, name) not in NUMBERED
        and re.search(pattern, name)
        and kind != promised
    ]
    assert len(columns) > 2
    assert wrong == []


@every_endpoint
def test_flags_are_true_or_false_and_never_null(marts, endpoint):
    flags = marts.rows(
        "select column_name from information_schema.columns"
        " where table_schema = 'xero_staging' and table_name = %s and data_type = 'boolean'",
        f"stg_xero__{endpoint.name}",
    )
    for flag in {name for (name,) in flags} - MAY_BE_UNKNOWN:
        (nulls,) = marts.rows(
            f"select count(*) from xero_staging.stg_xero__{endpoint.name} where {flag} is null"
        )
        assert nulls == (0,), flag


@pytest.mark.parametrize("name", DATES)
def test_every_date_is_the_day_that_xero_means(marts, xero_day, name):
    endpoint = BY_NAME[name]
    wanted = records_of(marts, "every kind", endpoint)
    rows = rows_of(marts, "every kind", endpoint)
    for column, path in DATES[name].items():
        written = {key: value_at(record, path) for key, record in wanted.items()}
        assert {key: row[column] for key, row in rows.items()} == {
            key: xero_day(text) if text else None for key, text in written.items()
        }
        assert any(written.values())


@pytest.mark.parametrize(
    "endpoint", [each for each in ENDPOINTS if each.report], ids=lambda each: each.name
)
def test_a_report_is_staged_for_each_basis_with_all_its_rows(marts, endpoint):
    wanted = records_of(marts, "every kind", endpoint)
    rows = rows_of(marts, "every kind", endpoint)
    asked = [(LAST_DAY, basis) for basis in endpoint.report.bases]
    assert sorted((row["report_date"], row["basis"]) for row in rows.values()) == asked
    for key, row in rows.items():
        assert row["report_rows"] == wanted[key]["Rows"] != []


@pytest.mark.parametrize("basis", ["journals", "cash_journals"])
def test_staged_journals_balance(marts, basis):
    (balance,) = marts.rows(
        "select sum((line.element ->> 'NetAmount')::numeric)"
        f" from xero_staging.stg_xero__{basis} as journals,"
        " jsonb_array_elements(journals.journal_lines) as line (element)"
        " where journals.tenant_id = %s",
        marts.tenants["every kind"].tenant_id,
    )
    assert balance == (0,)


def test_deleted_transfers_and_archived_options_are_kept_and_marked(marts):
    transfers = rows_of(marts, "every kind", BY_NAME["bank_transfers"]).values()
    assert {(row["status"], row["is_approved"]) for row in transfers} == {
        ("AUTHORISED", True),
        ("DELETED", False),
    }
    categories = rows_of(marts, "every kind", BY_NAME["tracking_categories"]).values()
    options = [option for row in categories for option in row["tracking_options"]]
    assert {option["Status"] for option in options} == {"ACTIVE", "ARCHIVED"}


def test_quotes_say_like_other_documents_whether_lines_hold_tax(marts):
    quotes = rows_of(marts, "every kind", BY_NAME["quotes"]).values()
    said = {row["line_amount_types"] for row in quotes}
    assert said <= {"Exclusive", "Inclusive", "NoTax"}
    assert said


@pytest.mark.real_payloads
def test_every_published_example_is_staged(marts, real_payloads):
    staged = {
        endpoint.name: set(rows_of(marts, "published", endpoint))
        for endpoint in ENDPOINTS
        if endpoint.name in PUBLISHED
    }
    assert staged == {
        name: set(records_of(marts, "published", BY_NAME[name])) for name in PUBLISHED
    }
    assert min(len(keys) for keys in staged.values()) > 0
