"""The HTML of the board at `/`: tiles, tables, and links between their pages.

Knows how the board looks. Must not know where its figures come from; every value is escaped
here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from xero_sandbox.pages import BRAND, page

Row = Sequence[object]


@dataclass(frozen=True)
class Mono:
    """A text of machines: an id, a time; `wraps` where it may be long, as a path."""

    text: str
    wraps: bool = False


@dataclass(frozen=True)
class Tag:
    """A short word in a pill; `kind` is good, bad or blank."""

    text: str
    kind: str = ""


@dataclass(frozen=True)
class Left:
    """What is left of a limit."""

    left: int
    of: int


@dataclass(frozen=True)
class Table:
    """A titled table. `count` is how many rows there are in all, `pages` links to the others."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Row]
    nothing: str
    count: int | None = None
    pages: Sequence[tuple[str, str]] = ()


def board_page(
    *,
    origin: str,
    client_id: str,
    tiles: Mapping[str, tuple[str, str]],
    tables: Sequence[Table],
    refresh_seconds: int | None,
) -> str:
    """The whole board; each tile is a name with a big and a small line."""
    again = (
        f'<a href="/">Stop refreshing</a> (every {refresh_seconds} seconds)'
        if refresh_seconds
        else '<a href="/?refresh=5">Refresh every 5 seconds</a>'
    )
    head = f'<meta http-equiv="refresh" content="{refresh_seconds}">' if refresh_seconds else ""
    body = f"""<main class="board"><header>{BRAND}<nav class="small">{again}
<a href="/_sandbox/">Control door</a></nav></header>
<h1>An offline Xero on {escape(origin)}</h1>
<p class="soft">Log in as any user below with the password <code>sandbox</code>.
Clients call themselves <code>{escape(client_id)}</code>.</p>
<section class="grid">{"".join(_tile(name, *lines) for name, lines in tiles.items())}</section>
{"".join(map(_table, tables))}</main>"""
    return page("Xero sandbox", body, head=head)


def _tile(name: str, big: str, small: str) -> str:
    return (
        f'<div class="panel"><div class="soft small">{escape(name)}</div>'
        f'<div class="big">{escape(big)}</div><div class="soft small">{escape(small)}</div></div>'
    )


def _table(table: Table) -> str:
    count = "" if table.count is None else f' <span class="count">{table.count:,}</span>'
    return (
        f'<section class="panel wide"><h2>{escape(table.title)}{count}</h2>'
        f"{_rows(table)}{_pages(table)}</section>"
    )


def _rows(table: Table) -> str:
    if not table.rows:
        return f'<p class="soft last">{escape(table.nothing)}</p>'
    kinds = [_class(value) for value in table.rows[0]]
    head = "".join(
        f"<th{kind}>{escape(name)}</th>" for kind, name in zip(kinds, table.columns, strict=True)
    )
    lines = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in table.rows)
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )


def _pages(table: Table) -> str:
    if not table.pages:
        return ""
    links = " ".join(
        f'<a href="{escape(url)}">{escape(text)}</a>' if url else f"<span>{escape(text)}</span>"
        for text, url in table.pages
    )
    return f'<nav class="pages small">{links}</nav>'


def _cell(value: object) -> str:
    match value:
        case Mono():
            return (
                f'<td class="mono {"path" if value.wraps else "whole"}">{escape(value.text)}</td>'
            )
        case Tag():
            kind = f" {value.kind}" if value.kind else ""
            return f'<td><span class="tag{kind}">{escape(value.text)}</span></td>'
        case Left():
            low = " low" if value.left * 5 <= value.of else ""
            return (
                f'<td class="number{low}">{value.left:,}'
                f' <span class="soft">of {value.of:,}</span></td>'
            )
        case None:
            return "<td></td>"
    return f"<td{_class(value)}>{escape(str(value))}</td>"


def _class(value: object) -> str:
    return ' class="number"' if isinstance(value, int | float | Left) else ""
