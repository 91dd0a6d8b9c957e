"""Goods in stock: tracked items are bought in numbers, sold one by one, bought again.

Knows when there is too little of something. Must not know average cost or the ledger's rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from random import Random

from xero_sandbox.books.documents import Contact, Document, Line, compute_line
from xero_sandbox.books.ids import new_guid
from xero_sandbox.books.money import cents
from xero_sandbox.books.paper_records import Item
from xero_sandbox.business.drafting import Paper
from xero_sandbox.business.habits import DAY, Event, how_many
from xero_sandbox.business.office import Activity, Deed, Office
from xero_sandbox.business.people import pick
from xero_sandbox.business.trading import Trading

# Code, name, cost in base currency (four places), price.
_GOODS = (
    ("T-100", "Travel mug", "7.4000", "24.90"),
    ("T-200", "Grinder – Größe M", "61.1250", "149.00"),
    ("T-300", "抹茶セット", "12.3333", "38.50"),
    ("T-400", "Poster 50 × 70 cm", "2.0575", "15.00"),
)
_TOO_FEW = 15


class Stock(Activity):
    """Buying and selling of tracked items."""

    feature = "stock"

    def __init__(self, office: Office, trading: Trading) -> None:
        super().__init__(office)
        self._trading = trading

    @property
    def deeds(self) -> Mapping[str, Deed]:
        """What each kind of intent brings about."""
        return {
            "open_shelves": self._open_shelves,
            "stock_up": self._stock_up,
            "sell_stock": self._sell_stock,
            "credit_stock": self._credit_stock,
            "price_stock": self._price_stock,
        }

    def usual(self, day: date, dice: Random) -> list[str]:
        """Shelves are looked at on Mondays; a sale for about six invoices of other things."""
        if day == self.office.first_day:
            return ["open_shelves"]
        count = how_many(dice, self.office.traits.invoices_per_day * 0.15)
        kinds = ["sell_stock"] * (count if day.weekday() < 5 else 0)
        kinds += ["stock_up"] * (day.weekday() == 0 or day == self.office.first_day + DAY)
        return kinds + ["price_stock"] * (dice.random() < 0.02)

    def _open_shelves(self, event: Event, random: Random) -> None:
        books = self.office.books
        land = books.country
        for code, name, cost, price in _GOODS:
            item = Item(
                item_id=new_guid(random),
                code=code,
                name=name,
                updated_at=event.at,
                description=f"{name}, per piece",
                purchase_description=f"{name}, carton",
                sale_price=Decimal(price),
                sale_account=books.account("200"),
                sale_tax_type=land.sales_tax,
                purchase_price=Decimal(cost),
                purchase_account=books.account("310"),
                purchase_tax_type=land.purchase_tax,
                inventory_account=books.account("630"),
            )
            books.add_item(item, at=event.at)

    def _goods(self) -> list[Item]:
        return [item for item in self.office.books.items.values() if item.is_tracked]

    def _stock_up(self, event: Event, random: Random) -> None:
        """Order what there is too little of, at a cost that moves."""
        supplier = self._anyone(self.office.people.suppliers, random)
        missing = [item for item in self._goods() if item.quantity < _TOO_FEW]
        if supplier is None or not missing:
            return
        lines = tuple(
            self._line(
                item,
                Decimal(random.randrange(20, 90)),
                price=self._cost(item, random),
                is_sale=False,
                random=random,
            )
            for item in missing
        )
        document = self._document(event, supplier, kind="ACCPAY", lines=lines, random=random)
        document.number = f"S-{random.randrange(1000, 9999)}"
        document.due_date += 20 * DAY
        self.office.books.enter(document, at=event.at)
        # Goods that may have been sold cannot be credited or voided: the bill is just paid.
        on = document.due_date
        self.office.money_later(event, on, subject=document.document_id, random=random)

    def _cost(self, item: Item, random: Random) -> Decimal:
        usual = item.purchase_price or Decimal(1)
        return (usual * random.randrange(92, 110) / 100).quantize(Decimal("0.0001"))

    def _sell_stock(self, event: Event, random: Random) -> None:
        customer = self._anyone(self.office.people.customers, random)
        goods = [item for item in self._goods() if item.quantity]
        if customer is None or not goods:
            return
        lines = tuple(
            self._line(
                item,
                min(item.quantity, Decimal(random.choice((1, 1, 2, 3, 6)))),
                price=item.sale_price or Decimal(1),
                is_sale=True,
                random=random,
            )
            for item in random.sample(goods, k=min(len(goods), random.choice((1, 1, 2))))
        )
        document = self._document(event, customer, kind="ACCREC", lines=lines, random=random)
        document.number = self.office.books.next_number("ACCREC")
        document.due_date += self.office.people.habit_of(customer).terms_days * DAY
        document.is_sent = True
        self.office.books.enter(document, at=event.at)
        if random.random() < 0.06:
            days, subject = random.randrange(2, 12), document.document_id
            self.office.later(event, days, kind="credit_stock", subject=subject)
        self._trading.expect(event, document, random=random)

    def _credit_stock(self, event: Event, random: Random) -> None:
        """Take one piece back."""
        invoice = self.office.books.document(event.intent.subject)
        if not invoice.counts or invoice.due < invoice.lines[0].price:
            return
        sold = invoice.lines[0]
        item = self.office.books.items[sold.item_code]
        line = self._line(item, Decimal(1), price=sold.price, is_sale=True, random=random)
        credit = self._document(
            event, invoice.contact, kind="ACCRECCREDIT", lines=(line,), random=random
        )
        credit.number = self.office.books.next_number("ACCRECCREDIT")
        self.office.books.enter(credit, at=event.at)
        amount = min(credit.due, invoice.due)
        self.office.books.allocate(credit, invoice, amount=amount, at=event.at, ids=random)

    def _price_stock(self, event: Event, random: Random) -> None:
        item = random.choice(self._goods())
        price = cents((item.sale_price or Decimal(1)) * random.randrange(95, 112) / 100)
        self.office.books.edit_item(item, at=event.at, sale_price=price)

    def _anyone(self, contacts: list[Contact], random: Random) -> Contact | None:
        """Somebody who deals in base currency."""
        base = self.office.books.base_currency
        return pick([each for each in contacts if each.currency in ("", base)], random)

    def _line(
        self, item: Item, quantity: Decimal, *, price: Decimal, is_sale: bool, random: Random
    ) -> Line:
        account = item.sale_account if is_sale else item.inventory_account
        tax_type = item.sale_tax_type if is_sale else item.purchase_tax_type
        line_id = new_guid(random)
        return compute_line(
            line_id,
            kind="Exclusive",
            quantity=quantity,
            price=price,
            account=account or self.office.books.account("200"),
            tax_type=tax_type,
            tax_rate=self.office.books.country.rate_of(tax_type),
            description=item.description if is_sale else item.purchase_description,
            item_code=item.code,
            tracking=self.office.desk.style.tracking(line_id),
        )

    def _document(
        self,
        event: Event,
        contact: Contact,
        *,
        kind: str,
        lines: tuple[Line, ...],
        random: Random,
    ) -> Document:
        paper = Paper("Exclusive", lines, self.office.books.base_currency)
        on = event.day
        return self.office.desk.document(kind, contact, paper, on=on, at=event.at, random=random)
