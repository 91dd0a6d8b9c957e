"""What an organisation of the sandbox says at every endpoint on the last day, without HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from airflow_xero.endpoint import Endpoint, Reading
from airflow_xero.endpoints import ENDPOINTS, report_key, report_params
from tests.warehouse.marts.pretend_books import LAST_DAY, Records
from xero_sandbox.business.company import Company
from xero_sandbox.wire.records import Shape
from xero_sandbox.wire.spelling_journals import JournalBook
from xero_sandbox.wire.spelling_papers import budget_lines


def said_by(company: Company) -> Records:
    """All that an organisation of the sandbox says, by endpoint."""
    return {
        endpoint.name: json.loads(json.dumps(list(_said(company, endpoint)), default=_number))
        for endpoint in ENDPOINTS
    }


def _said(company: Company, endpoint: Endpoint) -> Iterable[Mapping[str, Any]]:
    """What the organisation says at an endpoint."""
    match endpoint.reading:
        case Reading.REPORT:
            return _reports(company, endpoint)
        case Reading.NUMBERS:
            return _journals(company, is_cash="paymentsOnly" in endpoint.params)
        case Reading.DETAILS:
            return _budgets(company)
        case _:
            return company.records(endpoint.array_key)


def _reports(company: Company, endpoint: Endpoint) -> Iterator[Mapping[str, Any]]:
    for basis in endpoint.report.bases if endpoint.report else ():
        asked = report_params(endpoint, LAST_DAY, basis)
        report = company.report(endpoint.path.removeprefix("Reports/"), asked) or {}
        yield {**report, "ReportID": report_key(endpoint, LAST_DAY, basis)}


def _journals(company: Company, *, is_cash: bool) -> Iterator[Mapping[str, Any]]:
    books = company.books
    ledger = books.cash if is_cash else books.ledger
    names = {rate.tax_type: rate.name for rate in books.country.tax_rates}
    book = JournalBook(company.tenant_id, is_cash, ledger.accounts, names)
    for journal in ledger.journals:
        yield book.spell(journal, is_one=False)


def _budgets(company: Company) -> Iterator[Mapping[str, Any]]:
    accounts = company.books.ledger.accounts
    span = {"first": LAST_DAY.replace(year=2025), "last": LAST_DAY.replace(year=2027)}
    for entry in company.entries("Budgets").ordered():
        lines = budget_lines(entry.source, accounts, **span)
        yield entry.body(Shape.ONE) | {"BudgetLines": lines}


def _number(amount: object) -> float:
    """Two decimals survive a float; the test compares with the Decimals of the ledger."""
    if isinstance(amount, Decimal):
        return float(amount)
    raise TypeError(amount)
