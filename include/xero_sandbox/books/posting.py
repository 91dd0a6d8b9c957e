"""How each document is posted: the only place that decides debit and credit.

Knows the posting rules checked against real journals of Xero, and how a foreign document is
converted. Must not know when things happen, JSON or how a business behaves.

Control, bank and tax are posted once for each tracking combination of the lines, which changes
no account's total.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from xero_sandbox.books.documents import (
    CONTROL_SIGNS,
    PREPAYMENT_TYPES,
    Allocation,
    BankTransaction,
    BankTransfer,
    Document,
    ExpenseClaim,
    Line,
    ManualJournal,
    Payment,
)
from xero_sandbox.books.ledger import Ledger, Posting
from xero_sandbox.books.money import ONE, ZERO, cents, in_base
from xero_sandbox.books.prorating import (
    Combination,
    by_tracking,
    gross_by_tracking,
    pro_rata,
    spread,
)

# Journal.SourceType; the published list has no names for refunds of pre- and overpayments.
PREPAYMENT_SOURCES = {
    "RECEIVE-PREPAYMENT": "ARPREPAYMENT",
    "SPEND-PREPAYMENT": "APPREPAYMENT",
    "RECEIVE-OVERPAYMENT": "AROVERPAYMENT",
    "SPEND-OVERPAYMENT": "APOVERPAYMENT",
}
BANK_SOURCES = {"RECEIVE": "CASHREC", "SPEND": "CASHPAID"} | PREPAYMENT_SOURCES
PAYMENT_SOURCES = {
    "ACCREC": "ACCRECPAYMENT",
    "ACCPAY": "ACCPAYPAYMENT",
    "ACCRECCREDIT": "ARCREDITPAYMENT",
    "ACCPAYCREDIT": "APCREDITPAYMENT",
} | PREPAYMENT_SOURCES
ALLOCATION_SOURCES = {
    "ACCRECCREDIT": "ACCRECCREDIT",
    "ACCPAYCREDIT": "ACCPAYCREDIT",
} | PREPAYMENT_SOURCES


def control_account(ledger: Ledger, document: Document) -> str:
    """Return the id of the account that holds what customers, or suppliers, are owed or owe."""
    return ledger.system("DEBTORS" if document.is_receivable else "CREDITORS")


def converted(
    lines: Sequence[Line], *, total: Decimal, rate: Decimal
) -> tuple[list[Decimal], list[Decimal], Decimal]:
    """Return nets and taxes of the lines, and what they lack of `total`, in base currency.

    Total, tax and net are converted and rounded each for itself; what that leaves over goes to
    the line with the largest net.
    """
    if rate == ONE:
        nets, taxes = [line.net for line in lines], [line.tax for line in lines]
        return nets, taxes, total - sum(nets, ZERO) - sum(taxes, ZERO)
    nets = [in_base(line.net, rate) for line in lines]
    taxes = [in_base(line.tax, rate) for line in lines]
    written = sum((line.net + line.tax for line in lines), ZERO)
    rounding = cents((total - written) / rate) if total != written else ZERO
    left_over = in_base(total, rate) - sum(nets, ZERO) - sum(taxes, ZERO) - rounding
    if left_over and lines:
        largest = max(range(len(lines)), key=lambda index: abs(lines[index].net))
        nets[largest] += left_over
    return nets, taxes, rounding


def document_postings(ledger: Ledger, document: Document) -> list[Posting]:
    """Post an invoice, bill or credit note: control account against lines and tax."""
    return _against_lines(
        ledger,
        document.lines,
        whole_account=control_account(ledger, document),
        sign=CONTROL_SIGNS[document.type],
        total=document.total,
        rate=document.rate,
    )


def bank_postings(ledger: Ledger, record: BankTransaction) -> list[Posting]:
    """Post money received or spent: the bank account against lines and tax.

    The one line of an overpayment is on the control account, those of a prepayment where its
    lines say: nothing special is left to do here.
    """
    return _against_lines(
        ledger,
        record.lines,
        whole_account=record.account.account_id,
        sign=1 if record.is_receipt else -1,
        total=record.total,
        rate=record.rate,
    )


def claim_postings(ledger: Ledger, claim: ExpenseClaim) -> list[Posting]:
    """Post an expense claim: lines and tax against what is owed to staff."""
    return _against_lines(
        ledger,
        claim.lines,
        whole_account=ledger.system("UNPAIDEXPCLM"),
        sign=-1,
        total=claim.total,
        rate=Decimal(1),
    )


def payment_postings(ledger: Ledger, payment: Payment, base_currency: str) -> list[Posting]:
    """Post a payment or refund: the document's own rate on the control account, money as it was.

    What lies between is realised currency gain. Each payment rounds alone, so that a cent may
    stay on the control account of a foreign document paid in parts. A refund of a prepayment
    takes back its lines and tax instead, pro rata.
    """
    document = payment.document
    sign = CONTROL_SIGNS[document.type]
    settled = _signed(in_base(payment.amount, document.rate), -sign)
    is_foreign = payment.account.currency not in ("", base_currency)
    paid = in_base(payment.bank_amount, payment.rate) if is_foreign else payment.bank_amount
    money = _signed(paid, sign)
    weights = gross_by_tracking(document.lines)
    postings = spread(payment.account.account_id, money, weights)
    if document.type in PREPAYMENT_TYPES:
        postings += _taken_back(ledger, document, settled)
    else:
        postings += spread(control_account(ledger, document), settled, weights)
    return postings + _gain(ledger, -(money + settled))


def allocation_postings(ledger: Ledger, allocation: Allocation) -> list[Posting]:
    """Post credit applied to a document: nothing per account, but for what two rates leave.

    The tracking of the one moves to that of the other through TRACKINGTRANSFERS. A prepayment's
    lines and tax are reversed pro rata against the control account instead.
    """
    credit, invoice = allocation.credit, allocation.invoice
    sign = CONTROL_SIGNS[invoice.type]
    taken = sign * in_base(allocation.amount, credit.rate)
    settled = sign * in_base(allocation.amount, invoice.rate)
    control = control_account(ledger, invoice)
    to = gross_by_tracking(invoice.lines)
    if credit.type in PREPAYMENT_TYPES:
        postings = _taken_back(ledger, credit, taken) + spread(control, -settled, to)
    else:
        origin = gross_by_tracking(credit.lines)
        between = ledger.system("TRACKINGTRANSFERS")
        postings = spread(control, taken, origin) + spread(between, -taken, origin)
        postings += spread(control, -settled, to) + spread(between, taken, to)
    return postings + _gain(ledger, settled - taken)


def transfer_postings(transfer: BankTransfer, worth: Decimal) -> list[Posting]:
    """Post money moved between two own accounts: the same amount in base currency on both."""
    return [
        Posting(transfer.to_account.account_id, worth, tracking=transfer.tracking),
        Posting(transfer.from_account.account_id, -worth, tracking=transfer.tracking),
    ]


def manual_postings(ledger: Ledger, journal: ManualJournal) -> list[Posting]:
    """Post a manual journal: its lines as signed, and their tax for each tracking combination."""
    postings = [
        Posting(
            line.account.account_id,
            line.net,
            description=line.description,
            tax_type=line.tax_type,
            tax_amount=line.tax,
            tracking=line.tracking,
        )
        for line in journal.lines
    ]
    taxes: dict[Combination, Decimal] = {}
    for line in journal.lines:
        taxes[line.tracking] = taxes.get(line.tracking, ZERO) + line.tax
    return postings + _tax_postings(ledger, taxes, sign=1)


def claim_payment_postings(ledger: Ledger, bank: str, amount: Decimal) -> list[Posting]:
    """Post money paid to staff for an expense claim."""
    return [Posting(ledger.system("UNPAIDEXPCLM"), amount), Posting(bank, -amount)]


def balanced(postings: list[Posting], account_id: str) -> list[Posting]:
    """Return the postings with what they leave over posted on one account."""
    left_over = -sum((posting.amount for posting in postings), ZERO)
    return [*postings, Posting(account_id, left_over)]


def _taken_back(ledger: Ledger, prepayment: Document, amount: Decimal) -> list[Posting]:
    """The share of a prepayment's lines and tax that sums to `amount`, on the other side."""
    contra = _contra_postings(
        ledger,
        prepayment.lines,
        sign=-CONTROL_SIGNS[prepayment.type],
        total=prepayment.total,
        rate=prepayment.rate,
    )
    return pro_rata(contra, amount, tax_account=ledger.system("GST"))


def _gain(ledger: Ledger, amount: Decimal) -> list[Posting]:
    return [Posting(ledger.system("REALISEDCURRENCYGAIN"), amount)] if amount else []


def _against_lines(
    ledger: Ledger,
    lines: Sequence[Line],
    *,
    whole_account: str,
    sign: int,
    total: Decimal,
    rate: Decimal,
) -> list[Posting]:
    """The whole on one account, debit for sign +1; each line, all tax and the rest against it."""
    contra = _contra_postings(ledger, lines, sign=sign, total=total, rate=rate)
    whole = _signed(in_base(total, rate), sign)
    combinations = {line.tracking for line in lines}
    if len(combinations) < 2:
        tracking = combinations.pop() if combinations else ()
        return [Posting(whole_account, whole, tracking=tracking), *contra]
    grosses: dict[Combination, Decimal] = dict.fromkeys((line.tracking for line in lines), ZERO)
    for posting in contra:
        # What stands on ROUNDING has no tracking; it goes to the first combination.
        key = posting.tracking if posting.tracking in grosses else lines[0].tracking
        grosses[key] -= posting.amount
    wholes = [Posting(whole_account, amount, tracking=key) for key, amount in grosses.items()]
    return wholes + contra


def _contra_postings(
    ledger: Ledger, lines: Sequence[Line], *, sign: int, total: Decimal, rate: Decimal
) -> list[Posting]:
    """One posting a line, one for all tax, one for what does not add up."""
    nets, taxes, rounding = converted(lines, total=total, rate=rate)
    postings = [
        Posting(
            line.account.account_id,
            _signed(net, -sign),
            description=line.description,
            tax_type=line.tax_type,
            tax_amount=_signed(tax, -sign),
            tracking=line.tracking,
        )
        for line, net, tax in zip(lines, nets, taxes, strict=True)
    ]
    postings += _tax_postings(ledger, by_tracking(lines, taxes), sign=-sign)
    if rounding:
        postings.append(Posting(ledger.system("ROUNDING"), _signed(rounding, -sign)))
    return postings


def _tax_postings(
    ledger: Ledger, taxes: Mapping[Combination, Decimal], *, sign: int
) -> list[Posting]:
    account = ledger.system("GST")
    return [
        Posting(account, _signed(tax, sign), tracking=tracking)
        for tracking, tax in taxes.items()
        if tax
    ]


def _signed(amount: Decimal, sign: int) -> Decimal:
    """The amount or its opposite; the same object where it can be, because there are so many."""
    if not amount:
        return ZERO
    return amount if sign > 0 else -amount
