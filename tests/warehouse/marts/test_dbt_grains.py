"""The views of the marts have one row per key, and no key without a value.

Tables are watched by an index of Postgres; a view is computed when it is asked, so it is looked at
here on three days of every organisation. The key is the one that its yml declares.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
import yaml
from psycopg import sql

from tests.conftest import REPOSITORY
from tests.warehouse.marts.loaded import Warehouse

MODELS = [
    model
    for file in sorted((REPOSITORY / "dbt" / "models" / "marts").glob("*.yml"))
    for model in yaml.safe_load(file.read_text(encoding="utf-8")).get("models", [])
]
GRAINS = {
    model["name"]: model["config"]["meta"]["grain"]
    for model in MODELS
    if "grain" in model.get("config", {}).get("meta", {})
}
# Counts, days and ratios are in no currency.
WITHOUT = {"currency_code"}
# Its rows are asked for by the day on which something moved, whichever that was.
WHOLE = {"fct_reported_movements"}


def test_no_table_keeps_the_same_index_twice(marts: Warehouse):
    twice = marts.rows(
        "select indrelid::regclass::text from pg_index"
        " inner join pg_stat_user_tables as kept on pg_index.indrelid = kept.relid"
        " where kept.schemaname like 'xero\\_%%' group by indrelid, indkey::text"
        " having count(*) > 1"
    )
    assert twice == []


def test_every_view_has_a_key_here(marts: Warehouse):
    views = marts.rows("select viewname::text from pg_views where schemaname = 'xero_marts'")
    assert set(GRAINS) == {name for (name,) in views}


@pytest.mark.parametrize("view", GRAINS)
def test_a_view_has_one_row_per_key_and_no_key_without_a_value(marts: Warehouse, view: str):
    columns = sql.SQL(", ").join(map(sql.Identifier, GRAINS[view]))
    needed = sql.SQL(", ").join(
        sql.Identifier(column) for column in GRAINS[view] if column not in WITHOUT
    )
    (day,) = [name for name in GRAINS[view] if name in ("day", "month_end_date")]
    days = sql.SQL("true") if view in WHOLE else sql.SQL("{} = any(%s)").format(sql.Identifier(day))
    query = sql.SQL(
        "select count(*), count(*) filter (where num_nulls({needed}) > 0),"
        " count(distinct ({columns})) from xero_marts.{view} where tenant_id = %s and {days}"
    ).format(columns=columns, needed=needed, view=sql.Identifier(view), days=days)
    counted = 0
    with marts.connect() as connection:
        tenants = connection.execute(
            "select tenant_id, complete_day from xero_marts.dim_tenants"
        ).fetchall()
        for tenant_id, last in tenants:
            month_end = last.replace(day=1) - timedelta(days=1)
            asked = [last, last - timedelta(days=100), month_end]
            found = connection.execute(query, [tenant_id, *([] if view in WHOLE else [asked])])
            rows, without, keys = found.fetchone() or (0, 0, 0)
            assert (without, keys) == (0, rows), tenant_id
            counted += rows
    assert counted > 5
