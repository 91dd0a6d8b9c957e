"""What Xero gives a new organisation: its chart of accounts.

Knows codes, names and kinds of accounts, and which of them Xero finds by its system name. Must
not know documents or how a business behaves. The differences between countries are in
`countries.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from xero_sandbox.books.countries import Country
from xero_sandbox.books.ledger import Account

# code, name, type, kind of tax (s sales, p purchases, n none), system account, takes payments
_ACCOUNTS: tuple[tuple[str, str, str, str, str, bool], ...] = (
    ("200", "Sales", "REVENUE", "s", "", False),
    ("210", "Services", "REVENUE", "s", "", False),
    ("260", "Other Revenue", "OTHERINCOME", "s", "", False),
    ("270", "Interest Income", "OTHERINCOME", "n", "", False),
    ("310", "Cost of Goods Sold", "DIRECTCOSTS", "p", "", False),
    ("400", "Advertising", "EXPENSE", "p", "", False),
    ("404", "Bank Fees", "EXPENSE", "n", "", False),
    ("408", "Cleaning", "EXPENSE", "p", "", False),
    ("412", "Consulting & Accounting", "EXPENSE", "p", "", False),
    ("425", "Freight & Courier", "EXPENSE", "p", "", False),
    ("429", "General Expenses", "EXPENSE", "p", "", False),
    ("433", "Insurance", "EXPENSE", "p", "", False),
    ("437", "Interest Expense", "EXPENSE", "n", "", False),
    ("445", "Light, Power, Heating", "EXPENSE", "p", "", False),
    ("449", "Motor Vehicle Expenses", "EXPENSE", "p", "", False),
    ("453", "Office Expenses", "EXPENSE", "p", "", False),
    ("469", "Rent", "EXPENSE", "p", "", False),
    ("473", "Repairs and Maintenance", "EXPENSE", "p", "", False),
    ("485", "Subscriptions", "EXPENSE", "p", "", False),
    ("489", "Telephone & Internet", "EXPENSE", "p", "", False),
    ("493", "Travel - National", "EXPENSE", "p", "", False),
    ("497", "Bank Revaluations", "EXPENSE", "n", "BANKCURRENCYGAIN", False),
    ("498", "Unrealised Currency Gains", "EXPENSE", "n", "UNREALISEDCURRENCYGAIN", False),
    ("499", "Realised Currency Gains", "EXPENSE", "n", "REALISEDCURRENCYGAIN", False),
    ("610", "Accounts Receivable", "CURRENT", "n", "DEBTORS", False),
    ("710", "Office Equipment", "FIXED", "p", "", False),
    ("800", "Accounts Payable", "CURRLIAB", "n", "CREDITORS", False),
    ("801", "Unpaid Expense Claims", "CURRLIAB", "n", "UNPAIDEXPCLM", False),
    ("820", "{tax}", "CURRLIAB", "n", "GST", False),
    ("840", "Historical Adjustment", "CURRLIAB", "n", "HISTORICAL", False),
    ("860", "Rounding", "CURRLIAB", "n", "ROUNDING", False),
    ("877", "Tracking Transfers", "CURRLIAB", "n", "TRACKINGTRANSFERS", False),
    ("881", "Owner A Funds Introduced", "EQUITY", "n", "", True),
    ("960", "Retained Earnings", "EQUITY", "n", "RETAINEDEARNINGS", False),
    ("970", "Owner A Share Capital", "EQUITY", "n", "", False),
)
# Later ones, so that the ids of those above stay what they are.
_MORE_ACCOUNTS: tuple[tuple[str, str, str, str, str, bool], ...] = (
    ("320", "Inventory Adjustments", "DIRECTCOSTS", "n", "", False),
    ("416", "Depreciation", "DEPRECIATN", "n", "", False),
    ("420", "Entertainment", "EXPENSE", "p", "", False),
    ("424", "Donations", "OVERHEADS", "n", "", False),
    ("441", "Legal expenses", "EXPENSE", "p", "", False),
    ("461", "Printing & Stationery", "EXPENSE", "p", "", False),
    ("477", "Wages and Salaries", "EXPENSE", "n", "", False),
    ("478", "{pension} Employer Contributions", "EXPENSE", "n", "", False),
    ("494", "Travel - International", "EXPENSE", "n", "", False),
    ("505", "Income Tax Expense", "EXPENSE", "n", "", False),
    ("620", "Prepayments", "CURRENT", "n", "", False),
    ("630", "Inventory", "INVENTORY", "n", "", False),
    ("711", "Less Accumulated Depreciation on Office Equipment", "FIXED", "n", "", False),
    ("720", "Computer Equipment", "FIXED", "p", "", False),
    ("721", "Less Accumulated Depreciation on Computer Equipment", "FIXED", "n", "", False),
    ("740", "Goodwill", "NONCURRENT", "n", "", False),
    ("805", "Accrued Liabilities", "CURRLIAB", "n", "", False),
    ("810", "Income in Advance", "CURRLIAB", "n", "", False),
    ("814", "Wages Payable - Payroll", "CURRLIAB", "n", "WAGEPAYABLES", False),
    ("825", "{payroll_tax} Payable", "CURRLIAB", "n", "", False),
    ("826", "{pension} Payable", "CURRLIAB", "n", "", False),
    ("830", "Income Tax Payable", "CURRLIAB", "n", "", False),
    ("850", "Suspense", "CURRLIAB", "n", "", False),
    ("880", "Owner A Drawings", "EQUITY", "n", "", True),
    ("900", "Loan", "TERMLIAB", "n", "", True),
)

_CARD = "092"
# The codes of foreign bank accounts: 093, 094 …
_FIRST_FOREIGN = 93

_DESCRIPTIONS = {
    "200": "Income from any normal business activity",
    "404": "Fees charged by your bank for transactions regarding your bank account(s).",
    "610": "Outstanding invoices the company has issued out to the client but has not yet received",
    "800": "Outstanding invoices the company has received from suppliers but has not yet paid",
}


def chart_of_accounts(
    country: Country,
    *,
    new_id: Callable[[], str],
    created_at: datetime,
    foreign_banks: Sequence[str] = (),
    has_card: bool = False,
) -> list[Account]:
    """Return the accounts of a new organisation: bank accounts and Xero's default chart.

    Always a cheque and a savings account in base currency; one more for each currency of
    `foreign_banks`, and a credit card when asked for.
    """
    banks = [("090", "Business Bank Account", country.currency)]
    banks += [("091", "Business Savings Account", country.currency)]
    accounts = [_bank(*bank, land=country, new_id=new_id(), at=created_at) for bank in banks]
    accounts += [
        _account(row, land=country, new_id=new_id(), at=created_at)
        for row in (*_ACCOUNTS, *_MORE_ACCOUNTS)
    ]
    more = [(_CARD, "Company Visa", country.currency)] if has_card else []
    more += [
        (f"{_FIRST_FOREIGN + index:03d}", f"{currency} Account", currency)
        for index, currency in enumerate(foreign_banks)
    ]
    return accounts + [_bank(*bank, land=country, new_id=new_id(), at=created_at) for bank in more]


def _account(
    row: tuple[str, str, str, str, str, bool], *, land: Country, new_id: str, at: datetime
) -> Account:
    code, name, type_, tax, system, takes_payments = row
    tax_types = {"s": land.sales_tax, "p": land.purchase_tax, "n": land.no_tax}
    return Account(
        account_id=new_id,
        code=code,
        name=name.format(tax=land.tax_name, payroll_tax=land.payroll_tax, pension=land.pension),
        type=type_,
        tax_type=tax_types[tax],
        updated_at=at,
        system=system,
        description=_DESCRIPTIONS.get(code, ""),
        takes_payments=takes_payments,
    )


def _bank(
    code: str, name: str, currency: str, *, land: Country, new_id: str, at: datetime
) -> Account:
    return Account(
        account_id=new_id,
        code=code,
        name=name,
        type="BANK",
        tax_type=land.no_tax,
        updated_at=at,
        currency=currency,
        bank_account_number=f"0209087654{code}50",
        takes_payments=True,
        bank_account_type="CREDITCARD" if code == _CARD else "BANK",
    )
