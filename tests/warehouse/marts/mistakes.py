"""One mistake in the ledger's SQL at a time, and the tables filled anew with it.

Knows the order of the models and where each would go wrong; must not know what is then seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg

# In the order in which one reads the other.
CHAIN = (
    "int_posting_documents_gathered",
    "int_document_lines_converted",
    "int_bank_transfers_converted",
    "int_settlement_sides_converted",
    "int_settlement_lines_shared",
    "int_documents_posted",
    "int_settlements_posted",
    "int_cash_settlements_posted",
    "int_transfers_posted",
    "fct_ledger_postings",
    "fct_cash_basis_postings",
)
# What is compared with Xero's reports after that.
TIE_OUT = (
    "xero_intermediate.int_account_days_summed",
    "xero_intermediate.int_ledger_days_summed",
    "xero_intermediate.int_report_lines_compared",
    "xero_intermediate.int_trial_balances_placed",
    "xero_intermediate.int_trial_balance_lines_traced",
    "xero_intermediate.int_trial_balances_explained",
    "xero_intermediate.int_reports_listed",
    "xero_intermediate.int_statements_explained",
    "xero_intermediate.int_summary_lines_valued",
    "xero_intermediate.int_executive_summaries_explained",
    "xero_marts.rpt_tie_out",
    "xero_marts.rpt_tie_out_summary",
)
STATEMENTS = "xero_intermediate.int_statements_explained"
# Model, what stands there, what is put in its place, of one organisation's own documents.
MISTAKES = {
    "none": ("int_documents_posted", "select", "select"),
    "a wrong sign": (
        "int_documents_posted",
        "-documents.whole_sign * lines.net_base_amount",
        "documents.whole_sign * lines.net_base_amount",
    ),
    "a lost payment": (
        "int_settlement_sides_converted",
        "where is_counted",
        "where is_counted and payment_id <> (select min(payment_id)"
        " from xero_intermediate.int_payments_converted"
        " where is_counted and tenant_id = '{tenant_id}')",
    ),
    "money received that is lost": (
        "int_posting_documents_gathered",
        "and not bank_transactions.is_transfer",
        "and not bank_transactions.is_transfer and bank_transactions.document_id <> ("
        "select document_id from xero_staging.stg_xero__bank_transactions"
        " where direction = 'received' and is_approved and tenant_id = '{tenant_id}'"
        " and not (is_transfer or is_overpayment or is_prepayment)"
        " and transaction_date <= (select complete_day from xero_staging.stg_xero__tenants)"
        " order by transaction_date desc, document_id limit 1)",
    ),
    "a swapped tax": (
        "int_documents_posted",
        "-documents.whole_sign * taxed.tax_base_amount",
        "documents.whole_sign * taxed.tax_base_amount",
    ),
    "tax on the wrong lines": ("int_document_lines_converted", "'Inclusive'", "'Exclusive'"),
    "a transfer counted twice": (
        "int_posting_documents_gathered",
        "and not bank_transactions.is_transfer",
        "",
    ),
    "a prepayment on the control account": (
        "int_settlements_posted",
        "sides.document_kind = 'prepayment'",
        "sides.document_kind = 'nothing'",
    ),
    "a payment at its own rate": (
        "int_settlement_sides_converted",
        "sign * (money_base_amount - base_amount) as gain_base_amount",
        "0 as gain_base_amount",
    ),
    "a cent left over on the wrong line": (
        "int_document_lines_converted",
        "order by abs(net_amount) desc",
        "order by abs(net_amount) asc",
    ),
    "a receipt shown as a negative spend": (
        "int_statement_lines_compared",
        "sum(greatest(amount, 0)) as received_amount,\n"
        "        sum(least(amount, 0)) as spent_amount",
        "0 as received_amount, sum(amount) as spent_amount",
    ),
}
# Those that are none where every document is in the base currency.
ABROAD = {"a payment at its own rate", "a cent left over on the wrong line"}


def build_with(
    connection: psycopg.Connection[Any],
    compiled: Mapping[str, str],
    mistake: str,
    *,
    tenant_id: str,
) -> None:
    """Fill the ledgers and the tie-out of one organisation anew, with a mistake; not committed."""
    # Nothing is known of tables that were filled in this transaction: taken for single rows, they
    # would be walked row by row.
    connection.execute("set local enable_nestloop = off")
    _leave_out_others(connection, tenant_id)
    model, right, wrong = MISTAKES[mistake]
    wrong = wrong.replace("{tenant_id}", tenant_id)
    assert right in compiled[model]
    queries = {**compiled, model: compiled[model].replace(right, wrong)}
    for name in CHAIN[CHAIN.index(model) :] if model in CHAIN else (model,):
        query = queries[name]
        schema = "xero_marts" if name.startswith("fct_") else "xero_intermediate"
        if name.endswith(("_posted", "_compared")):
            connection.execute(f"create or replace view {schema}.{name} as {query}")
        else:
            _fill(connection, f"{schema}.{name}", query)
    for table in TIE_OUT:
        _fill(connection, table, queries[table.split(".")[1]])


def state_with(
    connection: psycopg.Connection[Any],
    compiled: Mapping[str, str],
    posting: tuple[str, date, Decimal],
    *,
    tenant_id: str,
) -> None:
    """Compare the statements of one organisation with a posting too many; not committed.

    The posting, of an account, a day and an amount, is on cash basis alone.
    """
    _leave_out_others(connection, tenant_id)
    connection.execute(
        "insert into xero_intermediate.int_account_days_summed as summed"
        " (tenant_id, basis, account_id, day, documents_amount) values (%s, 'cash', %s, %s, %s)"
        " on conflict (tenant_id, basis, account_id, day) do update"
        " set documents_amount = summed.documents_amount + excluded.documents_amount",
        (tenant_id, *posting),
    )
    _fill(connection, STATEMENTS, compiled[STATEMENTS.split(".")[1]])


def _leave_out_others(connection: psycopg.Connection[Any], tenant_id: str) -> None:
    for table in (
        "xero_staging.stg_xero__tenants",
        "xero_intermediate.int_documents_touched",
        "xero_intermediate.int_reports_listed",
    ):
        connection.execute(f"delete from {table} where tenant_id <> %s", (tenant_id,))


def _fill(connection: psycopg.Connection[Any], table: str, query: str) -> None:
    connection.execute(f"truncate {table}")
    connection.execute(f"insert into {table} {query}")
