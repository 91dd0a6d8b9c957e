"""Given invoices in pages of Xero's, edited between two of them while they are read."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from tests.warehouse.extraction import BY_NAME, NOW, ConnectedApp, invoice, is_page, write_payloads

INVOICES = BY_NAME["invoices"]
LONG_AGO = NOW - timedelta(days=30)
NEXT_DAY = NOW + timedelta(days=1)


class Ledger:
    """Given invoices that can be edited while they are read: an edit moves one to the end."""

    def __init__(self, xero: ConnectedApp, folder: Path, count: int) -> None:
        self.xero = xero
        self.folder = folder
        self.stamps = {n: LONG_AGO + timedelta(milliseconds=n) for n in range(count)}
        self.tenant = xero.payloads(self._written())

    def edit(self, *numbers: int, at=None) -> None:
        """Give records the stamp of now, which moves them to the end of Xero's list."""
        moment = at or self.xero_now()
        self.stamps |= dict.fromkeys(numbers, moment)
        self.xero.serve(self._written())

    def xero_now(self):
        return datetime.fromisoformat(self.xero.sandbox.control("GET", "clocks")["business"])

    def _written(self) -> Path:
        records = [invoice(number, at) for number, at in self.stamps.items()]
        return write_payloads(self.folder, Invoices=records)


def ids(*numbers: int) -> set[str]:
    return {invoice(number, NOW)["InvoiceID"] for number in numbers}


def edit_after(page: int, edit, *, times: int = 1):
    """A hook that edits after a page was answered, and before the next one is asked for."""
    left = [times]

    def hook(response):
        if left[0] and is_page(response, "Invoices", page):
            left[0] -= 1
            edit()

    return hook
