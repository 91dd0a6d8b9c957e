"""One budget with its lines, for a span of months.

Knows `DateFrom` and `DateTo`. Must not know how a budget comes about, or how a call is let
through. Without dates it is the three months from the current one; more than 24 are refused.
"""

from __future__ import annotations

from datetime import date

from starlette.requests import Request
from starlette.responses import Response

from xero_sandbox.api.answering import answer
from xero_sandbox.api.operation import Operation
from xero_sandbox.api.parents import RECORD, books_of, parent_of
from xero_sandbox.api.querying import Query
from xero_sandbox.api.resources import BUDGETS
from xero_sandbox.errors import ValidationError
from xero_sandbox.wire.records import Shape
from xero_sandbox.wire.spelling_papers import budget_lines

_DEFAULT_MONTHS = 3
_MOST_MONTHS = 24


def _one(request: Request) -> Response:
    query = Query(request.query_params.multi_items())
    entry = parent_of(request, "Budgets")
    body = entry.body(Shape.ONE)
    books = books_of(request)
    if books is not None:
        first, last = _span(query, books.today)
        accounts = books.ledger.accounts
        body["BudgetLines"] = budget_lines(entry.source, accounts, first=first, last=last)
    return answer(request, "Budgets", [body])


def _span(query: Query, today: date) -> tuple[date, date]:
    """The first and the last month that were asked for, each as its first day."""
    first, last = query.day("DateFrom"), query.day("DateTo")
    first = first or (_later(last, 1 - _DEFAULT_MONTHS) if last else today)
    first = first.replace(day=1)
    last = last.replace(day=1) if last else _later(first, _DEFAULT_MONTHS - 1)
    if last < first:
        raise ValidationError("DateTo must not lie before DateFrom.")
    if last >= _later(first, _MOST_MONTHS):
        raise ValidationError("A budget is given for at most 24 months at once.")
    return first, last


def _later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    try:
        return date(year, month + 1, 1)
    except ValueError:
        raise ValidationError("The date lies too far away.") from None


routes = [Operation(f"/Budgets/{RECORD}", _one, scopes=BUDGETS)]
