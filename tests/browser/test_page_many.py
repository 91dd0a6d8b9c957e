"""The page with a thousand organisations: sought, sorted, paged, and light."""

import re
from collections import Counter
from pathlib import Path

import pytest
from playwright.sync_api import expect

from airflow_xero import web
from tests.browser.organisations import fill, fill_many
from tests.browser.server import Airflow

STATIC = Path(str(web.__file__)).parent / "static"
OUR_OWN_BYTES = 300_000


def test_many_organisations_are_paged_sought_sorted_and_filtered(open_page, warehouse):
    fill_many(warehouse, 60)
    fill(warehouse, "Zebra", run="failed", reason="Xero cannot answer now", complete="2026-11-01")
    page = open_page()
    table = page.get_by_role("table", name="Connected organisations")
    rows = table.locator("tbody tr")
    expect(rows).to_have_count(50)
    expect(page.get_by_text("1 to 50 of 61")).to_be_visible()

    page.get_by_role("button", name="Next").click()
    expect(rows).to_have_count(11)
    expect(page.get_by_role("button", name="Next")).to_be_disabled()

    table.get_by_role("button", name="Last complete day").click()
    head = table.get_by_role("columnheader", name="Last complete day")
    expect(head).to_have_attribute("aria-sort", "ascending")
    expect(rows.first).to_contain_text("Zebra")
    table.get_by_role("button", name="State").click()
    expect(rows.first).to_contain_text("Zebra")

    page.get_by_role("searchbox", name="Search organisations").fill("company 0057")
    expect(rows).to_have_count(1)
    expect(page.get_by_role("status").get_by_text("1 of 61 organisations")).to_be_visible()
    page.get_by_role("searchbox", name="Search organisations").fill("")
    page.get_by_role("combobox", name="Show organisations in state").select_option("Failed")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("Xero cannot answer now")


def test_a_broken_tie_out_is_counted_sorted_filtered_and_says_where_to_look(open_page, warehouse):
    fill_many(warehouse, 8)
    tenant_id = fill(warehouse, "Kauri", run="complete", complete="2026-11-20")
    warehouse.execute("create schema if not exists xero_marts")
    warehouse.execute(
        "create table xero_marts.rpt_tie_out_summary as select %s::uuid as tenant_id,"
        " 'TrialBalance' as report, 'accrual' as basis, date '2026-11-19' as report_date,"
        " now() as known_at, 40 as lines, 35 as broken_lines, 0.01 as difference_amount",
        (tenant_id,),
    )

    page = open_page(width=1440)

    table = page.get_by_role("table", name="Connected organisations")
    rows = table.locator("tbody tr")
    expect(rows).to_have_count(9)
    for label, count in (("Healthy", "8"), ("Need attention", "1")):
        figure = page.locator("dl > div").filter(has=page.locator("dt", has_text=label))
        expect(figure.locator("dd")).to_have_text(count)
    table.get_by_role("button", name="State").click()
    expect(rows.first).to_contain_text("Kauri")
    page.get_by_role("combobox", name="Show organisations in state").select_option("Tie-out broken")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("35 lines differ")
    expect(rows.first).to_contain_text("see xero_marts.rpt_tie_out")


def test_the_answer_about_a_thousand_organisations_is_light(airflow, warehouse):
    fill_many(warehouse, 1_000)

    with airflow.client("admin") as client:
        request = client.build_request("GET", "/xero/api/organisations")
        sent = client.send(request, stream=True)
        size = len(b"".join(sent.iter_raw()))
        some = [one["tenant_id"] for one in client.send(request).json()["organisations"]][:50]
        partial = client.get("/xero/api/organisations", params={"tenant_id": some})

    assert sent.headers["content-encoding"] == "gzip"
    static = sum(file.stat().st_size for file in STATIC.iterdir())
    assert size + static < OUR_OWN_BYTES
    # What moves is asked for alone.
    assert [one["tenant_id"] for one in partial.json()["organisations"]] == some


def test_the_list_asks_each_table_once_however_many_organisations_there_are(
    airflow, warehouse, postgres_server
):
    warehouse.execute(
        "create schema if not exists xero_marts;"
        "create table xero_marts.rpt_tie_out_summary (tenant_id uuid, report text, basis text,"
        " report_date date, known_at timestamptz, lines bigint, broken_lines bigint,"
        " difference_amount numeric)"
    )
    warehouse.execute(f"alter database \"{warehouse.info.dbname}\" set log_statement = 'all'")
    fill_many(warehouse, 1)
    few = questions_of_the_list(airflow, postgres_server.log)
    fill_many(warehouse, 1_000)
    many = questions_of_the_list(airflow, postgres_server.log)

    assert len(many) == len(few) == len(set(many))
    asked = Counter(table for one in many for table in _TABLE.findall(one))
    assert asked == {
        "xero_ops.connections": 1,
        "xero_ops.erasures": 1,
        "xero_ops.extract_endpoints": 1,
        "xero_ops.extract_runs": 1,
        "xero_ops.grants": 1,
        "xero_ops.tenants": 1,
        "xero_raw.organisations": 1,
        "xero_marts.rpt_tie_out_summary": 1,
    }


_TABLE = re.compile(r"(?:from |join )(xero_\w+\.\w+)")


def questions_of_the_list(airflow: Airflow, log: Path) -> list[str]:
    """What the warehouse is asked for one answer to the page, by Postgres's own log."""
    seen = log.stat().st_size
    with airflow.client("admin") as client:
        client.get("/xero/api/organisations").raise_for_status()
    lines = re.split(r"^.*?LOG:  ", log.read_bytes()[seen:].decode(), flags=re.MULTILINE)
    return [line for line in lines if _TABLE.search(line)]


@pytest.mark.campaign
def test_a_thousand_organisations_are_painted_from_little(open_page, warehouse, keep_screenshot):
    fill_many(warehouse, 1_000)
    page = open_page(width=1440)
    page.get_by_role("rowheader", name="Company 0000").wait_for()
    asked = page.evaluate(
        "performance.getEntriesByType('resource').filter((one) => one.name.includes('/xero/'))"
        ".map((one) => [new URL(one.name).pathname, one.encodedBodySize])"
    )

    keep_screenshot(page, "thousand-light")
    assert 0 < sum(size for _, size in asked) < OUR_OWN_BYTES
    assert [path for path, _ in asked if path.startswith("/xero/api/")] == [
        "/xero/api/organisations"
    ]
