"""A person at the page Xero, in a real browser: connects, looks, is told what to do."""

import re
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from airflow_xero.runs import tenant_lock

OpenPage = Callable[..., Page]
Colours = Literal["light", "dark"]
CONNECT = "Connect to Xero"


@pytest.fixture
def open_page(airflow: Any, browsing: BrowserContext) -> Iterator[OpenPage]:
    """The page Xero in a browser without cookies, logged in as the user; no script may fail."""
    browsing.clear_cookies()
    failures: list[str] = []

    def open_as(
        user: str | None = "admin", *, width: int = 1280, colours: Colours = "light"
    ) -> Page:
        if user:
            browsing.add_cookies(
                [{"name": "_token", "value": airflow.token(user), "url": airflow.url}]
            )
        page = browsing.new_page()
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme=colours)
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.goto(f"{airflow.url}/plugin/xero")
        return page

    yield open_as
    for page in browsing.pages:
        page.close()
    assert failures == []


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


def fill(warehouse: Any, name: str = "Kauri", run: str | None = None) -> None:
    """One connected organisation, with a run in the given state."""
    warehouse.execute(
        """
        with tenant as (
            insert into xero_ops.tenants (tenant_id, tenant_name)
            values (gen_random_uuid(), %(name)s) returning tenant_id
        ), consent as (
            insert into xero_ops.grants
                (conn_id, xero_user_id, scopes, tokens, access_expires_at, refreshed_at,
                 connected_by)
            values ('xero_default', gen_random_uuid(), '{}', '', now(), now(), 'Ava')
            returning grant_id
        ), reached as (
            insert into xero_ops.connections (connection_id, conn_id, grant_id, tenant_id)
            select gen_random_uuid(), 'xero_default', grant_id, tenant_id from consent, tenant
        )
        insert into xero_ops.extract_runs (tenant_id, day, known_at, state)
        select tenant_id, '2026-11-20', now(), %(run)s from tenant
        where %(run)s::text is not null
        """,
        {"name": name, "run": run},
    )


def test_a_person_connects_and_sees_the_organisations(open_page):
    page = open_page()
    expect(page.get_by_text("No organisation is connected yet")).to_be_visible()

    connect_button(page).click()
    consent_as(page, "ava@example.com")

    expect(page.get_by_role("status").get_by_text("2 organisations are connected")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/plugin/xero$"))
    table = page.get_by_role("table", name="Connected organisations")
    # The name holds HTML, and is shown letter by letter.
    expect(table.get_by_role("rowheader", name="Beacon & Sons <Joinery>")).to_be_visible()
    expect(table.get_by_role("rowheader", name="Kauri Coffee Roasters")).to_be_visible()
    expect(table.get_by_role("cell", name="admin")).to_have_count(2)


def test_nobody_is_asked_to_log_in_and_comes_back(open_page, airflow):
    page = open_page(user=None)

    page.locator("input[name=username]").fill("admin")
    page.locator("input[name=password]").fill("admin")
    page.locator("button[type=submit]").click()

    expect(page).to_have_url(f"{airflow.url}/plugin/xero")
    expect(connect_button(page)).to_be_enabled()


def test_a_person_who_cancels_is_led_back(open_page):
    page = open_page()
    connect_button(page).click()
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
    fill(warehouse, run="running")
    (tenant_id,) = warehouse.execute("select tenant_id::text from xero_ops.tenants").fetchone()
    with tenant_lock(warehouse, tenant_id):
        page = open_page()
        expect(page.get_by_text("Extracting", exact=True)).to_be_visible()

    warehouse.execute("update xero_ops.extract_runs set state = 'complete'")
    warehouse.execute(
        "update xero_ops.tenants set complete_at = now(), complete_day = '2026-11-20'"
    )

    row = page.get_by_role("row", name="Kauri")
    expect(row.get_by_text("Healthy")).to_be_visible(timeout=10_000)
    expect(row.get_by_text("20 Nov 2026")).to_be_visible()


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


def test_a_page_at_another_address_says_where_to_connect(open_page, airflow, xero_sandbox):
    airflow.set_xero(xero_sandbox, redirect_uri="https://airflow.example/xero/callback")

    page = open_page()

    expect(page.get_by_text("https://airflow.example/plugin/xero")).to_be_visible()
    expect(connect_button(page)).to_be_disabled()


def test_many_organisations_can_be_searched(open_page, warehouse):
    for number in range(60):
        fill(warehouse, f"Company {number:02}")
    page = open_page()
    rows = page.get_by_role("table").locator("tbody tr")
    expect(rows).to_have_count(50)
    expect(page.get_by_text("50 of 60 shown")).to_be_visible()

    page.get_by_role("button", name="Show more").click()
    expect(rows).to_have_count(60)

    page.get_by_role("searchbox", name="Search organisations").fill("company 57")
    expect(rows).to_have_count(1)


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_a_phone_shows_cards_that_fit_its_width(open_page, warehouse, colours):
    fill(warehouse, "A company with quite a long name, as companies may have " * 3)

    page = open_page(width=390, colours=colours)

    expect(page.get_by_role("list", name="Connected organisations")).to_be_visible()
    expect(page.get_by_role("table")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_button_can_be_reached_and_pressed_by_keyboard(open_page):
    page = open_page()
    expect(connect_button(page)).to_be_enabled()

    page.get_by_role("link", name="Data documentation").focus()
    page.keyboard.press("Tab")
    expect(connect_button(page)).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.get_by_label("Email address")).to_be_visible()
