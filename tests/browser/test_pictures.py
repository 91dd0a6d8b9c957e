"""What a person sees at each turn, light and dark, on a desk and on a phone: nothing is cut off.

The pictures are kept: see `keep_screenshot`.
"""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Colours, Keep
from tests.browser.organisations import fill
from tests.browser.test_page import connect_button, consent_as, go_to_xero
from tests.browser.test_page_actions import choose
from tests.browser.test_page_ways import connect_as
from tests.warehouse.connections import KAITO, STUDIO

pytestmark = [
    pytest.mark.campaign,
    pytest.mark.parametrize("colours", ["light", "dark"]),
]

DESK, PHONE = 1280, 390
# As narrow as a table is drawn; below there are cards.
NARROW = 1160

# What is drawn beside the window's edges, and what is wider than the box that cuts it off.
_CUT_OFF = """
() => {
  const rooms = document.querySelectorAll("[data-page=xero], [aria-modal], main");
  const cut = [];
  for (const one of [...rooms].flatMap((room) => [...room.querySelectorAll("*")])) {
    const { left, right, width } = one.getBoundingClientRect();
    if (width <= 1 || one.closest("svg, [style*=clip]") || one.matches("input, textarea")) continue;
    const isBeside = right > innerWidth + 1 || left < -1;
    const isCut = one.clientWidth > 1 && one.scrollWidth > one.clientWidth + 1;
    if (isBeside || isCut) cut.push(`${one.tagName} ${one.textContent.slice(0, 60)}`);
  }
  return cut;
}
"""


def cut_off(page: Page) -> list[str]:
    """What cannot be seen whole without moving the page sideways."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found: list[str] = page.evaluate(_CUT_OFF)
    return found


@pytest.fixture
def look(colours: Colours, keep_screenshot: Keep) -> Callable[..., None]:
    """Keep what a page looks like on a desk and on a phone, where nothing may be cut off."""

    def keep(page: Page, name: str, *widths: int) -> None:
        page.emulate_media(color_scheme=colours)
        for width in widths or (PHONE, NARROW, DESK):
            page.set_viewport_size({"width": width, "height": 844})
            # As wide as the window by now, whatever is drawn anew for it.
            page.wait_for_function("(width) => innerWidth === width", arg=width)
            page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
            assert cut_off(page) == []
            keep_screenshot(page, f"{name}-{colours}-{width}")

    return keep


def test_nothing_is_connected_yet_and_the_warehouse_is_away(
    airflow, open_page, warehouse, colours, look
):
    page = open_page(colours=colours)
    expect(page.get_by_text("No organisation is connected yet")).to_be_visible()
    look(page, "empty")
    airflow.set_connection("xero_warehouse", conn_type="postgres", host="127.0.0.1", port=9)

    page.reload()

    expect(page.get_by_role("alert")).to_contain_text("The warehouse cannot be reached")
    look(page, "error")


@pytest.mark.parametrize(("item", "kept"), [("Disconnect…", "disconnect"), ("Erase…", "erase")])
def test_the_questions_before_what_cannot_be_undone(
    open_page, warehouse, colours, look, item, kept
):
    name = "Kōwhai & Sons Joinery and Cabinetmakers (Northland) Limited"
    fill(warehouse, name, run="complete", country="NZ", currency="NZD", complete="2026-11-20")
    page = open_page(colours=colours)
    choose(page, item, name)
    expect(page.get_by_role("alertdialog")).to_be_visible()

    look(page, f"question-{kept}")


def test_every_state_in_the_list(open_page, warehouse, colours, look):
    known: dict[str, Any] = {"country": "NZ", "currency": "NZD", "complete": "2026-11-20"}
    fill(warehouse, "Aroha Cafe", run="complete", calls_left=4321, **known)
    fill(warehouse, "Beacon", run="failed", reason="Xero cannot answer now", **known)
    fill(warehouse, "Cobalt", run="complete", paused_by="bob", **known)
    fill(warehouse, "Dune", run="waiting_for_limit", refreshed_days=52, **known)
    fill(warehouse, "Ember", run="complete", grant_state="needs_reconnect", **known)
    fill(warehouse, "Fjord")
    page = open_page(colours=colours)
    expect(page.get_by_text("Fjord")).to_be_visible()

    look(page, "states")


def test_a_consent_that_was_refused(open_page, colours, look):
    page = open_page(colours=colours)
    go_to_xero(page)
    page.get_by_role("button", name="Ava").click()
    page.get_by_role("button", name="Cancel").click()

    expect(page.get_by_role("heading", name="Nothing was connected")).to_be_visible()
    look(page, "refused")


def test_what_needs_to_be_reconnected_and_is(
    open_page, warehouse, browsing: BrowserContext, colours, look
):
    page = open_page(colours=colours)
    connect_as(page, KAITO, context=browsing)
    look(page, "connected")
    warehouse.execute("update xero_ops.grants set state = 'needs_reconnect', lost_at = now()")
    page.reload()
    again = page.get_by_role("button", name=f"Reconnect {STUDIO}")
    expect(again).to_be_visible()
    look(page, "needs-reconnect")

    again.click()
    look(page, "question-reconnect")
    page.get_by_role("button", name="Continue to Xero").click()
    page.get_by_role("checkbox", name=STUDIO).check()
    page.get_by_role("button", name="Allow access").click()

    expect(page.get_by_text("1 organisation is connected", exact=True)).to_be_visible()
    look(page, "reconnected")


def test_the_way_of_the_invited(airflow, open_page, browsing, colours, look):
    inviting = open_page(colours=colours)
    inviting.get_by_role("button", name="Invite…").click()
    inviting.get_by_label("A line for the person you invite").fill("For Mere: please connect Kauri")
    look(inviting, "inviting")
    inviting.get_by_role("button", name="Make the link").click()
    link = inviting.get_by_role("textbox", name="Link of the invitation")
    expect(link).to_be_visible()
    look(inviting, "invitation-made")

    page = browsing.new_page()
    page.goto(link.input_value())
    expect(page.get_by_role("button", name="Continue to Xero")).to_be_visible()
    look(page, "invited")
    page.get_by_role("button", name="Continue to Xero").click()
    consent_as(page, KAITO)

    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    look(page, "thanks")


def test_the_way_of_a_user_whose_xero_sends_people_back_elsewhere(
    open_page, airflow, browsing, colours, look
):
    elsewhere = airflow.url.replace("localhost", "127.0.0.1")
    page = open_page("operator", colours=colours)
    browsing.add_cookies([{"name": "_token", "value": airflow.token("operator"), "url": elsewhere}])
    page.goto(f"{elsewhere}/plugin/xero")
    go_to_xero(page)

    expect(page.get_by_text("You come from the page Xero in Airflow")).to_be_visible()
    look(page, "handed-over")


def test_a_custom_connection_and_one_whose_form_is_wrong(
    open_page, airflow, xero_sandbox, colours, look
):
    airflow.set_xero(xero_sandbox, app_kind="custom", password="wrong")
    page = open_page(colours=colours)
    connect_button(page).click()
    expect(page.get_by_role("alert")).to_contain_text("client secret")
    look(page, "custom-refused")
    airflow.set_xero(xero_sandbox, app_kind="custom")

    connect_button(page).click()

    expect(page.get_by_text("1 organisation is connected", exact=True)).to_be_visible()
    look(page, "custom")
