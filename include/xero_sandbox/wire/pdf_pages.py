"""Small, real PDFs: a heading, lines of text, a table. The same input gives the same bytes.

Knows pages and fonts. Must not know records, JSON or HTTP. Only the fonts that every PDF reader
has are used: letters with marks lose them, and scripts that those fonts lack show as `?`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fpdf import FPDF

_MADE_AT = datetime(2020, 1, 1, tzinfo=UTC)
_WIDTHS = (80, 25, 30, 25, 30)


def page_of(
    heading: str,
    lines: Sequence[str],
    *,
    table: Sequence[Sequence[str]] = (),
    totals: Sequence[tuple[str, str]] = (),
) -> bytes:
    """Return a PDF; `table` is rows of five cells, the first of them its header."""
    pdf = _empty()
    pdf.set_title(_plain(heading))
    pdf.set_font("helvetica", style="B", size=16)
    _write(pdf, heading, height=12)
    pdf.set_font("helvetica", size=10)
    for line in lines:
        _write(pdf, line, height=6)
    pdf.ln(4)
    for row in table:
        for width, cell in zip(_WIDTHS, row, strict=True):
            pdf.cell(width, 7, _plain(cell)[: width // 2], border="B")
        pdf.ln()
    for name, amount in totals:
        pdf.cell(sum(_WIDTHS[:4]), 7, _plain(name), align="R")
        pdf.cell(_WIDTHS[4], 7, _plain(amount), new_x="LMARGIN", new_y="NEXT")
    return bytes(pdf.output())


def _empty() -> FPDF:
    # Importing fpdf takes a second, which a sandbox that shows no PDF should not spend.
    from fpdf import FPDF

    pdf = FPDF()
    pdf.set_compression(False)
    pdf.set_creation_date(_MADE_AT)
    pdf.add_page()
    return pdf


def _write(pdf: FPDF, text: str, *, height: int) -> None:
    pdf.cell(0, height, _plain(text), new_x="LMARGIN", new_y="NEXT")


def _plain(text: str) -> str:
    """The text in the letters of Latin-1: `ō` as `o`, what has no likeness there as `?`."""
    composed = unicodedata.normalize("NFC", text)
    return "".join(_letter(each) for each in composed if each.isprintable())


def _letter(letter: str) -> str:
    if ord(letter) < 256:
        return letter
    first = unicodedata.normalize("NFKD", letter)[0]
    return first if ord(first) < 256 else "?"
