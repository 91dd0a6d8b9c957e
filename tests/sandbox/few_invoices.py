"""Three spelled invoices, with every kind of value that a filter can meet."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from xero_sandbox.wire.format import ms_date

ANA = "a0000000-0000-4000-8000-00000000000a"
BEN = "b0000000-0000-4000-8000-00000000000b"
INVOICES: tuple[dict[str, Any], ...] = (
    {
        "InvoiceID": "1",
        "Type": "ACCREC",
        "Status": "DRAFT",
        "Reference": 'the "first" one',
        "Total": Decimal("10.00"),
        "AmountDue": Decimal("10.00"),
        "IsDiscounted": False,
        "Date": ms_date(datetime(2026, 1, 31, tzinfo=UTC)),
        "Contact": {"ContactID": ANA, "Name": "Ana Ünsal"},
    },
    {
        "InvoiceID": "2",
        "Type": "ACCREC",
        "Status": "PAID",
        "Reference": "C:\\second",
        "Total": Decimal("99.99"),
        "AmountDue": Decimal("0.00"),
        "IsDiscounted": True,
        "Date": ms_date(datetime(2026, 2, 1, tzinfo=UTC)),
        "Contact": {"ContactID": BEN.upper(), "Name": "ben"},
    },
    {
        "InvoiceID": "3",
        "Type": "ACCPAY",
        "Status": "PAID",
        "Total": 100,
        "AmountDue": Decimal("-0.5"),
        "Date": ms_date(datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        "Contact": [],
    },
)
