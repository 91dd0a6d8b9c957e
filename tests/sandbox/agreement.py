"""What must be true of any books, whatever was done to them: the ledgers agree with the records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from xero_sandbox.books.books import Books
from xero_sandbox.books.cash import CashBooks
from xero_sandbox.books.documents import (
    CONTROL_SIGNS,
    CREDIT_NOTE_TYPES,
    OVERPAYMENT_TYPES,
    PREPAYMENT_TYPES,
)
from xero_sandbox.books.ledger import Ledger, Posting
from xero_sandbox.books.money import in_base
from xero_sandbox.books.posting import (
    allocation_postings,
    bank_postings,
    claim_postings,
    document_postings,
    manual_postings,
    payment_postings,
)
from xero_sandbox.books.revaluation import revaluation

CENT = Decimal("0.01")
# Amounts by account and tracking options.
Left = dict[tuple[str, tuple[str, ...]], Decimal]
ADVANCES = (*PREPAYMENT_TYPES, *OVERPAYMENT_TYPES)


def check_books(books: Books) -> None:
    """Assert everything below."""
    for ledger in (books.ledger, books.cash):
        check_journals(ledger)
    check_documents(books)
    check_subledger(books)
    check_standing_journals(books)
    check_stock(books)
    check_cash(books)
    difference = revaluation(books, books.today, lambda *_: Decimal("0.7"))
    assert sum(difference.values()) == 0


def check_journals(ledger: Ledger) -> None:
    totals: dict[str, Decimal] = defaultdict(Decimal)
    last = 0
    for journal in ledger.journals:
        assert journal.number > last
        last = journal.number
        assert sum(posting.amount for posting in journal.postings) == 0
        for posting in journal.postings:
            totals[posting.account_id] += posting.amount
    balances = ledger.balances(date.max)
    assert balances == totals
    assert ledger.tracked_balances(date.max, options=()) == totals


def check_documents(books: Books) -> None:
    standing = left_standing(books.ledger)
    for document in books.documents.values():
        assert document.due >= 0
        assert (document.status == "PAID") == (document.fully_paid_on is not None)
        is_open = document.status == "AUTHORISED" and bool(document.due)
        assert (document.document_id in document.contact.open_documents) == is_open
        if document.counts:
            assert (document.status == "PAID") == (document.due == 0)
        else:
            assert document.document_id not in standing


def check_subledger(books: Books) -> None:
    """Open documents at their own rates are the control accounts, prepayments aside."""
    cents = 0
    subledger: dict[str, Decimal] = defaultdict(Decimal)
    for document in books.documents.values():
        if document.counts and document.type not in PREPAYMENT_TYPES:
            side = "DEBTORS" if document.is_receivable else "CREDITORS"
            sign = CONTROL_SIGNS[document.type]
            subledger[side] += sign * in_base(document.due, document.rate)
            if document.rate != 1:
                cents += len(document.payments) + len(document.allocations)
    for side in ("DEBTORS", "CREDITORS"):
        control = books.ledger.balance(books.ledger.system(side), date.max)
        assert abs(control - subledger[side]) <= cents * CENT


def by_account(postings: Iterable[Posting]) -> Left:
    found: Left = defaultdict(Decimal)
    for posting in postings:
        found[posting.account_id, tuple(o.option_id for o in posting.tracking)] += posting.amount
    return {key: amount for key, amount in found.items() if amount}


def left_standing(ledger: Ledger) -> dict[str, Left]:
    """What the journals of each source that nothing cancelled leave."""
    postings: dict[str, list[Posting]] = defaultdict(list)
    for journal in ledger.all_standing():
        if journal.source_id is not None:
            postings[journal.source_id] += journal.postings
    return {source_id: by_account(each) for source_id, each in postings.items()}


def check_standing_journals(books: Books) -> None:
    """What stands of each record is what posting.py says of it now."""
    ledger = books.ledger
    standing = left_standing(ledger)
    for payment in books.payments.values():
        expected = by_account(payment_postings(ledger, payment, books.base_currency))
        is_standing = payment.status != "DELETED"
        assert standing.get(payment.payment_id, {}) == (expected if is_standing else {})
    for allocation in books.allocations.values():
        expected = by_account(allocation_postings(ledger, allocation))
        is_standing = allocation in allocation.credit.allocations
        assert standing.get(allocation.allocation_id, {}) == (expected if is_standing else {})
    for manual in books.manual_journals.values():
        expected = by_account(manual_postings(ledger, manual)) if manual.counts else {}
        assert standing.get(manual.journal_id, {}) == expected
    for claim in books.expense_claims.values():
        assert standing.get(claim.claim_id, {}) == by_account(claim_postings(ledger, claim))
    check_standing_documents(books, standing)


def check_standing_documents(books: Books, standing: Mapping[str, Left]) -> None:
    """The cost of goods sold stands beside what posting.py says of documents and money."""
    cost_accounts = {
        account.account_id
        for item in books.items.values()
        for account in (item.purchase_account, item.inventory_account)
        if account is not None and item.is_tracked
    }
    pairs = [
        (document.document_id, document_postings(books.ledger, document))
        for document in books.documents.values()
        if document.counts and document.type not in ADVANCES
    ]
    for record in books.bank_transactions.values():
        key = record.credit.document_id if record.credit else record.transaction_id
        if record.status == "DELETED" or record.transfer is not None:
            assert key not in standing
        else:
            pairs.append((key, bank_postings(books.ledger, record)))
    for key, postings in pairs:
        found, expected = standing.get(key, {}), by_account(postings)
        for place in found.keys() | expected.keys():
            assert found.get(place) == expected.get(place) or place[0] in cost_accounts


def check_stock(books: Books) -> None:
    """What lies in stock is worth what the standing journals of goods put on its account."""
    pools: dict[str, Decimal] = defaultdict(Decimal)
    for item in books.items.values():
        if item.inventory_account is not None:
            assert item.quantity >= 0
            assert item.cost_pool >= 0
            assert item.quantity or not item.cost_pool
            pools[item.inventory_account.account_id] += item.cost_pool
    for account_id, pool in pools.items():
        assert books.ledger.balance(account_id, date.max) == pool


def check_cash(books: Books) -> None:
    """The cash books move the same money; on control they hold unapplied overpayments alone."""
    # It makes no difference when the cash books were asked for.
    assert CashBooks(books).caught_up().journals == books.cash.journals
    accrual, cash = (ledger.balances(date.max) for ledger in (books.ledger, books.cash))
    for account in books.ledger.accounts.values():
        if account.type == "BANK":
            key = account.account_id
            assert accrual.get(key, 0) == cash.get(key, 0)
    cents = 0
    unapplied = Decimal(0)
    for document in books.documents.values():
        if document.counts and document.type in OVERPAYMENT_TYPES:
            unapplied += CONTROL_SIGNS[document.type] * in_base(document.due, document.rate)
            if document.rate != 1:
                cents += len(document.payments) + len(document.allocations)
    held = sum(
        (cash.get(books.ledger.system(name), Decimal(0)) for name in ("DEBTORS", "CREDITORS")),
        Decimal(0),
    )
    assert abs(held - unapplied) <= cents * CENT
    assert not cash.get(books.ledger.system("UNPAIDEXPCLM"))


def profit(ledger: Ledger) -> Decimal:
    balances = ledger.balances(date.max)
    accounts = ledger.accounts
    return sum((n for key, n in balances.items() if accounts[key].is_temporary), Decimal(0))


def kept_from_cash(books: Books) -> Decimal:
    """What manual journals that cash-basis reports do not show put on income and expense."""
    return sum(
        (
            line.net
            for journal in books.manual_journals.values()
            if journal.counts and not journal.show_on_cash_basis
            for line in journal.lines
            if line.account.is_temporary
        ),
        Decimal(0),
    )


def rounding_allowance(books: Books) -> Decimal:
    """A cent for each line of a document, each time that a part of it was recognised."""
    times = 0
    for document in books.documents.values():
        parts = len(document.payments) + len(document.allocations)
        if parts > 1 or document.rate != 1 or document.type in CREDIT_NOTE_TYPES + ADVANCES:
            times += parts * len(document.lines)
    return times * CENT
