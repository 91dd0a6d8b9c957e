"""Whole ways of a person, from the page to the sandbox's login and back."""

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from airflow_xero.erasing import Erased, erase
from airflow_xero.oauth import XeroApp, new_http
from airflow_xero.standing import status
from airflow_xero.tokens import TokenStore
from tests.browser.organisations import fill
from tests.browser.test_page import connect_button, consent_as, go_to_xero
from tests.browser.test_page_actions import audited, choose
from tests.warehouse.connections import AVA, KAITO, STUDIO
from tests.warehouse.searching import everywhere
from xero_sandbox.identity.consent import COOKIE as XERO_SESSION


def connect_as(page: Page, email: str, *, context: BrowserContext) -> None:
    """Press the button, and allow everything as another person than the one before."""
    context.clear_cookies(name=XERO_SESSION)
    go_to_xero(page)
    consent_as(page, email)
    expect(page.get_by_role("status").filter(has_text="connected").first).to_be_visible()


def states_of(warehouse: Any) -> dict[str, str]:
    return {one.tenant_name: one.state for one in status(warehouse, "xero_default")}


def test_disconnecting_ends_it_at_xero_and_says_so(open_page, warehouse, xero_sandbox, browsing):
    page = open_page()
    connect_as(page, KAITO, context=browsing)

    choose(page, "Disconnect…", STUDIO)
    page.get_by_role("alertdialog").get_by_role("button", name="Disconnect").click()

    told = f"{STUDIO} is disconnected. What was read stays."
    expect(page.get_by_role("status").get_by_text(told)).to_be_visible()
    row = page.get_by_role("row", name=STUDIO)
    expect(row.get_by_text("Disconnected", exact=True)).to_be_visible()
    assert xero_sandbox.world.grants.live() == []
    assert states_of(warehouse) == {STUDIO: "disconnected"}
    assert [entry[:2] for entry in audited(warehouse)] == [
        ("admin", "connect"),
        ("admin", "disconnect"),
    ]


def test_reconnecting_names_what_it_reconnected_and_nothing_else(open_page, warehouse, browsing):
    fill(warehouse, "Somebody else's, connected just now")
    warehouse.execute("update xero_ops.connections set connected_at = now()")
    page = open_page("operator")
    connect_as(page, KAITO, context=browsing)
    warehouse.execute(
        "update xero_ops.grants set state = 'needs_reconnect', lost_at = now()"
        " where user_email = %s",
        (KAITO,),
    )
    page.reload()
    row = page.get_by_role("row", name=STUDIO)
    expect(row.get_by_text("Needs reconnect")).to_be_visible()

    row.get_by_role("button", name=f"Reconnect {STUDIO}").click()
    dialog = page.get_by_role("dialog", name=f"Reconnect {STUDIO}")
    dialog.get_by_role("button", name="Continue to Xero").click()
    page.get_by_role("checkbox", name=STUDIO).check()
    page.get_by_role("button", name="Allow access").click()

    welcome = page.get_by_role("status").filter(has_text="1 organisation is connected")
    expect(welcome).to_contain_text(STUDIO)
    expect(welcome).not_to_contain_text("Somebody else's")
    expect(row.get_by_text("Starting", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name=f"Reconnect {STUDIO}")).to_have_count(0)
    assert states_of(warehouse)[STUDIO] == "never_extracted"


def test_who_reads_the_page_at_another_address_connects_and_comes_back(
    open_page, airflow, browsing, warehouse
):
    elsewhere = airflow.url.replace("localhost", "127.0.0.1")
    page = open_page("operator")
    browsing.add_cookies([{"name": "_token", "value": airflow.token("operator"), "url": elsewhere}])
    page.goto(f"{elsewhere}/plugin/xero")

    go_to_xero(page)
    expect(page.get_by_text("You come from the page Xero in Airflow")).to_be_visible()
    expect(page.get_by_text("invite")).to_have_count(0)
    page.get_by_role("button", name="Continue to Xero").click()
    consent_as(page, KAITO)

    welcome = page.get_by_role("status").filter(has_text="1 organisation is connected")
    expect(welcome).to_contain_text(STUDIO)
    expect(page).to_have_url(f"{airflow.url}/plugin/xero")
    assert states_of(warehouse) == {STUDIO: "never_extracted"}


def test_who_connects_while_nothing_reads_at_once_is_told_which_dag_is_off(
    open_page, airflow, browsing
):
    page = open_page()
    airflow.switch_dag("xero_extract", is_paused=True)
    try:
        connect_as(page, KAITO, context=browsing)
    finally:
        airflow.switch_dag("xero_extract", is_paused=False)

    welcome = page.get_by_role("status").filter(has_text="1 organisation is connected")
    expect(welcome).to_contain_text("read with the next night: the Dag xero_extract")
    expect(welcome.get_by_role("link", name="Look at it in Airflow")).to_have_attribute(
        "href", "/dags/xero_extract"
    )
    assert airflow.runs_of("xero_extract") == []


def test_who_reconnects_what_is_paused_is_told_that_it_still_is(
    open_page, airflow, warehouse, browsing
):
    page = open_page()
    connect_as(page, KAITO, context=browsing)
    airflow.forget_runs()
    warehouse.execute("update xero_ops.connections set paused_at = now(), paused_by = 'ada'")

    connect_as(page, KAITO, context=browsing)

    welcome = page.get_by_role("status").filter(has_text="1 organisation is connected")
    expect(welcome).to_contain_text("It is still paused")
    assert airflow.runs_of("xero_extract") == []


def test_a_custom_connection_is_connected_by_the_button_alone(open_page, airflow, xero_sandbox):
    airflow.set_xero(xero_sandbox, app_kind="custom")
    page = open_page()
    expect(page.get_by_text("No organisation is connected yet")).to_be_visible()
    expect(page.get_by_text("Custom Connection: it opens one organisation")).to_be_visible()
    expect(page.get_by_text("Log in at Xero")).to_have_count(0)
    expect(page.get_by_role("button", name="Invite…")).to_have_count(0)

    connect_button(page).click()

    welcome = page.get_by_role("status").filter(has_text="1 organisation is connected")
    expect(welcome).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    row = page.get_by_role("table", name="Connected organisations").locator("tbody tr")
    expect(row).to_have_count(1)
    # No user consented, so that no consent ends.
    expect(row.get_by_text("access ends")).to_have_count(0)
    expect(page.get_by_text("60 days")).to_have_count(0)


@pytest.mark.campaign
def test_two_people_who_connect_at_the_same_time_each_read_their_own(
    open_page, warehouse, browsing, keep_screenshot
):
    first = open_page("admin")
    connect_as(first, AVA, context=browsing)
    second = open_page("operator")
    connect_as(second, KAITO, context=browsing)

    welcome = second.get_by_role("status").filter(has_text="1 organisation is connected")
    expect(welcome).to_contain_text(STUDIO)
    expect(welcome).not_to_contain_text("Kauri Coffee Roasters")
    rows = second.get_by_role("table", name="Connected organisations").locator("tbody tr")
    expect(rows).to_have_count(3)
    expect(second.get_by_role("row", name=STUDIO)).to_contain_text("operator")
    expect(second.get_by_role("row", name="Kauri")).to_contain_text("as Ava Ngata")
    keep_screenshot(second, "second-user-light")
    assert warehouse.execute(
        "select user_email, count(*) from xero_ops.connections join xero_ops.grants"
        " using (grant_id) group by user_email order by user_email"
    ).fetchall() == [(AVA, 2), (KAITO, 1)]


@pytest.mark.campaign
def test_erasing_ends_with_nothing_left_and_the_row_goes(
    open_page, airflow, warehouse, warehouse_dsn, xero_sandbox, browsing
):
    page = open_page()
    connect_as(page, KAITO, context=browsing)
    tenant_id = xero_sandbox.organisations()[STUDIO]
    choose(page, "Erase…", STUDIO)
    page.get_by_label("Type its name to confirm").fill(STUDIO)
    page.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_role("row", name=STUDIO).get_by_text("Erasing")).to_be_visible()
    (run,) = airflow.runs_of("xero_erase")
    assert run["conf"] == {"tenant_id": tenant_id}

    # What the Dag does, which nobody executes here.
    erased = as_the_dag_erases(tenant_id, airflow, sandbox=xero_sandbox, dsn=warehouse_dsn)

    expect(page.get_by_text("No organisation is connected yet")).to_be_visible(timeout=40_000)
    assert (erased.rows_left, erased.elsewhere) == (0, {})
    assert everywhere(warehouse_dsn, STUDIO, KAITO) == set()
    assert xero_sandbox.world.grants.live() == []


def as_the_dag_erases(tenant_id: str, airflow: Any, *, sandbox: Any, dsn: str) -> Erased:
    app = XeroApp(
        "xero_default",
        client_id=sandbox.client_id,
        client_secret=sandbox.client_secret,
        redirect_uri=f"{airflow.url}/xero/callback",
        scopes=(),
        api_url=sandbox.url,
        identity_url=sandbox.url,
        login_url=sandbox.url,
    )
    with new_http() as http, psycopg.connect(dsn) as connection:
        tokens = TokenStore(
            app, connect=lambda: psycopg.connect(dsn), keys=[airflow.token_key], http=http
        )
        return erase(
            app,
            tenant_id,
            warehouse=connection,
            tokens=tokens,
            http=http,
            now=datetime.now(UTC),
        )
