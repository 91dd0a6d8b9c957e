"""Looking for words in every table of a database, of whatever schema."""

from __future__ import annotations

import psycopg
from psycopg import sql


def everywhere(dsn: str, *words: str) -> set[str]:
    """Every table in which one of the words stands, in whatever column."""
    with psycopg.connect(dsn) as connection:
        tables = connection.execute(
            "select schemaname, tablename from pg_tables"
            " where schemaname !~ '^pg_' and schemaname <> 'information_schema'"
        ).fetchall()
        # An empty database would hold no word, either.
        assert len(tables) > 40
        return {
            f"{schema}.{name}"
            for schema, name in tables
            if connection.execute(
                _HOLDS.format(sql.Identifier(schema, name)), (list(words),)
            ).fetchone()
            == (True,)
        }


_HOLDS = sql.SQL(
    "select exists (select from {} as line cross join unnest(%s::text[]) as word"
    " where strpos(line::text, word) > 0)"
)
