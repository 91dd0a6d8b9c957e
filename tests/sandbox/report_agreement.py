"""What must hold between the reports of a company, at any date: used by every test of agreement."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from tests.sandbox.report_reading import all_rows, amounts, by_account, lines, trial_balance
from xero_sandbox.books.documents import Document
from xero_sandbox.books.money import ZERO, in_base
from xero_sandbox.business.company import Company
from xero_sandbox.reports.calendar import DAY, month_end, year_start

GAINS = ("REALISEDCURRENCYGAIN", "UNREALISEDCURRENCYGAIN", "BANKCURRENCYGAIN")
RETAINED = "RETAINEDEARNINGS"
EARNINGS = "abababab-abab-abab-abab-abababababab"


def ask(company: Company, name: str, **params: object) -> Any:
    report = company.report(name, {key: str(value) for key, value in params.items()})
    assert report is not None
    return report


def is_temporary(company: Company, key: str) -> bool:
    return company.books.ledger.accounts[key].is_temporary


def as_shown(company: Company, key: str, amount: Decimal) -> Decimal:
    """An amount, debit positive, on the side that statements show as positive."""
    account = company.books.ledger.accounts[key]
    return amount if account.account_class in ("ASSET", "EXPENSE") else -amount


def with_gains_in_one(company: Company, found: dict[str, Decimal]) -> dict[str, Decimal]:
    """Amounts by account, currency gains as the one line that a profit and loss has of them."""
    if company.books.country.code == "US":
        return found
    accounts = company.books.ledger.accounts
    rest = {key: value for key, value in found.items() if accounts[key].system not in GAINS}
    gains = [value for key, value in found.items() if key not in rest]
    return rest | ({"FXGROUPID": sum(gains, ZERO)} if gains else {})


def without_zeros(found: dict[str, Decimal]) -> dict[str, Decimal]:
    return {key: value for key, value in found.items() if value}


def check_trial_balance(company: Company, on: date, basis: str) -> None:
    report = ask(company, "TrialBalance", date=on, paymentsOnly=basis)
    debit, credit, year_debit, year_credit = lines(report)["Total"]
    assert debit == credit
    assert year_debit == year_credit
    found = trial_balance(report)
    assert sum(pair[0] for pair in found.values()) == 0
    assert sum(pair[1] for pair in found.values()) == 0


def check_balance_sheet(company: Company, on: date, basis: str) -> None:
    trial = trial_balance(ask(company, "TrialBalance", date=on, paymentsOnly=basis))
    report = ask(company, "BalanceSheet", date=on, paymentsOnly=basis)
    assert amounts(report, "Net Assets") == amounts(report, "Total Equity")
    shown = {key: row[0] for key, row in by_account(report).items() if row[0]}
    earned = shown.pop(EARNINGS, ZERO)
    assert earned == -sum(pair[1] for key, pair in trial.items() if is_temporary(company, key))
    assert shown == {
        key: as_shown(company, key, pair[1])
        for key, pair in trial.items()
        if pair[1] and not is_temporary(company, key)
    }
    start = year_start(on, company.traits.year_end or company.traits.land.year_end)
    profit = ask(company, "ProfitAndLoss", fromDate=start, toDate=on, paymentsOnly=basis)
    assert amounts(profit, "Net Profit") == [earned]


def check_profit_and_loss(company: Company, on: date, basis: str) -> None:
    trial = trial_balance(ask(company, "TrialBalance", date=on, paymentsOnly=basis))
    report = ask(
        company, "ProfitAndLoss", fromDate=on.replace(day=1), toDate=on, paymentsOnly=basis
    )
    moved = {
        key: as_shown(company, key, pair[0])
        for key, pair in trial.items()
        if is_temporary(company, key)
    }
    shown = {key: row[0] for key, row in by_account(report).items()}
    assert without_zeros(shown) == without_zeros(with_gains_in_one(company, moved))
    [gross], [net] = amounts(report, "Gross Profit"), amounts(report, "Net Profit")
    totals = {label: Decimal(row[0]) for label, row in lines(report).items()}
    income, costs = (totals.get(f"Total {each}", ZERO) for each in ("Income", "Cost of Sales"))
    other = totals.get("Total Other Income", ZERO)
    assert gross == income - costs
    assert net == gross + other - totals.get("Total Operating Expenses", ZERO)


def check_profit_is_what_equity_moves_by(
    company: Company, first: date, last: date, basis: str
) -> None:
    """Profit of a span that may cross year ends: what earnings, open and closed, move by."""
    profit = ask(company, "ProfitAndLoss", fromDate=first, toDate=last, paymentsOnly=basis)
    retained = company.books.ledger.system(RETAINED)
    ledger = company.books.cash if basis == "true" else company.books.ledger
    earned = []
    for on in (first - DAY, last):
        shown = by_account(ask(company, "BalanceSheet", date=on, paymentsOnly=basis))
        closed = shown.get(retained, [ZERO])[0] + ledger.balance(retained, on)
        earned.append(closed + shown.get(EARNINGS, [ZERO])[0])
    assert amounts(profit, "Net Profit") == [earned[1] - earned[0]]


def check_bank_summary(company: Company, first: date, last: date) -> None:
    report = ask(company, "BankSummary", fromDate=first, toDate=last)
    accounts = company.books.ledger.accounts
    for column, on in ((0, first - DAY), (3, last)):
        trial = trial_balance(ask(company, "TrialBalance", date=on))
        shown = {key: row[column] for key, row in by_account(report).items() if row[column]}
        banks = {key: pair[1] for key, pair in trial.items() if accounts[key].type == "BANK"}
        assert shown == without_zeros(banks)
    for row in all_rows(report):
        opening, received, spent, closing = (Decimal(cell["Value"]) for cell in row["Cells"][1:])
        assert opening + received - spent == closing
        assert min(received, spent) >= 0
    total = [ZERO] * 4
    for row in by_account(report).values():
        total = [sum_ + cell for sum_, cell in zip(total, row, strict=True)]
    assert amounts(report, "Total") == total


def check_executive_summary(company: Company, on: date) -> None:
    summary = lines(ask(company, "ExecutiveSummary", date=on))
    accounts = company.books.ledger
    for column, last in enumerate((month_end(on), on.replace(day=1) - DAY)):
        found = {label: row[column] for label, row in summary.items()}
        span = {"fromDate": last.replace(day=1), "toDate": last}
        _, received, spent, closing = lines(ask(company, "BankSummary", **span))["Total"]
        assert found["Cash received"] == received
        assert found["Cash spent"] == spent
        assert Decimal(found["Cash surplus (deficit)"]) == Decimal(received) - Decimal(spent)
        assert found["Closing bank balance"] == closing
        profit = lines(ask(company, "ProfitAndLoss", **span))
        for label, line in (
            ("Income", "Total Income"),
            ("Direct costs", "Total Cost of Sales"),
            ("Gross profit (loss)", "Gross Profit"),
            ("Other Income", "Total Other Income"),
            ("Expenses", "Total Operating Expenses"),
            ("Profit (loss)", "Net Profit"),
        ):
            assert found[label] == profit.get(line, ["0.00"])[0]
        sheet = ask(company, "BalanceSheet", date=last)
        assert found["Net assets"] == lines(sheet)["Net Assets"][0]
        shown = by_account(sheet)
        for label, system in (("Debtors", "DEBTORS"), ("Creditors", "CREDITORS")):
            assert Decimal(found[label]) == shown.get(accounts.system(system), [ZERO])[0]
        issued = [
            document
            for document in company.books.documents.values()
            if document.type == "ACCREC"
            and document.counts
            and last.replace(day=1) <= document.on <= last
        ]
        assert found["Number of invoices issued"] == str(len(issued))


def check_aged(company: Company, on: date) -> None:
    """Over all contacts they are what the control accounts hold before revaluation."""
    for name, system, kinds_ in (
        ("AgedReceivablesByContact", "DEBTORS", ("ACCREC", "ACCRECCREDIT", "RECEIVE-OVERPAYMENT")),
        ("AgedPayablesByContact", "CREDITORS", ("ACCPAY", "ACCPAYCREDIT", "SPEND-OVERPAYMENT")),
    ):
        due = ZERO
        for contact_id, contact in company.books.contacts.items():
            report = ask(company, name, contactId=contact_id, date=on, toDate=on)
            total, paid, credited, rest = (Decimal(value) for value in lines(report)["Total"][3:])
            assert rest == total - paid - credited
            due += rest
            documents = [
                document
                for document in company.books.documents.values()
                if document.contact is contact and document.type in kinds_
            ]
            if all(document.rate == 1 for document in documents):
                assert rest == sum(
                    (-1 if document.is_credit else 1) * in_base(document.due_on(on), document.rate)
                    for document in documents
                )
        control = company.books.ledger.balance(company.books.ledger.system(system), on)
        early = sum(
            (settled_early(d, on) for d in company.books.documents.values() if d.type in kinds_),
            ZERO,
        )
        assert due - early == (control if system == "DEBTORS" else -control)


def settled_early(document: Document, on: date) -> Decimal:
    """What was paid or credited by `on` of a document that is dated later: on no aged report."""
    if not document.counts or document.on <= on:
        return ZERO
    paid = [p.amount for p in document.payments if p.status != "DELETED" and p.on <= on]
    credited = [allocation.amount for allocation in document.allocations if allocation.on <= on]
    settled = sum((in_base(amount, document.rate) for amount in (*paid, *credited)), ZERO)
    return -settled if document.is_credit else settled


def check_all(company: Company, on: date, first: date) -> None:
    """Everything that must hold at `on`, and from `first` to it."""
    for basis in ("false", "true"):
        check_trial_balance(company, on, basis)
        check_balance_sheet(company, on, basis)
        check_profit_and_loss(company, on, basis)
        check_profit_is_what_equity_moves_by(company, first, on, basis)
    check_bank_summary(company, first, on)
    check_executive_summary(company, on)
    check_aged(company, on)
