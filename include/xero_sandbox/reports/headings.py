"""Where an account stands in a statement, and on which side it counts.

Knows the headings of profit and loss and of the balance sheet by account type. Must not know
dates, layouts or how an amount came about. A type that is not listed goes by its class, so that
no account is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from xero_sandbox.books.ledger import Account
from xero_sandbox.books.money import ZERO

INCOME = "Income"
DIRECT_COSTS = "Direct costs"
OTHER_INCOME = "Other income"
EXPENSES = "Expenses"
BANK = "Bank"
CURRENT_ASSETS = "Current Assets"
FIXED_ASSETS = "Fixed Assets"
OTHER_ASSETS = "Non-current Assets"
CURRENT_LIABILITIES = "Current Liabilities"
OTHER_LIABILITIES = "Non-current Liabilities"
EQUITY = "Equity"

_BY_TYPE = {
    "BANK": BANK,
    "FIXED": FIXED_ASSETS,
    "NONCURRENT": OTHER_ASSETS,
    "TERMLIAB": OTHER_LIABILITIES,
    "OTHERINCOME": OTHER_INCOME,
    "DIRECTCOSTS": DIRECT_COSTS,
}
_BY_CLASS = {
    "REVENUE": INCOME,
    "EXPENSE": EXPENSES,
    "ASSET": CURRENT_ASSETS,
    "LIABILITY": CURRENT_LIABILITIES,
    "EQUITY": EQUITY,
}
_DEBIT_CLASSES = ("ASSET", "EXPENSE")


def heading_of(account: Account) -> str:
    """Return the heading that an account stands under."""
    return _BY_TYPE.get(account.type) or _BY_CLASS[account.account_class]


def is_debit(account: Account) -> bool:
    """Whether the account is one of assets or costs, which show a debit as positive."""
    return account.account_class in _DEBIT_CLASSES


def shown(account: Account, amount: Decimal) -> Decimal:
    """Return an amount (debit positive) as its statement shows it: usually positive."""
    return amount if is_debit(account) else -amount


def totals(
    accounts: Mapping[str, Account], amounts: Mapping[str, Decimal]
) -> Mapping[str, Decimal]:
    """Return heading to the sum of its accounts as shown; every heading is there."""
    found = dict.fromkeys((*_BY_TYPE.values(), *_BY_CLASS.values()), ZERO)
    for key, amount in amounts.items():
        account = accounts[key]
        found[heading_of(account)] += shown(account, amount)
    return found


@dataclass(frozen=True)
class StatementLine:
    """A line of a statement: its label, the account's id, and an amount as shown per column."""

    label: str
    account_id: str
    amounts: tuple[Decimal, ...]


def lines_under(
    heading: str, accounts: Mapping[str, Account], columns: Sequence[Mapping[str, Decimal]]
) -> list[StatementLine]:
    """Return the lines of a heading by name; an account that is zero in every column has none."""
    found = []
    for account in accounts.values():
        if heading_of(account) == heading:
            key = account.account_id
            amounts = tuple(shown(account, column.get(key, ZERO)) for column in columns)
            if any(amounts):
                found.append(StatementLine(account.name, key, amounts))
    return sorted(found, key=lambda line: line.label.casefold())


def column_totals(lines: Sequence[StatementLine], count: int) -> tuple[Decimal, ...]:
    """Return the sum of lines in each of `count` columns."""
    return tuple(sum((line.amounts[index] for line in lines), ZERO) for index in range(count))
