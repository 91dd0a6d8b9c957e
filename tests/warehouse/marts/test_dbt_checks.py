"""Checks of every night: what they name, and that they look at what the night made again."""

from __future__ import annotations

import pytest
from psycopg import errors as postgres

TOUCHED = "xero_intermediate.int_documents_touched"


@pytest.fixture
def connection(built):
    """A connection whose changes nobody else sees."""
    with built.warehouse.connect() as connection:
        yield connection
        connection.rollback()


@pytest.mark.parametrize("mart", ["fct_invoices", "fct_payments", "rpt_daily_statistics"])
def test_rows_of_an_organisation_that_nobody_knows_are_named(built, connection, mart):
    compiled = built.compiled[f"of_a_known_tenant_{mart}_tenant_id"]
    assert connection.execute(compiled).fetchall() == []
    (stranger,) = connection.execute(
        f"update xero_marts.{mart} set tenant_id = gen_random_uuid() where ctid ="
        f" (select ctid from xero_marts.{mart} limit 1) returning tenant_id"
    ).fetchall()
    assert connection.execute(compiled).fetchall() == [stranger]


@pytest.mark.parametrize("named_by", ["document_id", "payment_id"])
def test_an_id_that_points_nowhere_is_named_on_the_night_that_made_it(built, connection, named_by):
    compiled = built.compiled["fct_payments_invoice_id_is_known"]
    connection.execute(f"truncate {TOUCHED}")
    ((tenant_id, payment_id, document_id),) = connection.execute(
        "update xero_marts.fct_payments set invoice_id = 'nowhere' where ctid ="
        " (select ctid from xero_marts.fct_payments where document_id is not null limit 1)"
        " returning tenant_id, payment_id, document_id"
    ).fetchall()
    assert connection.execute(compiled).fetchall() == []
    connection.execute(
        f"insert into {TOUCHED} (tenant_id, document_id) values (%s, %s)",
        (tenant_id, {"document_id": document_id, "payment_id": payment_id}[named_by]),
    )
    assert connection.execute(compiled).fetchall() == [(tenant_id, "nowhere")]


def test_an_id_of_another_organisation_points_nowhere(built, connection):
    compiled = built.compiled["fct_invoices_contact_id_is_known"]
    connection.execute(f"truncate {TOUCHED}")
    ((tenant_id, contact_id, invoice_id),) = connection.execute(
        "update xero_marts.fct_invoices as invoice set contact_id = contact.contact_id"
        " from xero_marts.dim_contacts as contact where invoice.ctid ="
        " (select ctid from xero_marts.fct_invoices limit 1) and contact.ctid ="
        " (select other.ctid from xero_marts.dim_contacts as other where other.tenant_id <>"
        " (select tenant_id from xero_marts.fct_invoices limit 1) and not exists"
        " (select from xero_marts.dim_contacts as own where own.contact_id = other.contact_id"
        " and own.tenant_id <> other.tenant_id) limit 1)"
        " returning invoice.tenant_id, invoice.contact_id, invoice.invoice_id"
    ).fetchall()
    connection.execute(f"insert into {TOUCHED} values (%s, %s)", (tenant_id, invoice_id))
    assert connection.execute(compiled).fetchall() == [(tenant_id, contact_id)]


def test_a_grain_without_a_value_is_named_where_an_index_watches_the_others(built, connection):
    (compiled,) = [
        text
        for name, text in built.compiled.items()
        if name.startswith("unique_grain_") and "int_daily_movements_summed" in text
    ]
    assert connection.execute(compiled).fetchall() == []
    connection.execute(
        "update xero_intermediate.int_daily_movements_summed set day = null where ctid ="
        " (select ctid from xero_intermediate.int_daily_movements_summed limit 1)"
    )
    ((_, _, day, count),) = connection.execute(compiled).fetchall()
    assert (day, count) == (None, 1)


@pytest.mark.parametrize(
    ("mart", "column"),
    [
        ("fct_document_errors", "error"),
        ("fct_invoices", "ledger"),
        ("fct_payments", "direction"),
        ("fct_payments", "ledger"),
    ],
)
def test_postgres_refuses_a_value_that_the_docs_do_not_name(connection, mart, column):
    with pytest.raises(postgres.CheckViolation):
        connection.execute(f"update xero_marts.{mart} set {column} = 'sideways'")
