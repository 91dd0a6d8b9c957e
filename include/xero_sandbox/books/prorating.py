"""How an amount is divided, pro rata and without losing a cent.

Knows rounding, tracking combinations and what a share of some postings is. Must not know which
document is posted where (`posting.py`) or when (`books.py`, `cash.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from xero_sandbox.books.documents import Line, TrackingOption
from xero_sandbox.books.ledger import Posting
from xero_sandbox.books.money import ZERO, cents

Combination = tuple[TrackingOption, ...]


def by_tracking(lines: Iterable[Line], amounts: Iterable[Decimal]) -> dict[Combination, Decimal]:
    """Return the sum of `amounts` (one a line) for each tracking combination of the lines."""
    found: dict[Combination, Decimal] = {}
    for line, amount in zip(lines, amounts, strict=True):
        found[line.tracking] = found.get(line.tracking, ZERO) + amount
    return found


def gross_by_tracking(lines: Sequence[Line]) -> dict[Combination, Decimal]:
    """Return what the lines add to the total, tax included, for each tracking combination."""
    return by_tracking(lines, (line.net + line.tax for line in lines))


def spread(
    account_id: str, amount: Decimal, weights: Mapping[Combination, Decimal]
) -> list[Posting]:
    """Post `amount` on one account, split by tracking combination pro rata to `weights`.

    What rounding leaves over goes to the largest weight.
    """
    whole = sum(weights.values(), ZERO) if len(weights) > 1 else ZERO
    if not whole:
        tracking = next(iter(weights), ())
        return [Posting(account_id, amount, tracking=tracking)]
    shares = {key: cents(amount * weight / whole) for key, weight in weights.items()}
    largest = max(weights, key=lambda key: abs(weights[key]))
    shares[largest] += amount - sum(shares.values(), ZERO)
    return [Posting(account_id, share, tracking=key) for key, share in shares.items()]


def pro_rata(postings: Sequence[Posting], part: Decimal, *, tax_account: str) -> list[Posting]:
    """Return the share of a document's line and tax postings that sums to `part`.

    Each line's gross is shared and rounded, its tax is rounded, its net is what remains; what
    the lines leave over goes to the one with the largest net. The tax is posted anew, once for
    each tracking combination. All of it gives the postings as they are; none gives nothing.
    """
    whole = sum((posting.amount for posting in postings), ZERO)
    lines = [p for p in postings if p.account_id != tax_account or p.tax_type]
    grosses = [cents((line.amount + line.tax_amount) * part / whole) for line in lines]
    taxes = [cents(line.tax_amount * part / whole) for line in lines]
    largest = max(range(len(lines)), key=lambda index: abs(lines[index].amount))
    grosses[largest] += part - sum(grosses, ZERO)
    shared = []
    owed: dict[Combination, Decimal] = {}
    for line, gross, tax in zip(lines, grosses, taxes, strict=True):
        shared.append(replace(line, amount=gross - tax, tax_amount=tax))
        owed[line.tracking] = owed.get(line.tracking, ZERO) + tax
    return shared + [
        Posting(tax_account, tax, tracking=tracking) for tracking, tax in owed.items() if tax
    ]
