"""Everything secret that Xero and an Airflow ever told one another, and where it turns up again.

For tests alone. The values are overheard on the wire, so that none can be forgotten; the places
are files and databases, each as named texts.
"""

from __future__ import annotations

import base64
import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, quote

import httpx
import psycopg
from psycopg import sql

_ANSWERED = ("access_token", "refresh_token", "id_token")
_ASKED = ("code", "code_verifier")
_HOP = ("connection", "content-length", "host", "transfer-encoding", "keep-alive")
_FRAGMENT = 32


class Eavesdropper:
    """Stands before Xero's identity service and remembers what passes: `with Eavesdropper(url)`.

    `secrets` maps each value to what it is.
    """

    def __init__(self, xero_url: str) -> None:
        self.secrets: dict[str, str] = {}
        self._xero_url = xero_url
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._http = httpx.Client(trust_env=False, verify=False, timeout=60)

    def __enter__(self) -> Eavesdropper:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._http.close()

    def kinds(self) -> set[str]:
        """Of which kinds anything was overheard."""
        return set(self.secrets.values())

    def values(self, kind: str) -> list[str]:
        """Everything of a kind, in the order in which it was said."""
        return [value for value, its_kind in self.secrets.items() if its_kind == kind]

    def _overhear(self, asked: bytes, answered: bytes) -> None:
        form = parse_qs(asked.decode())
        for name in _ASKED:
            for value in form.get(name, []):
                self.secrets[value] = name
        try:
            answer = json.loads(answered)
        except ValueError:
            return
        for name in _ANSWERED:
            if isinstance(answer, dict) and answer.get(name):
                self.secrets[answer[name]] = name

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        ear = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _forward(self) -> None:
                asked = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP}
                try:
                    answer = ear._http.request(
                        self.command, f"{ear._xero_url}{self.path}", content=asked, headers=headers
                    )
                except httpx.RequestError:
                    # Xero hung up, and so does who stands before it.
                    self.close_connection = True
                    return
                ear._overhear(asked, answer.content)
                self.send_response_only(answer.status_code)
                for name, value in answer.headers.items():
                    if name.lower() not in _HOP:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            do_GET = do_POST = _forward  # noqa: N815 -- the server's own names

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        return Handler


def spellings(secret: str) -> set[str]:
    """How a secret, or a telling part of it, would be written in a text."""
    _, payload, signature = ["", "", *secret.split(".")][-3:]
    # Signed tokens begin alike, whoever they were given to.
    tellings = {signature[:_FRAGMENT], payload[-_FRAGMENT:]} - {""}
    as_bytes = {text.encode().hex() for text in tellings}
    return {*tellings, *as_bytes, *(quote(text, safe="") for text in tellings)}


def basic_credentials(client_id: str, client_secret: str) -> str:
    """Both as the header of a request to the token service carries them."""
    return base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()


def leaks(secrets: Mapping[str, str], places: Iterator[tuple[str, str]]) -> list[str]:
    """`kind in place` for every secret that a place shows; never the secret itself."""
    wanted = [(text, kind) for secret, kind in secrets.items() for text in spellings(secret)]
    return sorted(
        {f"{kind} in {place}" for place, text in places for found, kind in wanted if found in text}
    )


def files_of(folder: Path) -> Iterator[tuple[str, str]]:
    """Every file below a folder, as a name and a text."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            text = path.read_bytes().decode("utf-8", "replace")
            yield str(path.relative_to(folder)), _without_the_test_runner(text)


def _without_the_test_runner(text: str) -> str:
    """Leave out what `dag.test()` alone writes at DEBUG: the very request to mask a value.

    Airflow's real supervisor omits it ("body omitted"); test_no_secrets_live.py runs that one.
    """
    return "\n".join(
        line
        for line in text.splitlines()
        if not ("Sending request" in line and "msg=MaskSecret(" in line)
    )


def metadata_of(file: Path) -> Iterator[tuple[str, str]]:
    """Every table of Airflow's SQLite database, as a name and a text of all its values."""
    with closing(sqlite3.connect(file)) as database:
        tables = database.execute("select name from sqlite_master where type = 'table'").fetchall()
        for (table,) in tables:
            rows = database.execute(f'select * from "{table}"').fetchall()
            yield f"airflow.{table}", _text_of(rows)


def copy_metadata(file: Path, copy: Path) -> None:
    """Copy a SQLite database with what is still in its log of writes."""
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


def warehouse_of(dsn: str) -> Iterator[tuple[str, str]]:
    """Every table of the warehouse, as a name and a text of all its values."""
    return tables_of(dsn, "", like="xero%")


def tables_of(dsn: str, prefix: str, *, like: str) -> Iterator[tuple[str, str]]:
    """Every table of the schemas whose name is like this, and of `public`, as name and text.

    `prefix` comes before the names of tables in `public`, instead of the schema.
    """
    with psycopg.connect(dsn) as database:
        tables = database.execute(
            "select table_schema, table_name from information_schema.tables"
            " where (table_schema like %s or table_schema = 'public')"
            " and table_schema not in ('pg_catalog', 'information_schema')",
            (like,),
        ).fetchall()
        for schema, table in tables:
            query = sql.SQL("select * from {}").format(sql.Identifier(schema, table))
            name = f"{prefix}{table}" if schema == "public" and prefix else f"{schema}.{table}"
            yield name, _text_of(database.execute(query).fetchall())


def _text_of(rows: list[tuple[Any, ...]]) -> str:
    return "\n".join(
        value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        for row in rows
        for value in row
        if value is not None
    )
