"""Where an organisation leaves rows: every table of the warehouse that has a tenant_id.

Asks Postgres' catalogue rather than a list, so that a table of tomorrow, a mart of one's own and
what a killed build left behind are found, too. Knows the schemas that are ours; must not know what
any table means, HTTP or Airflow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row, tuple_row

from airflow_xero.warehouse import require_idle, warehouse_errors

OPS = "xero_ops"
KEPT = frozenset({(OPS, "audit_log"), (OPS, "erasures")})
"""What remembers that an organisation was erased: its id alone, no name, no record."""


@dataclass(frozen=True)
class Table:
    """A table with a column tenant_id. `is_ours`: in a schema whose name begins with xero_."""

    schema: str
    name: str
    id_type: str
    is_ours: bool
    is_stored: bool
    may_read: bool

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def place(self) -> sql.Identifier:
        """Its name as SQL."""
        return sql.Identifier(self.schema, self.name)

    @property
    def is_tenants(self) -> sql.Composed:
        """The condition for an organisation's rows, so that an index on the id is used."""
        if self.id_type == "uuid":
            return sql.SQL("tenant_id = {}::uuid").format(sql.Placeholder("tenant_id"))
        return sql.SQL("tenant_id::text = {}").format(sql.Placeholder("tenant_id"))


def tables(warehouse: psycopg.Connection[Any]) -> list[Table]:
    """Every table that may hold an organisation's rows, those that must be emptied first first.

    Raw tables come before what is built from them, so that no build brings back what is gone; the
    library's own come last, what refers to others before these. Views hold nothing and are left
    out, and so is what must stay (`KEPT`).
    """
    with warehouse_errors(), warehouse.transaction():
        with warehouse.cursor(row_factory=class_row(Table)) as cursor:
            found = cursor.execute(_TABLES).fetchall()
        with warehouse.cursor(row_factory=tuple_row) as rows:
            references = rows.execute(_REFERENCES).fetchall()
    order = _order_of(references)
    kept = [table for table in found if (table.schema, table.name) not in KEPT]
    return sorted(kept, key=lambda table: (_turn_of(table), order.get(str(table), 0), str(table)))


def empty(warehouse: psycopg.Connection[Any], emptied: Sequence[Table], tenant_id: str) -> int:
    """Delete the organisation's rows of these tables, in one transaction; how many."""
    with warehouse_errors(tenant_id=tenant_id), warehouse.transaction():
        return sum(
            warehouse.execute(
                sql.SQL("delete from {} where {}").format(table.place, table.is_tenants),
                {"tenant_id": tenant_id},
            ).rowcount
            for table in emptied
        )


def count(
    warehouse: psycopg.Connection[Any], counted: Sequence[Table], tenant_id: str
) -> dict[str, int]:
    """How many rows each of the tables still has of the organisation; those that have some."""
    found: dict[str, int] = {}
    with (
        warehouse_errors(tenant_id=tenant_id),
        warehouse.transaction(),
        warehouse.cursor(row_factory=tuple_row) as cursor,
    ):
        for table in counted:
            query = sql.SQL("select count(*) from {} where {}").format(
                table.place, table.is_tenants
            )
            [(rows,)] = cursor.execute(query, {"tenant_id": tenant_id}).fetchall()
            if rows:
                found[str(table)] = rows
    return found


def tidy(warehouse: psycopg.Connection[Any], tidied: Sequence[Table]) -> None:
    """Give the deleted rows' space free, and forget what the planner had noted of them.

    The planner's notes hold frequent values, names among them. Each table is looked at by itself;
    a second look costs next to nothing. Raises ValueError inside a transaction.
    """
    require_idle(warehouse)
    # Vacuum refuses to run within a transaction, which the driver would open.
    before, warehouse.autocommit = warehouse.autocommit, True
    try:
        with warehouse_errors():
            for table in tidied:
                warehouse.execute(sql.SQL("vacuum (analyze) {}").format(table.place))
    finally:
        if not warehouse.closed:
            warehouse.autocommit = before


def _turn_of(table: Table) -> int:
    return {"xero_raw": 0, OPS: 2}.get(table.schema, 1)


def _order_of(references: Sequence[tuple[str, str]]) -> dict[str, int]:
    """A place for each table that refers to others or is referred to: referring ones first."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for referring, referred in references:
        if referring != referred:
            sorter.add(referred, referring)
    return {name: place for place, name in enumerate(sorter.static_order(), start=1)}


_TABLES = r"""
select
    namespaces.nspname as schema,
    classes.relname as name,
    format_type(columns.atttypid, null) as id_type,
    namespaces.nspname ~ '^xero_' as is_ours,
    classes.relkind in ('r', 'p') as is_stored,
    has_schema_privilege(namespaces.oid, 'usage')
    and has_table_privilege(classes.oid, 'select') as may_read
from pg_catalog.pg_attribute as columns
inner join pg_catalog.pg_class as classes on columns.attrelid = classes.oid
inner join pg_catalog.pg_namespace as namespaces on classes.relnamespace = namespaces.oid
where
    columns.attname = 'tenant_id'
    and columns.attnum > 0
    and not columns.attisdropped
    -- Tables, partitioned ones as a whole, and what materialised views keep.
    and classes.relkind in ('r', 'p', 'm')
    and not classes.relispartition
    and classes.relpersistence <> 't'
    and namespaces.nspname !~ '^pg_'
    and namespaces.nspname <> 'information_schema'
order by 1, 2
"""

_REFERENCES = """
select
    referring_spaces.nspname || '.' || referring.relname,
    referred_spaces.nspname || '.' || referred.relname
from pg_catalog.pg_constraint as constraints
inner join pg_catalog.pg_class as referring on constraints.conrelid = referring.oid
inner join pg_catalog.pg_namespace as referring_spaces
    on referring.relnamespace = referring_spaces.oid
inner join pg_catalog.pg_class as referred on constraints.confrelid = referred.oid
inner join pg_catalog.pg_namespace as referred_spaces
    on referred.relnamespace = referred_spaces.oid
where constraints.contype = 'f'
"""
