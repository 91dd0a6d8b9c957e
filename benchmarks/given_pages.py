"""A Xero that costs next to nothing: pages of invoices prepared as bytes, served by one process.

`python -m benchmarks.given_pages INVOICES` prints its port and serves until its input ends. The
first two parts of a path choose what is served: `/150/50000/api.xro/2.0/Invoices` is a page of
50,000 invoices, 150 ms late. Whitespace, spelling and fields are those of Xero's wire.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE = 1000
LINES = 3

_NOW = "/Date(1795176000000)/"
_ORGANISATION = {"OrganisationID": "0a1f3a2c-8b5e-4d0c-9f6e-2f0f3c1d7b11", "Name": "Measured"}
_PAGE_MARK = b"-pppp-"


def _guid(source: random.Random) -> str:
    # The second group becomes the page's number; the first scatters the ids over the index.
    return f"{source.getrandbits(32):08x}-pppp-4000-8000-{source.getrandbits(48):012x}"


def _invoice(number: int, source: random.Random) -> dict[str, Any]:
    """An invoice as Xero lists it, paid at once, with three lines."""
    line = {
        "ItemCode": "FONT-D",
        "Description": "Font licence <desktop>, five seats for a year",
        "UnitAmount": 351.56,
        "TaxType": "OUTPUT2",
        "TaxAmount": 263.67,
        "LineAmount": 1757.80,
        "AccountCode": "200",
        "Tracking": [],
        "Quantity": 5.0,
    }
    payment = {
        "PaymentID": _guid(source),
        "Date": "/Date(1789344000000+0000)/",
        "Amount": 6064.41,
        "Reference": f"INV-{number:06}",
        "CurrencyRate": 1.0,
        "HasAccount": False,
        "HasValidationErrors": False,
    }
    contact = {
        "ContactID": f"df9e917a-7786-4c0d-8f42-{number % 200:012x}",
        "Name": "Basket Café",
        "Addresses": [],
        "Phones": [],
        "ContactGroups": [],
        "ContactPersons": [],
        "HasValidationErrors": False,
    }
    return {
        "Type": "ACCREC",
        "InvoiceID": _guid(source),
        "InvoiceNumber": f"INV-{number:06}",
        "Reference": "Monthly",
        "Payments": [payment],
        "CreditNotes": [],
        "Prepayments": [],
        "Overpayments": [],
        "AmountDue": 0.0,
        "AmountPaid": 6064.41,
        "AmountCredited": 0.0,
        "SentToContact": True,
        "CurrencyRate": 1.0,
        "IsDiscounted": False,
        "HasAttachments": False,
        "HasErrors": False,
        "Contact": contact,
        "DateString": "2026-08-26T00:00:00",
        "Date": "/Date(1787702400000+0000)/",
        "DueDateString": "2026-09-15T00:00:00",
        "DueDate": "/Date(1789430400000+0000)/",
        "BrandingThemeID": "00defd26-5b8f-46aa-9a6b-cd40f094231f",
        "Status": "PAID",
        "LineAmountTypes": "Exclusive",
        "LineItems": [{**line, "LineItemID": _guid(source)} for _ in range(LINES)],
        "SubTotal": 5273.40,
        "TotalTax": 791.01,
        "Total": 6064.41,
        "UpdatedDateUTC": f"/Date({1789340680000 + number * 60_000}+0000)/",
        "CurrencyCode": "NZD",
        "FullyPaidOnDate": "/Date(1789344000000+0000)/",
    }


def _wire(value: object) -> bytes:
    """JSON as Xero writes it: indented, lines ended by CRLF, slashes of dates escaped."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    text = text.replace('"/Date(', '"\\/Date(').replace(')/"', ')\\/"')
    return text.replace("\n", "\r\n").encode()


def _prepared(invoices: int) -> list[bytes]:
    """The array of every page; every record has an id of its own."""
    source = random.Random(7)
    array = _wire([_invoice(number, source) for number in range(PAGE)])
    return [
        array.replace(_PAGE_MARK, f"-{page:04x}-".encode())
        for page in range(1, -(-invoices // PAGE) + 1)
    ]


def _handler(pages: Sequence[bytes]) -> type[BaseHTTPRequestHandler]:
    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            _, latency, invoices, *path = asked.path.split("/")
            time.sleep(int(latency) / 1000)
            head = {"Id": "a", "Status": "OK", "DateTimeUTC": _NOW}
            if path[-1] == "Organisation":
                self._send(_wire({**head, "Organisations": [_ORGANISATION]}))
                return
            number = int(parse_qs(asked.query)["page"][0])
            count = int(invoices)
            pagination = {
                "page": number,
                "pageSize": PAGE,
                "pageCount": count // PAGE,
                "itemCount": count,
            }
            opening = _wire({**head, "pagination": pagination}).removesuffix(b"\r\n}")
            self._send(opening, b',\r\n  "Invoices": ', pages[number - 1], b"\r\n}")

        def _send(self, *parts: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(sum(map(len, parts))))
            self.end_headers()
            for part in parts:
                self.wfile.write(part)

        def log_message(self, *_: object) -> None:
            """Say nothing: it would cost more than the answer."""

    return Answers


def main() -> None:
    """Serve until the input ends."""
    pages = _prepared(int(sys.argv[1]))
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(pages)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_address[1], flush=True)
        sys.stdin.read()
        server.shutdown()


if __name__ == "__main__":
    main()
