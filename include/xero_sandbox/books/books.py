"""The books of one organisation: everything that may be done to its records.

Puts the verbs together: contacts and accounts (`addressbook.py`), items and tracking
(`catalogue.py`), invoices, bills and credit notes (`invoicing.py`), credit (`crediting.py`),
payments (`paying.py`), bank transactions (`banking.py`), transfers (`transferring.py`), journals
without documents (`journalling.py`), and papers that post nothing (`papers.py`). What is held,
and how a change reaches ledger and shelves, is in `holdings.py` and `recording.py`. Must not know
clocks, HTTP, or how a business behaves: `business` and the control door decide what happens
and when.

Every verb takes `at` (aware UTC), when it happened; it becomes UpdatedDateUTC of the records
that Xero would bump, and the creation time of the journals. Amounts are Decimal. A verb that
raises BooksError has changed nothing.
"""

from __future__ import annotations

from xero_sandbox.books.addressbook import AddressBook
from xero_sandbox.books.banking import Banking
from xero_sandbox.books.catalogue import Catalogue
from xero_sandbox.books.crediting import Crediting
from xero_sandbox.books.invoicing import Invoicing
from xero_sandbox.books.journalling import Journalling
from xero_sandbox.books.papers import Papers
from xero_sandbox.books.paying import Paying
from xero_sandbox.books.refusals import BooksError
from xero_sandbox.books.transferring import Transferring

__all__ = ["Books", "BooksError"]


class Books(
    Invoicing,
    Crediting,
    Paying,
    Banking,
    Transferring,
    Journalling,
    Papers,
    Catalogue,
    AddressBook,
):
    """Documents, ledgers and shelves of one organisation."""
