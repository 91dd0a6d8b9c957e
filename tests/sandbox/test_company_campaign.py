"""Many organisations of every kind, whatever the seed; the seeds are printed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest

from xero_sandbox.books.books import Books
from xero_sandbox.books.countries import COUNTRIES, CURRENCY_NAMES, TIMEZONES
from xero_sandbox.books.documents import CONTROL_SIGNS, PREPAYMENT_TYPES
from xero_sandbox.books.money import in_base
from xero_sandbox.business.company import Company, build_company
from xero_sandbox.business.traits import FEATURES
from xero_sandbox.wire.format import dump
from xero_sandbox.wire.shelving import RESOURCES

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SEEDS = range(60)


def any_company(seed: int) -> Company:
    """An organisation whose traits, and age, are drawn."""
    random = Random(seed)
    features = random.choice((["all"], random.sample(sorted(FEATURES), k=8)))
    currencies = random.sample(sorted(CURRENCY_NAMES), k=random.choice((0, 2)))
    country = random.choice(sorted(COUNTRIES))
    traits = {
        "country": country,
        "timezone": random.choice(sorted(TIMEZONES)),
        "year_end": random.choice(([31, 3], [30, 6], [31, 12], [29, 2])),
        "currencies": [each for each in currencies if each != COUNTRIES[country].currency],
        "features": features,
        "size": random.choice(("small", "medium", "medium")),
        "customers": random.choice((0, 1, 12, 40)),
        "suppliers": random.choice((0, 1, 8)),
    }
    print(f"seed={seed} traits={traits}")
    days = random.randrange(20, 300)
    return build_company("Any & Co", seed=seed, days=days, now=NOW, traits=traits)


def assert_books_agree(books: Books) -> None:
    """Journals balance, open documents are the control accounts, stock is the inventory."""
    ledger = books.ledger
    for journals in (ledger.journals, books.cash.journals):
        assert all(sum(p.amount for p in journal.postings) == 0 for journal in journals)
    for system, is_receivable in (("DEBTORS", True), ("CREDITORS", False)):
        open_amount, foreign = Decimal(0), 0
        for document in books.documents.values():
            is_on_control = document.counts and document.type not in PREPAYMENT_TYPES
            if is_on_control and document.is_receivable == is_receivable:
                sign = CONTROL_SIGNS[document.type]
                open_amount += sign * in_base(document.due, document.rate)
                foreign += document.rate != 1 and bool(document.payments or document.allocations)
        balance = ledger.balance(ledger.system(system), date.max)
        assert abs(balance - open_amount) <= foreign * Decimal("0.02")
    stock = sum(item.cost_pool for item in books.items.values())
    assert stock == ledger.balance(books.account("630").account_id, date.max)


@pytest.mark.campaign
@pytest.mark.parametrize("seed", SEEDS)
def test_any_organisation_agrees_with_itself_and_with_its_twin(seed: int) -> None:
    steps, leap = any_company(seed), any_company(seed)
    random = Random(seed)
    moment = NOW - timedelta(days=random.randrange(1, 40))
    while moment < NOW:
        steps.advance(moment)
        moment += timedelta(minutes=random.randrange(30, 9000))
    for each in (steps, leap):
        each.advance(NOW)
    assert_books_agree(leap.books)
    served = [dump([each.records(name) for name in RESOURCES]) for each in (steps, leap)]
    assert served[0] == served[1]
