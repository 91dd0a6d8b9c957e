"""The people a business deals with: who they are, how they pay, how their details change.

Knows customers and suppliers. Must not know documents, money or when anything happens.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from random import Random

from xero_sandbox.books.books import Books, BooksError
from xero_sandbox.books.documents import Contact, ContactPerson, PaymentTerm
from xero_sandbox.books.ids import new_guid, share_of
from xero_sandbox.business.habits import OWN_HABIT, PayingHabit, customer_habit
from xero_sandbox.business.names import PEOPLE, customer_name, person, supplier_name, unusual_name
from xero_sandbox.business.traits import Traits

# The first customers of a business stay for ever.
_LOYAL = 4
_TRIES = 20


class People:
    """Customers and suppliers of one business, oldest first."""

    def __init__(self, books: Books, traits: Traits) -> None:
        self._books = books
        self._traits = traits
        self._habits: dict[str, PayingHabit] = {}
        self.customers: list[Contact] = []
        self.suppliers: list[Contact] = []

    def gather(self, *, at: datetime, random: Random) -> None:
        """Enter everybody who is known on the first day."""
        for _ in range(self._traits.customers):
            self.meet_customer(at=at, random=random)
        for index in range(self._traits.suppliers):
            supplier = self._enter(supplier_name(index), index=index, at=at, random=random)
            self.suppliers.append(supplier)
            if share_of(supplier.contact_id, 1) < 0.5:
                supplier.bill_terms = PaymentTerm(20, "OFFOLLOWINGMONTH")

    def meet_customer(self, *, at: datetime, random: Random) -> None:
        """Enter a new customer, whose habit of paying only time will show."""
        index = len(self.customers)
        name = customer_name(random, index)
        if index % 2 and "every_script" in self._traits.features:
            name = unusual_name(index)
        customer = self._enter(name, index=index, at=at, random=random)
        self.customers.append(customer)
        habit = self._habits[customer.contact_id] = customer_habit(random)
        if share_of(customer.contact_id, 1) < 0.5:
            customer.sales_terms = PaymentTerm(habit.terms_days, "DAYSAFTERBILLDATE")

    def habit_of(self, contact: Contact) -> PayingHabit:
        """Return how a customer pays; for a supplier, how the business itself does."""
        return self._habits.get(contact.contact_id, OWN_HABIT)

    def edit_someone(self, *, at: datetime, random: Random) -> None:
        """Let somebody have moved, or have a new e-mail address."""
        everyone = self.customers + self.suppliers
        if not everyone:
            return
        contact = random.choice(everyone)
        if random.random() < 0.2:
            city = random.choice(self._books.country.cities)
            self._books.edit_contact(contact, at=at, city=city)
        else:
            email = f"office{random.randrange(1000)}@example.com"
            self._books.edit_contact(contact, at=at, email=email)

    def archive_someone(self, *, at: datetime, random: Random) -> None:
        """Archive a customer who owes nothing and is owed nothing."""
        idle = [
            contact
            for contact in self.customers[_LOYAL:]
            if contact.status == "ACTIVE" and not contact.open_documents
        ]
        if idle:
            self._books.edit_contact(random.choice(idle), at=at, status="ARCHIVED")

    def _enter(self, name: str, *, index: int, at: datetime, random: Random) -> Contact:
        first, last = person(random)
        currencies = self._traits.currencies
        has_currency = bool(currencies) and random.random() < 0.4
        contact = Contact(
            contact_id=new_guid(random),
            name=name,
            created_at=at,
            updated_at=at,
            email=f"accounts{index}@example.com",
            first_name=first,
            last_name=last,
            phone=f"{random.randrange(200, 999)} {random.randrange(1000, 9999)}",
            city=random.choice(self._books.country.cities),
            country=self._books.country.code,
            account_number=f"C{index:05d}" if random.random() < 0.2 else "",
            currency=random.choice(currencies) if has_currency else "",
        )
        _know_well(contact)
        try:
            return self._books.add_contact(contact)
        except BooksError:
            contact.name = f"{name} No. {index + 1}"
            return self._books.add_contact(contact)


def _know_well(contact: Contact) -> None:
    """Note down who works there, a tax number, a bank account; of a few contacts only."""
    key = contact.contact_id
    if share_of(key, 2) < 0.3:
        count = 1 + (share_of(key, 2) < 0.1)
        people = [PEOPLE[(int(key[0], 16) + place * 5) % len(PEOPLE)] for place in range(count)]
        contact.persons = tuple(
            ContactPerson(first, last, f"person{place}@example.com", include_in_emails=place == 0)
            for place, (first, last) in enumerate(people)
        )
    if share_of(key, 1) < 0.15:
        contact.contact_number = f"CRM-{int(key[:5], 16)}"
    if share_of(key, 3) < 0.25:
        contact.tax_number = f"{int(key[:6], 16):08d}"
    if share_of(key, 4) < 0.2:
        contact.bank_account_details = f"02-0100-{int(key[:5], 16):07d}-00"


def pick(contacts: Sequence[Contact], random: Random) -> Contact | None:
    """Pick an active contact; the older the relation, the more business."""
    for _ in range(_TRIES if contacts else 0):
        contact = contacts[int(len(contacts) * random.random() ** 1.7)]
        if contact.status == "ACTIVE":
            return contact
    return None
