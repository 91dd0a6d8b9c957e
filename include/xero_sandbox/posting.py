"""How each document is posted: the only place that decides debit and credit.

Knows the posting rules checked against real journals of Xero, and how a foreign document is
converted. Must not know when things happen, JSON or how a business behaves.
"""

from __future__ import annotations

from decimal import Decimal

from xero_sandbox.documents import (
    CONTROL_SIGNS,
    Allocation,
    BankTransaction,
    Document,
    Line,
    Payment,
)
from xero_sandbox.ledger import Ledger, Posting
from xero_sandbox.money import ZERO, cents, in_base


def document_postings(ledger: Ledger, document: Document) -> list[Posting]:
    """Post an invoice, bill or credit note: control account against lines and tax."""
    control = ledger.system("DEBTORS" if document.is_receivable else "CREDITORS")
    return _against_lines(
        ledger,
        document.lines,
        control=control,
        kind=document.type,
        total=document.total,
        rate=document.rate,
    )


def bank_postings(ledger: Ledger, transaction: BankTransaction) -> list[Posting]:
    """Post money received or spent: the bank account against lines and tax."""
    return _against_lines(
        ledger,
        transaction.lines,
        control=transaction.account.account_id,
        kind=transaction.type,
        total=transaction.total,
        rate=transaction.rate,
    )


def payment_postings(ledger: Ledger, payment: Payment, base_currency: str) -> list[Posting]:
    """Post a payment or refund: the document's own rate on the control account, money as it was.

    What lies between is realised currency gain. Each payment rounds alone, so that a cent may
    stay on the control account of a foreign document paid in parts.
    """
    document = payment.document
    sign = CONTROL_SIGNS[document.type]
    control = ledger.system("DEBTORS" if document.is_receivable else "CREDITORS")
    settled = -sign * in_base(payment.amount, document.rate)
    is_foreign = payment.account.currency not in ("", base_currency)
    money = sign * (
        in_base(payment.bank_amount, payment.rate) if is_foreign else payment.bank_amount
    )
    postings = [Posting(payment.account.account_id, money), Posting(control, settled)]
    if money + settled:
        postings.append(Posting(ledger.system("REALISEDCURRENCYGAIN"), -(money + settled)))
    return postings


def allocation_postings(ledger: Ledger, allocation: Allocation) -> list[Posting]:
    """Post what two rates leave between a credit and the document it is applied to."""
    credit, invoice = allocation.credit, allocation.invoice
    sign = CONTROL_SIGNS[invoice.type]
    difference = sign * (
        in_base(allocation.amount, credit.rate) - in_base(allocation.amount, invoice.rate)
    )
    if not difference:
        return []
    control = ledger.system("DEBTORS" if invoice.is_receivable else "CREDITORS")
    gain = ledger.system("REALISEDCURRENCYGAIN")
    return [Posting(control, difference), Posting(gain, -difference)]


def _against_lines(
    ledger: Ledger,
    lines: tuple[Line, ...],
    *,
    control: str,
    kind: str,
    total: Decimal,
    rate: Decimal,
) -> list[Posting]:
    """One posting for the whole, one a line, one for all tax, one for what does not add up.

    Control, tax and net are converted and rounded each for itself; what that leaves over goes to
    the line with the largest net.
    """
    sign = CONTROL_SIGNS[kind]
    whole = in_base(total, rate)
    nets = [in_base(line.net, rate) for line in lines]
    taxes = [in_base(line.tax, rate) for line in lines]
    written = sum((line.net + line.tax for line in lines), ZERO)
    rounding = cents((total - written) / rate)
    left_over = whole - sum(nets, ZERO) - sum(taxes, ZERO) - rounding
    if left_over and lines:
        largest = max(range(len(lines)), key=lambda index: abs(lines[index].net))
        nets[largest] += left_over
    postings = [Posting(control, sign * whole)]
    for line, net, tax in zip(lines, nets, taxes, strict=True):
        postings.append(
            Posting(
                line.account.account_id,
                -sign * net,
                description=line.description,
                tax_type=line.tax_type,
                tax_amount=-sign * tax,
            )
        )
    tax_total = sum(taxes, ZERO)
    if tax_total:
        postings.append(Posting(ledger.system("GST"), -sign * tax_total))
    if rounding:
        postings.append(Posting(ledger.system("ROUNDING"), -sign * rounding))
    return postings
