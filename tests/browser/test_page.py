"""A person at the page Xero, in a real browser: connects, looks, is told what to do."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from airflow_xero.runs import tenant_lock
from tests.browser.organisations import fill, fill_many

CONNECT = "Connect to Xero"
TABLE = "Connected organisations"


def consent_as(page: Page, email: str) -> None:
    """Log in at the sandbox, choose everything, allow."""
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill("sandbox")
    page.get_by_role("button", name="Log in").click()
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Allow access").click()


def connect_button(page: Page) -> Any:
    return page.get_by_role("navigation", name="Xero").get_by_role("button", name=CONNECT)


def go_to_xero(page: Page) -> None:
    """Press the button, and leave what may be read as it is offered."""
    connect_button(page).click()
    page.get_by_role("button", name="Continue to Xero").click()


def tenant_ids_of(sandbox: Any, *names: str) -> list[str]:
    return [
        str(tenant_id)
        for name, tenant_id in sandbox.organisations().items()
        if name.startswith(names)
    ]


def test_a_person_connects_and_sees_the_organisations_being_read(open_page, airflow, xero_sandbox):
    page = open_page()
    expect(page.get_by_text("No organisation is connected yet")).to_be_visible()

    go_to_xero(page)
    consent_as(page, "ava@example.com")

    welcome = page.get_by_role("status").filter(has_text="2 organisations are connected")
    expect(welcome).to_contain_text("Kauri Coffee Roasters")
    expect(page).to_have_url(re.compile(r"/plugin/xero$"))
    table = page.get_by_role("table", name="Connected organisations")
    # The name holds HTML, and is shown letter by letter.
    expect(table.get_by_role("rowheader", name="Beacon & Sons <Joinery>")).to_be_visible()
    expect(table.get_by_role("rowheader", name="Kauri Coffee Roasters")).to_be_visible()
    expect(table.get_by_role("cell", name="admin")).to_have_count(2)
    # Nobody waits for the night: the first extraction was asked for at once.
    expect(table.get_by_text("Starting", exact=True)).to_have_count(2)
    (run,) = airflow.runs_of("xero_extract")
    assert (run["state"], run["conf"]) == (
        "queued",
        {"tenants": sorted(tenant_ids_of(xero_sandbox, "Kauri", "Beacon"))},
    )


def test_nobody_is_asked_to_log_in_and_comes_back(open_page, airflow):
    page = open_page(user=None)

    page.locator("input[name=username]").fill("admin")
    page.locator("input[name=password]").fill("admin")
    page.locator("button[type=submit]").click()

    expect(page).to_have_url(f"{airflow.url}/plugin/xero")
    expect(connect_button(page)).to_be_enabled()


def test_a_person_who_cancels_is_led_back(open_page):
    page = open_page()
    go_to_xero(page)
    page.get_by_role("button", name="Ava").click()
    page.get_by_role("button", name="Cancel").click()

    expect(page.get_by_role("heading", name="Nothing was connected")).to_be_visible()
    page.get_by_role("link", name="Back to the Xero page").click()
    expect(page.get_by_text("No organisation is connected yet")).to_be_visible()


def test_markup_in_a_name_is_text(open_page, warehouse):
    name = "<img src=x onerror=document.title='owned'><b>Bold</b>"
    fill(warehouse, name)

    page = open_page()

    expect(page.get_by_text(name, exact=True)).to_be_visible()
    assert page.locator("table img, table b").count() == 0
    assert page.title() != "owned"


def test_the_page_follows_an_extraction_by_itself(open_page, warehouse):
    tenant_id = fill(warehouse, run="running")
    with tenant_lock(warehouse, tenant_id):
        page = open_page()
        row = page.get_by_role("row", name="Kauri")
        progress = row.get_by_role("progressbar", name="Extraction of Kauri")
        expect(progress).to_have_attribute("aria-valuenow", "0")
        read_endpoints(warehouse, tenant_id, accounts=90, contacts=1_234)

        expect(row.get_by_text("Extracting", exact=True)).to_be_visible()
        expect(row.get_by_text("1,324 records")).to_be_visible(timeout=10_000)
        expect(progress).to_have_attribute("aria-valuenow", "2")

    warehouse.execute("update xero_ops.extract_runs set state = 'complete'")
    warehouse.execute(
        "update xero_ops.tenants set complete_at = now(), complete_day = '2026-11-20'"
    )

    expect(row.get_by_text("Healthy")).to_be_visible(timeout=10_000)
    expect(row.get_by_text("20 Nov 2026")).to_be_visible()


def read_endpoints(warehouse: Any, tenant_id: str, **records: int) -> None:
    for endpoint, count in records.items():
        warehouse.execute(
            "insert into xero_ops.extract_endpoints"
            " (run_id, tenant_id, endpoint, records_read, finished_at)"
            " select run_id, tenant_id, %s, %s, now() from xero_ops.extract_runs"
            " where tenant_id = %s",
            (endpoint, count, tenant_id),
        )


def test_a_viewer_is_told_whom_to_ask(open_page):
    page = open_page("viewer")

    expect(page.get_by_text("Ask an Airflow administrator")).to_be_visible()
    expect(page.get_by_role("link", name="Data documentation")).to_be_visible()
    expect(page.get_by_role("button", name=CONNECT)).to_have_count(0)


def test_an_error_says_what_to_do_and_can_be_tried_again(open_page, airflow, warehouse_dsn):
    airflow.set_connection("xero_warehouse", conn_type="postgres", host="127.0.0.1", port=9)
    page = open_page()
    expect(page.get_by_role("alert")).to_contain_text("The warehouse cannot be reached")

    airflow.set_warehouse(warehouse_dsn)
    page.get_by_role("button", name="Try again").click()

    expect(page.get_by_text("No organisation is connected yet")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_what_is_known_of_an_organisation_stands_in_its_row(open_page, warehouse, keep_screenshot):
    known: dict[str, Any] = {"country": "NZ", "currency": "NZD", "complete": "2026-11-20"}
    fill(warehouse, run="complete", refreshed_days=50, calls_left=4321, **known)

    page = open_page(width=1440)

    row = page.get_by_role("row", name="Kauri")
    for words in ("New Zealand · NZD", "Healthy", "20 Nov 2026", "4,321", "Ava"):
        expect(row.get_by_text(words, exact=True)).to_be_visible()
    expect(row.get_by_text("access ends in 9 days")).to_be_visible()
    keep_screenshot(page, "organisations-light")


def test_the_tie_out_and_the_next_run_stand_in_the_row(open_page, warehouse):
    tenant_id = fill(warehouse, run="waiting_for_limit", complete="2026-11-20")
    warehouse.execute(
        "update xero_ops.extract_runs set resume_at = now() + interval '3 hours 10 minutes'"
    )
    warehouse.execute("create schema if not exists xero_marts")
    warehouse.execute(
        "create table xero_marts.rpt_tie_out_summary as select %s::uuid as tenant_id,"
        " 'TrialBalance' as report, 'accrual' as basis, date '2026-11-19' as report_date,"
        " now() as known_at, 40 as lines, 2 as broken_lines, 0.01 as difference_amount",
        (tenant_id,),
    )

    row = open_page(width=1440).get_by_role("row", name="Kauri")

    for words in ("Waiting for Xero", "2 lines differ", "19 Nov 2026", "next in 3 hours"):
        expect(row.get_by_text(words, exact=True)).to_be_visible()


def test_who_waits_for_the_list_sees_that_it_is_on_its_way(open_page, browsing):
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    browsing.route("**/xero/api/organisations", hold)
    page = open_page()

    expect(page.get_by_text("Loading the organisations")).to_have_count(1)
    for route in held:
        route.continue_()

    expect(page.get_by_text("No organisation is connected yet")).to_be_visible()
    expect(page.get_by_text("Loading the organisations")).to_have_count(0)
    browsing.unroute("**/xero/api/organisations", hold)


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_a_phone_shows_cards_that_fit_its_width(open_page, warehouse, colours, keep_screenshot):
    fill(warehouse, "A company with quite a long name, as companies may have " * 3)
    fill(warehouse, "Alpha" * 2_000)

    page = open_page(width=390, colours=colours)

    expect(page.get_by_role("list", name="Connected organisations")).to_be_visible()
    expect(page.get_by_role("table")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    keep_screenshot(page, f"phone-{colours}")


def test_connecting_needs_the_keyboard_alone(open_page, keep_screenshot):
    page = open_page(colours="dark")
    expect(connect_button(page)).to_be_enabled()

    page.get_by_role("button", name="Invite…").focus()
    page.keyboard.press("Tab")
    expect(connect_button(page)).to_be_focused()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="What may be read?")
    expect(dialog).to_be_visible()
    keep_screenshot(page, "granting-dark")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(connect_button(page)).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Continue to Xero").press("Enter")

    expect(page.get_by_label("Email address")).to_be_visible()


def test_only_what_was_chosen_is_asked_of_xero(open_page, xero_sandbox):
    page = open_page()
    connect_button(page).click()
    group = page.get_by_role("group", name="What may be read")
    expect(group.get_by_text("accounting.settings.read")).to_be_visible()

    group.get_by_text("Budgets", exact=True).click()
    expect(group.get_by_role("checkbox", name="Budgets")).not_to_be_checked()
    with page.expect_request(re.compile("/identity/connect/authorize")) as asked:
        page.get_by_role("button", name="Continue to Xero").click()

    assert "accounting.settings.read" in asked.value.url
    assert "accounting.budgets" not in asked.value.url


@pytest.mark.parametrize("where", ["https://airflow.example/xero", "{same}/elsewhere"])
def test_a_page_at_another_address_is_handed_over(open_page, airflow, xero_sandbox, where):
    where = where.format(same=airflow.url)
    airflow.set_xero(xero_sandbox, redirect_uri=f"{where}/callback")
    page = open_page()
    page.route(f"{where}/**", lambda route: route.fulfill(body="handed over"))

    connect_button(page).click()
    page.get_by_role("button", name="Continue to Xero").click()

    expect(page.get_by_text("handed over")).to_be_visible()
    expect(page).to_have_url(re.compile(f"^{re.escape(where)}/invitation#"))


def test_a_cap_that_is_reached_is_told_before_anybody_is_handed_over(
    open_page, airflow, xero_sandbox, warehouse
):
    fill_many(warehouse, 5)
    where = "https://airflow.example/xero"
    airflow.set_xero(xero_sandbox, redirect_uri=f"{where}/callback", tier="starter")
    page = open_page()
    page.route(f"{where}/**", lambda route: route.fulfill(body="handed over"))
    go_to_xero(page)

    told = page.get_by_role("alert").filter(has_text="All connections of this app are used")
    expect(told).to_contain_text("allows 5 connections, and 5 are used")
    told.get_by_role("button", name="Go on to Xero all the same").click()

    expect(page.get_by_text("handed over")).to_be_visible()


@pytest.mark.parametrize(
    ("connected", "said"),
    [
        (3, "3 connections of this app's 5 are used."),
        (5, "5 connections of this app's 5 are used. Xero refuses another organisation until"),
    ],
)
def test_the_cap_of_the_tier_is_shown_before_it_bites(
    open_page, airflow, xero_sandbox, warehouse, connected, said
):
    fill_many(warehouse, connected)
    airflow.set_xero(xero_sandbox, tier="starter")
    page = open_page()

    expect(page.get_by_text(f"{connected} of the app's 5 connections")).to_be_visible()
    connect_button(page).click()

    expect(page.get_by_role("dialog")).to_contain_text(said)


def test_xero_is_not_told_where_its_visitors_come_from(open_page, airflow, xero_sandbox):
    page = open_page()
    asked = []
    page.on("request", lambda one: asked.append(one) if xero_sandbox.url in one.url else None)

    go_to_xero(page)

    expect(page.get_by_label("Email address")).to_be_visible()
    assert asked
    told = [one.all_headers().get("referer", "") for one in asked]
    assert [one for one in told if airflow.url in one] == []
