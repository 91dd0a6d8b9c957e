"""Tracked inventory: average cost, cost of goods sold, and what cannot be sold."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, InvalidOperation

import pytest

from tests.sandbox.bookkeeping import AT, LATER, Bookkeeper
from xero_sandbox.books.books import BooksError
from xero_sandbox.books.documents import Document, compute_line


@pytest.fixture
def keeper() -> Bookkeeper:
    keeper = Bookkeeper()
    keeper.widget()
    return keeper


def state(keeper: Bookkeeper) -> str:
    item = keeper.books.items["WIDGET"]
    inventory = keeper.balances().get("Inventory", Decimal(0))
    assert item.cost_pool == inventory
    return f"{item.quantity.normalize():f} for {item.cost_pool:.2f}"


def buy(keeper: Bookkeeper, quantity: str, price: str, *, kind: str = "ACCPAY") -> Document:
    line = keeper.line(price, code="630", quantity=quantity, item="WIDGET")
    return keeper.enter(line, kind=kind)


def sell(keeper: Bookkeeper, quantity: str, *, kind: str = "ACCREC") -> Document:
    return keeper.enter(keeper.line("25", quantity=quantity, item="WIDGET"), kind=kind)


def test_a_sale_posts_its_average_cost_in_the_journal_alone(keeper: Bookkeeper) -> None:
    buy(keeper, "10", "1")
    buy(keeper, "5", "2.50")
    assert state(keeper) == "15 for 22.50"
    invoice = sell(keeper, "4")
    assert state(keeper) == "11 for 16.50"
    assert keeper.balances()["Cost of Goods Sold"] == Decimal("6.00")
    assert invoice.total == Decimal("115.00")
    [journal] = keeper.standing(invoice.document_id)
    assert len(journal.postings) == 5
    sell(keeper, "11")
    assert state(keeper) == "0 for 0.00"


def test_voids_and_edits_take_back_what_was_moved(keeper: Bookkeeper) -> None:
    buy(keeper, "10", "3")
    invoice = sell(keeper, "4")
    keeper.books.edit(invoice, at=LATER, lines=[keeper.line("25", quantity="9", item="WIDGET")])
    assert state(keeper) == "1 for 3.00"
    keeper.books.void(invoice, at=LATER)
    assert state(keeper) == "10 for 30.00"
    assert keeper.books.items["WIDGET"].updated_at == AT


def test_more_than_is_in_stock_cannot_be_sold(keeper: Bookkeeper) -> None:
    bill = buy(keeper, "3", "7")
    with pytest.raises(BooksError, match="only 3 of WIDGET"):
        sell(keeper, "4")
    invoice = sell(keeper, "2")
    before, journals = state(keeper), len(keeper.books.ledger.journals)
    for lines in ([keeper.line("25", quantity="4", item="WIDGET")],):
        with pytest.raises(BooksError, match="WIDGET"):
            keeper.books.edit(invoice, at=LATER, lines=lines, reference="new")
    with pytest.raises(BooksError, match="WIDGET cannot have been"):
        keeper.books.void(bill, at=LATER)
    assert (state(keeper), len(keeper.books.ledger.journals)) == (before, journals)
    assert (invoice.reference, bill.status) == ("", "AUTHORISED")
    assert invoice.lines[0].quantity == 2


def test_credit_notes_bring_goods_back(keeper: Bookkeeper) -> None:
    buy(keeper, "10", "2")
    sell(keeper, "6")
    sell(keeper, "1", kind="ACCRECCREDIT")
    assert state(keeper) == "5 for 10.00"
    buy(keeper, "2", "2", kind="ACCPAYCREDIT")
    assert state(keeper) == "3 for 6.00"


def test_money_buys_and_sells_too_and_drafts_do_not(keeper: Bookkeeper) -> None:
    keeper.money("SPEND", keeper.line("4", code="630", quantity="2", item="WIDGET"))
    sold = keeper.money("RECEIVE", keeper.line("9", quantity="1", item="WIDGET"))
    assert state(keeper) == "1 for 4.00"
    keeper.books.delete_bank_transaction(sold, at=LATER)
    assert state(keeper) == "2 for 8.00"
    draft = keeper.document(keeper.line("9", quantity="2", item="WIDGET"))
    draft.status = "DRAFT"
    keeper.books.enter(draft, at=AT)
    assert state(keeper) == "2 for 8.00"
    keeper.books.approve(draft, at=LATER)
    assert state(keeper) == "0 for 0.00"


@pytest.mark.parametrize(
    "kind",
    ["RECEIVE-PREPAYMENT", "SPEND-PREPAYMENT", "RECEIVE-OVERPAYMENT", "SPEND-OVERPAYMENT"],
)
def test_goods_do_not_move_with_money_in_advance(keeper: Bookkeeper, kind: str) -> None:
    buy(keeper, "3", "7")
    line = compute_line(
        keeper.new_id(),
        kind="NoTax",
        quantity=Decimal(1),
        price=Decimal(9),
        account=keeper.books.account("200"),
        tax_type="NONE",
        tax_rate=Decimal(0),
        item_code="WIDGET",
    )
    with pytest.raises(BooksError, match="WIDGET has stock: goods move with invoices"):
        keeper.money(kind, line)
    record = keeper.money(kind, replace(line, item_code=""))
    with pytest.raises(BooksError, match="goods move with"):
        keeper.books.edit_bank_transaction(record, at=LATER, lines=[line], reference="new")
    assert state(keeper) == "3 for 21.00"
    assert (record.reference, record.lines[0].item_code) == ("", "")
    keeper.books.delete_bank_transaction(record, at=LATER)


def test_stock_stays_as_it_was_when_anything_goes_wrong(keeper: Bookkeeper) -> None:
    buy(keeper, "3", "7")
    invoice = sell(keeper, "1")
    # A quantity that cannot be divided by: the purchase of it breaks in the middle.
    broken = keeper.line("25", quantity="1", item="WIDGET")
    lines = [broken, replace(broken, quantity=Decimal("NaN"))]
    with pytest.raises(InvalidOperation):
        keeper.books.edit(invoice, at=LATER, lines=lines)
    assert state(keeper) == "2 for 14.00"


def test_what_is_bought_elsewhere_than_on_inventory_is_refused(keeper: Bookkeeper) -> None:
    with pytest.raises(BooksError, match="bought on its inventory account"):
        keeper.enter(keeper.line("1", code="429", item="WIDGET"), kind="ACCPAY")
    assert state(keeper) == "0 for 0.00"
    assert not keeper.books.documents
    buy(keeper, "1", "1")
    with pytest.raises(BooksError, match="in stock"):
        keeper.books.delete_item(keeper.books.items["WIDGET"])
