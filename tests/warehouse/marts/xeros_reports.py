"""Xero's own reports, read line by line, beside the statements that dbt built.

Knows the layout of reports and the columns of the statements; must not know how either comes
about. Everything is compared for many days in one query, and counted, so that an empty answer is
seen.
"""

from __future__ import annotations

import random
from calendar import monthrange
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import zip_longest
from typing import Any, TypeAlias

from tests.warehouse.marts.ledger_books import ledger_of
from xero_sandbox.business.company import Company

CURRENT_YEAR_EARNINGS = "abababab-abab-abab-abab-abababababab"
CURRENCY_GAINS = ("REALISEDCURRENCYGAIN", "UNREALISEDCURRENCYGAIN", "BANKCURRENCYGAIN")
AGED_REPORTS = {
    "receivables": "AgedReceivablesByContact",
    "payables": "AgedPayablesByContact",
}
BUCKETS = ("not_due", "overdue_1_30", "overdue_31_60", "overdue_61_90", "overdue_91_plus")
_SIDES = ("debit_amount", "credit_amount", "ytd_debit_amount", "ytd_credit_amount")
_NOTHING = Decimal(0)

# Runs a query with its parameters.
Ask: TypeAlias = Callable[..., list[tuple[Any, ...]]]
# Account, or what else a line is about, to its amount; no zeros.
Lines: TypeAlias = dict[str, Decimal]
# What stands beside a line, column by column.
Figures: TypeAlias = tuple[Decimal | None, ...]


@dataclass
class Compared:
    """How many of Xero's lines were held against ours, and where the two disagree."""

    lines: int = 0
    differences: list[tuple[Any, ...]] = field(default_factory=list)

    def hold(self, about: tuple[Any, ...], built: Mapping[str, Any], xeros: Mapping[str, Any]):
        """Compare line by line, what is zero left out."""
        self.lines += len(xeros)
        for key in sorted({*built, *xeros}, key=str):
            ours, theirs = built.get(key) or _NOTHING, xeros.get(key) or _NOTHING
            if ours != theirs:
                self.differences.append((*about, key, ours, theirs))

    def hold_all(self, about: tuple[Any, ...], built: Mapping[Any, Any], xeros: Mapping[Any, Any]):
        """Compare line by line, in their order, what is zero or blank, too."""
        self.lines += len(xeros)
        pairs = zip_longest(built.items(), xeros.items())
        self.differences += [(*about, ours, theirs) for ours, theirs in pairs if ours != theirs]


# --- Days ----------------------------------------------------------------------------------------


def year_start(company: Company, day: date) -> date:
    """The first day of the financial year that a day lies in."""
    end_day, end_month = company.traits.year_end or company.traits.land.year_end
    ends = [
        date(year, end_month, min(end_day, monthrange(year, end_month)[1]))
        for year in (day.year - 2, day.year - 1, day.year)
    ]
    return max(end for end in ends if end < day) + timedelta(days=1)


def month_ends(company: Company, last: date) -> list[date]:
    """Every month end of the organisation's business, before a day."""
    days = [company.first_day + timedelta(days=n) for n in range((last - company.first_day).days)]
    return [day for day in days if (day + timedelta(days=1)).day == 1]


def days_about_year_ends(company: Company, last: date) -> list[date]:
    """The last days of financial years and the first ones of the next."""
    first = company.first_day
    days = [first + timedelta(days=number) for number in range(1, (last - first).days + 1)]
    new_years = [day for day in days if year_start(company, day) == day]
    return sorted({day + timedelta(days=by) for day in new_years for by in (-1, 0, 1)})


def random_days(company: Company, last: date, count: int) -> list[date]:
    """Some days of the organisation's business, always the same ones."""
    span = (last - company.first_day).days
    dice = random.Random(f"{company.name} {company.first_day}")
    return sorted(company.first_day + timedelta(days=n) for n in dice.sample(range(span), count))


# --- Reports -------------------------------------------------------------------------------------


def asked_for(day: date, basis: str, **more: str) -> dict[str, str]:
    """The parameters of a report."""
    cash = {"paymentsOnly": "true"} if basis == "cash" else {}
    return {"date": day.isoformat(), **cash, **more}


def report_of(company: Company, report: str, asked: Mapping[str, str]) -> list[dict[str, Any]]:
    """The sections of a report."""
    answer: Any = company.report(report, asked)
    sections: list[dict[str, Any]] = answer["Rows"]
    return sections


def lines_of(sections: Sequence[Mapping[str, Any]], *, column: int = 1) -> Lines:
    """The lines of a report that are about an account, and one column of each."""
    found: Lines = defaultdict(Decimal)
    for section in sections:
        for row in section.get("Rows", []):
            account = [
                attribute["Value"]
                for attribute in row["Cells"][0].get("Attributes", [])
                if attribute["Id"] == "account"
            ]
            if account:
                found[account[0]] += Decimal(row["Cells"][column]["Value"] or 0)
    return {key: amount for key, amount in found.items() if amount}


def _net_profit(sections: Sequence[Mapping[str, Any]]) -> Decimal:
    (amount,) = [
        row["Cells"][1]["Value"]
        for section in sections
        for row in section.get("Rows", [])
        if row["Cells"][0]["Value"] == "Net Profit"
    ]
    return Decimal(amount)


def gains_as_one_line(company: Company, lines: Mapping[str, Decimal]) -> Lines:
    """Outside the United States Xero shows all currency gains as one line."""
    accounts = company.books.ledger.accounts
    found: Lines = defaultdict(Decimal)
    for key, amount in lines.items():
        is_one = accounts[key].system in CURRENCY_GAINS and company.books.country.code != "US"
        found["FXGROUPID" if is_one else key] += amount
    return {key: amount for key, amount in found.items() if amount}


# --- Statements ----------------------------------------------------------------------------------


def trial_balances(
    ask: Ask, company: Company, tenant_id: str, *, basis: str, days: Sequence[date]
) -> Compared:
    """All four columns of every account."""
    built = _by_day(
        ask(
            f"select day, account_id, {', '.join(_SIDES)}, amount"
            " from xero_marts.rpt_trial_balance"
            " where tenant_id = %s and basis = %s and day = any(%s)",
            *(tenant_id, basis, list(days)),
        )
    )
    compared = Compared()
    for day in days:
        report = report_of(company, "TrialBalance", asked_for(day, basis))
        for place, column in enumerate(_SIDES, start=1):
            ours = {row[0]: row[place] for row in built[day]}
            compared.hold((day, column), ours, lines_of(report, column=place))
        compared.hold((day, "balance"), {"sum": sum(row[-1] for row in built[day])}, {})
    return compared


PERIODS = ("day", "month_to_date", "year_to_date")


def profits_and_losses(
    ask: Ask,
    company: Company,
    tenant_id: str,
    *,
    basis: str,
    days: Sequence[date],
    periods: Sequence[str] = PERIODS,
) -> Compared:
    """The day, the month and the financial year so far, and the net profit of each."""
    built = _by_day(
        ask(
            "select day, period, account_id, first_day, amount, profit_amount"
            " from xero_marts.rpt_profit_and_loss"
            " where tenant_id = %s and basis = %s and day = any(%s)",
            *(tenant_id, basis, list(days)),
        )
    )
    compared = Compared()
    for day in days:
        first_days = dict(
            zip(PERIODS, (day, day.replace(day=1), year_start(company, day)), strict=True)
        )
        for period in periods:
            first_day = first_days[period]
            rows = [row for row in built[day] if row[0] == period]
            span = {"fromDate": first_day.isoformat(), "toDate": day.isoformat()}
            report = report_of(company, "ProfitAndLoss", asked_for(day, basis, **span))
            ours = gains_as_one_line(company, {row[1]: row[3] for row in rows})
            profit = sum((row[4] for row in rows), _NOTHING)
            compared.hold((day, period), ours, lines_of(report))
            compared.hold((day, period), {"net": profit}, {"net": _net_profit(report)})
            assert {row[2] for row in rows} <= {first_day}
    return compared


def balance_sheets(
    ask: Ask, company: Company, tenant_id: str, *, basis: str, days: Sequence[date]
) -> Compared:
    """Every account, retained and current-year earnings among them; both sides are equal."""
    built = _by_day(
        ask(
            "select day, account_id, section, amount, net_assets_amount"
            " from xero_marts.rpt_balance_sheet"
            " where tenant_id = %s and basis = %s and day = any(%s)",
            *(tenant_id, basis, list(days)),
        )
    )
    compared = Compared()
    for day in days:
        report = report_of(company, "BalanceSheet", asked_for(day, basis))
        compared.hold((day,), {row[0]: row[2] for row in built[day]}, lines_of(report))
        equity = sum((row[2] for row in built[day] if row[1] == "equity"), _NOTHING)
        net_assets = sum((row[3] for row in built[day]), _NOTHING)
        compared.hold((day,), {"net assets": net_assets}, {"net assets": equity})
    return compared


BANK_COLUMNS = ("opening", "received", "spent", "closing")


def bank_lines_of(company: Company, day: date) -> dict[str, tuple[Decimal, ...]]:
    """By account, what it held, got, spent and holds: Xero's report of one day, no empty lines."""
    span = {"fromDate": day.isoformat(), "toDate": day.isoformat()}
    found = {
        row["Cells"][0]["Attributes"][0]["Value"]: tuple(
            Decimal(cell["Value"] or 0) for cell in row["Cells"][1:]
        )
        for section in report_of(company, "BankSummary", span)
        for row in section.get("Rows", [])
        if row["Cells"][0].get("Attributes")
    }
    return {account: amounts for account, amounts in found.items() if any(amounts)}


def bank_summaries(ask: Ask, company: Company, tenant_id: str, *, days: Sequence[date]) -> Compared:
    """What every bank account held, got and spent on a day."""
    built = _by_day(
        ask(
            "select day, account_id, opening_amount, received_amount, spent_amount, amount"
            " from xero_marts.rpt_bank_summary where tenant_id = %s and day = any(%s)",
            *(tenant_id, list(days)),
        )
    )
    compared = Compared()
    for day in days:
        xeros = bank_lines_of(company, day)
        for place, column in enumerate(BANK_COLUMNS):
            ours = {row[0]: row[place + 1] for row in built[day]}
            compared.hold((day, column), ours, {key: each[place] for key, each in xeros.items()})
    return compared


def executive_summary_of(company: Company, day: date) -> dict[tuple[str, str], Figures]:
    """By section and line the figures of Xero's report, in its order: blank is None; six places."""
    sections = report_of(company, "ExecutiveSummary", {"date": day.isoformat()})[1:]
    return {
        (section["Title"], row["Cells"][0]["Value"]): tuple(
            round(Decimal(cell["Value"].removesuffix("%")), 6) if cell["Value"] else None
            for cell in row["Cells"][1:]
        )
        for section in sections
        for row in section["Rows"]
    }


def executive_summaries(
    ask: Ask, company: Company, tenant_id: str, *, days: Sequence[date]
) -> Compared:
    """The month that each day lies in: every line, the month before, and the variance."""
    built: dict[date, dict[tuple[str, str], Figures]] = defaultdict(dict)
    for month, section, line, *figures in ask(
        "select month_end_date, section, line, amount, previous_amount, variance_percent"
        " from xero_marts.rpt_executive_summary where tenant_id = %s order by line_number",
        tenant_id,
    ):
        built[month][(section, line)] = tuple(figures)
    compared = Compared()
    for day in days:
        month = day.replace(day=monthrange(day.year, day.month)[1])
        compared.hold_all((day,), built[month], executive_summary_of(company, day))
    return compared


def aged_by_contact(
    ask: Ask, company: Company, tenant_id: str, *, ledger: str, days: Sequence[date]
) -> Compared:
    """What every contact owes or is owed."""
    built = _by_day(
        ask(
            f"select day, contact_id, amount from xero_marts.rpt_aged_{ledger}"
            " where tenant_id = %s and day = any(%s) and line <> 'paid_ahead'",
            *(tenant_id, list(days)),
        )
    )
    contacts = [str(contact["ContactID"]) for contact in company.records("Contacts")]
    compared = Compared()
    for day in days:
        due = {each: _due(company, AGED_REPORTS[ledger], each, day) for each in contacts}
        xeros = {each: amount for each, amount in due.items() if amount}
        compared.hold((day,), {row[0]: row[1] for row in built[day]}, xeros)
    return compared


def _due(company: Company, report: str, contact_id: str, day: date) -> Decimal:
    asked = {"contactID": contact_id, "date": day.isoformat(), "toDate": day.isoformat()}
    sections = report_of(company, report, asked)
    return Decimal(sections[-1]["Rows"][-1]["Cells"][-1]["Value"])


def ageing_buckets(
    ask: Ask, company: Company, tenant_id: str, *, ledger: str, days: Sequence[date]
) -> Compared:
    """Days past due, counted here from the documents themselves."""
    sums = ", ".join(f"sum({bucket}_amount)" for bucket in BUCKETS)
    built = _by_day(
        ask(
            f"select day, {sums} from xero_marts.rpt_aged_{ledger}"
            " where tenant_id = %s and day = any(%s) group by day",
            *(tenant_id, list(days)),
        )
    )
    compared = Compared()
    for day in days:
        xeros: Lines = defaultdict(Decimal)
        for late, left in open_documents(company, day, is_receivable=ledger == "receivables"):
            xeros[BUCKETS[0 if late <= 0 else 1 + min((late - 1) // 30, 3)]] += left
        (amounts,) = built[day] or [()]
        compared.hold((day,), dict(zip(BUCKETS, amounts, strict=False)), xeros)
    return compared


def open_documents(
    company: Company, day: date, *, is_receivable: bool
) -> Iterable[tuple[int, Decimal]]:
    """Days past due, and what is left of each invoice or bill at the close of a day."""
    for document in company.books.documents.values():
        if document.type not in ("ACCREC", "ACCPAY") or document.is_receivable != is_receivable:
            continue
        if not document.counts or document.on > day:
            continue
        paid = [p.amount for p in document.payments if p.status != "DELETED" and p.on <= day]
        paid += [a.amount for a in document.allocations if a.on <= day]
        yield (day - document.due_date).days, document.total - sum(paid, _NOTHING)


def cash_flows(
    ask: Ask, company: Company, tenant_id: str, *, basis: str, days: Sequence[date]
) -> Compared:
    """What the balances of all bank accounts moved by in the day and in the year so far."""
    built = _by_day(
        ask(
            "select day, period, sum(amount) from xero_marts.rpt_cash_flow"
            " where tenant_id = %s and basis = %s and day = any(%s) group by day, period",
            *(tenant_id, basis, list(days)),
        )
    )
    ledger = ledger_of(company, basis)
    banks = {key for key, account in ledger.accounts.items() if account.type == "BANK"}
    compared = Compared()
    for day in days:
        ours = {period: amount for period, amount in built[day] if period != "month_to_date"}
        moved = {}
        for period, first_day in (("day", day), ("year_to_date", year_start(company, day))):
            now, before = ledger.balances(day), ledger.balances(first_day - timedelta(days=1))
            moved[period] = sum(
                (now.get(b, _NOTHING) - before.get(b, _NOTHING) for b in banks), _NOTHING
            )
        compared.hold((day,), ours, moved)
    return compared


def _by_day(rows: Iterable[tuple[Any, ...]]) -> dict[date, list[tuple[Any, ...]]]:
    found: dict[date, list[tuple[Any, ...]]] = defaultdict(list)
    for day, *others in rows:
        found[day].append(tuple(others))
    return found
