"""Records against the sandbox: hostile ids and names, refusals, faults and limits."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from airflow_xero.errors import (
    BadRequestError,
    NotFoundError,
    RateLimitError,
    ScopeMissingError,
    TenantForbiddenError,
    UnavailableError,
    UnexpectedPayloadError,
    XeroError,
    XeroSetupError,
)
from airflow_xero.offers import NUMBER_FIELDS
from airflow_xero.records import Records
from tests.unit.on_demand import EVERY_SCOPE, NOW, Desk

UNKNOWN = "00000000-0000-0000-0000-00000000000a"

Ask = Callable[[Records, str], Any]

BY_ID: dict[str, Ask] = {
    "get": lambda records, key: records.get("invoices", key),
    "several": lambda records, key: records.several("invoices", [UNKNOWN, key]),
    "tax rate": lambda records, key: records.get("tax_rates", key),
    "contact": lambda records, key: list(records.invoices_of(key)),
    "history": lambda records, key: records.history("invoices", key),
    "attachments": lambda records, key: records.attachments("invoices", key),
    "attachment of": lambda records, key: records.attachment("invoices", key, UNKNOWN),
    "attachment": lambda records, key: records.attachment("invoices", UNKNOWN, key),
    "pdf": lambda records, key: records.pdf("invoices", key),
}
HOSTILE = [
    "",
    " ",
    "..",
    "../Organisation",
    "..%2F..%2Fconnections",
    f"{UNKNOWN}/History",
    f"{UNKNOWN}?unitdp=2",
    f"{UNKNOWN}#",
    f"{UNKNOWN}\r\nXero-Tenant-Id: x",
    f"{{{UNKNOWN}}}",
    UNKNOWN.replace("a", "à"),
    UNKNOWN.replace("0", "０"),
    UNKNOWN.replace("-", ""),
    "INV-0001",
    "x" * 10_000,
    'OUTPUT2" or 1==1',
    "OUTPUT2/",
]


@pytest.fixture
def desk(xero_sandbox, app, http) -> Desk:
    """An organisation that does no business of its own."""
    return new_desk(xero_sandbox, app, http, EVERY_SCOPE)


def new_desk(xero_sandbox, app, http, scopes: str) -> Desk:
    xero_sandbox.control("POST", "clocks", {"business": NOW.isoformat()})
    made = xero_sandbox.control("POST", "organisations", {"name": "Tiny", "seed": 3, "days": 0})
    return Desk(xero_sandbox, app, http, tenant_id=made["tenantId"], scopes=scopes)


@pytest.fixture
def invoice_id(desk) -> str:
    return str(desk.do("create_invoice", amount=7, number="INV-7")["InvoiceID"])


# --- What is no id, no name, no number ------------------------------------------------------


@pytest.mark.parametrize("name", BY_ID)
def test_what_is_no_id_is_refused_before_anything_is_asked(name, desk):
    for key in HOSTILE:
        if name == "tax rate" and key.isalnum() and key.isascii() and len(key) < 64:
            continue
        with pytest.raises(XeroSetupError, match=r"is no .*: one looks like") as raised:
            BY_ID[name](desk.records, key)
        assert len(str(raised.value)) < 400

    assert desk.asked() == []


WRONG_NAMES: dict[str, tuple[Ask, str]] = {
    "no endpoint": (lambda records, key: records.get("../Users", key), "no endpoint '../Users'"),
    "no name": (lambda records, key: records.get("", key), "no endpoint ''; the names are"),
    "a report": (lambda records, key: records.get("trial_balances", key), "no endpoint"),
    "currencies": (lambda records, key: records.get("Currencies", key), "as a whole list"),
    "organisation": (lambda records, key: records.get("Organisation", key), "as a whole list"),
    "history": (lambda records, key: records.history("users", key), "no history of users, only"),
    "files": (lambda records, key: records.attachments("items", key), "no attachments of items"),
    "a file": (lambda records, key: records.attachment("items", key, key), "no attachments"),
    "a PDF": (lambda records, key: records.pdf("payments", key), "no PDF of payments, only of"),
    "numbers": (lambda records, key: records.numbered("contacts", key), "no numbers of contacts"),
    "changes": (
        lambda records, _: list(records.changed("tax_rates", since=NOW)),
        "no list of changes of tax_rates",
    ),
    "no report": (lambda records, _: records.report("../Users"), "no report '../Users'"),
    "no parameter": (
        lambda records, _: records.report("TrialBalance", fromdate="2026-11-20"),
        "cannot be asked for fromdate, only for: date, paymentsOnly",
    ),
}


@pytest.mark.parametrize(("ask", "words"), WRONG_NAMES.values(), ids=WRONG_NAMES)
def test_what_xero_does_not_have_is_refused_in_words_before_anything_is_asked(ask, words, desk):
    with pytest.raises(XeroSetupError, match=re.escape(words)):
        ask(desk.records, UNKNOWN)

    assert desk.asked() == []


NUMBERS = [
    "../Organisation",
    "..",
    ".",
    "A/B",
    "%2e%2e%2fUsers",
    "INV-7,INV-8",
    "INV-7?x=1#y&z",
    "INV-7' or 'a'='a",
    UNKNOWN,
    "請求書\u3000七",
]


@pytest.mark.parametrize("endpoint", NUMBER_FIELDS)
def test_a_hostile_number_finds_nothing_else(endpoint, desk):
    desk.do("create_invoice", amount=7, number="INV-7")
    desk.do("create_invoice", amount=8, number="INV-8")
    desk.do("create_credit_note", amount=7)
    desk.do("create_quote", amount=7)
    desk.do("create_purchase_order", amount=7)

    assert desk.records.numbered(endpoint, *NUMBERS) == []

    parts = {path.partition("/")[0] for path, _ in desk.asked()}
    assert parts == {"".join(word.title() for word in endpoint.split("_"))}


@pytest.mark.parametrize("number", ["", " \t", "a\x00b", "a\nb", "x" * 256, "a\ud800b"])
@pytest.mark.parametrize("endpoint", NUMBER_FIELDS)
def test_what_is_no_number_is_refused_before_anything_is_asked(endpoint, number, desk):
    with pytest.raises(XeroSetupError, match="is no number of a document"):
        desk.records.numbered(endpoint, number)

    assert desk.asked() == []


@pytest.mark.parametrize("number", [["INV-7", "INV-8"], ("INV-7",), None, 7])
@pytest.mark.parametrize("endpoint", NUMBER_FIELDS)
def test_what_is_no_text_is_refused_with_the_way_to_give_numbers(endpoint, number, desk):
    with pytest.raises(XeroSetupError, match="give each as a text of its own"):
        desk.records.numbered(endpoint, number)

    assert desk.asked() == []


def test_a_number_that_no_filter_can_hold_is_refused_before_others_cost_a_call(desk):
    with pytest.raises(XeroSetupError, match="ask for the document by its id"):
        desk.records.numbered("invoices", "INV-7", '7,5" or 1==1')

    assert desk.asked() == []


def test_a_number_with_blanks_and_apostrophes_is_found(desk):
    number = "No 7 of O'Brien & Co"
    made = desk.do("create_invoice", amount=7, type="ACCPAY", number=number)

    (got,) = desk.records.numbered("invoices", f" {number} ")

    assert got["InvoiceID"] == made["InvoiceID"]


NAIVE: list[Any] = [NOW.replace(tzinfo=None), NOW.date(), "2026-11-20", None]


@pytest.mark.parametrize("moment", NAIVE, ids=str)
def test_a_moment_without_a_time_zone_is_refused_before_anything_is_asked(moment, desk):
    with pytest.raises(XeroSetupError, match=r"since is .* no moment with a time zone: give one"):
        desk.records.changed("invoices", since=moment)
    if moment is not None:
        with pytest.raises(XeroSetupError, match=r"until is .* no moment with a time zone"):
            desk.records.changed("invoices", since=NOW, until=moment)

    assert desk.asked() == []


def test_a_number_that_no_filter_can_hold_is_refused(desk):
    with pytest.raises(XeroSetupError, match="ask for the document by its id"):
        desk.records.numbered("credit_notes", 'CN-1" or CreditNoteNumber!="')

    assert desk.asked() == []


def test_a_number_with_a_comma_or_a_slash_is_found(desk):
    bill = desk.do("create_invoice", amount=7, type="ACCPAY", number="7,5/2026")
    desk.do("create_invoice", amount=7, type="ACCPAY", number="7")

    (got,) = desk.records.numbered("invoices", "7,5/2026")

    assert got["InvoiceID"] == bill["InvoiceID"]


# --- What Xero refuses ------------------------------------------------------------------------

UNKNOWN_IDS = {name: ask for name, ask in BY_ID.items() if name not in ("several", "contact")}


@pytest.mark.parametrize("name", UNKNOWN_IDS)
def test_what_xero_does_not_know_is_named(name, desk, invoice_id):
    key = "OUTPUT777" if name == "tax rate" else UNKNOWN
    with pytest.raises(NotFoundError, match=f"knows no .*{key} in this organisation") as raised:
        UNKNOWN_IDS[name](desk.records, key)

    assert (raised.value.tenant_id, raised.value.status) == (desk.tenant_id, 404)
    assert "report it" not in str(raised.value)
    assert len(desk.asked()) == 1


def test_a_published_report_that_xero_does_not_know_is_named(desk):
    with pytest.raises(NotFoundError, match=f"published report {UNKNOWN}"):
        desk.records.report(UNKNOWN)


def test_a_report_that_xero_refuses_says_why(desk):
    with pytest.raises(BadRequestError, match=r"[Ee]xception"):
        desk.records.report("BalanceSheet", date="2026-02-30")


SCOPES = {
    "accounting.attachments.read": (
        lambda records, key: records.attachments("invoices", key),
        lambda records, key: records.attachment("invoices", key, key),
    ),
    "accounting.reports.aged.read": (
        lambda records, key: records.report("AgedPayablesByContact", contactId=key),
    ),
    "accounting.reports.taxreports.read": (lambda records, _: records.published_reports(),),
    "accounting.reports.balancesheet.read": (lambda records, _: records.report("BalanceSheet"),),
}


@pytest.mark.parametrize("scope", SCOPES)
def test_a_missing_scope_is_named_with_what_to_do(scope, xero_sandbox, app, http):
    desk = new_desk(xero_sandbox, app, http, EVERY_SCOPE.replace(scope, ""))
    made = desk.do("create_invoice", amount=7)["InvoiceID"]

    for ask in SCOPES[scope]:
        with pytest.raises(ScopeMissingError, match=f"did not grant {scope} or .*: add it to"):
            ask(desk.records, made)
    assert desk.records.pdf("invoices", made).startswith(b"%PDF-")


# --- Faults and limits --------------------------------------------------------------------------

KINDS: dict[str, Ask] = {
    "record": lambda records, key: records.get("invoices", key),
    "history": lambda records, key: records.history("invoices", key),
    "attachments": lambda records, key: records.attachments("invoices", key),
    "pdf": lambda records, key: records.pdf("invoices", key),
    "report": lambda records, _: records.report("TrialBalance"),
}
PASSING: list[tuple[dict[str, Any], float, float]] = [
    ({"kind": "offline", "times": 3}, 3.5, 10.5),
    ({"status": 500, "times": 1}, 0.5, 1.5),
    ({"kind": "truncated", "times": 2}, 1.5, 4.5),
    ({"kind": "concurrent_limit", "times": 2}, 1.5, 4.5),
    ({"kind": "minute_limit", "seconds": 42, "times": 1}, 42, 43),
    ({"kind": "token_expired", "times": 1}, 0, 0),
]


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(("rule", "least", "most"), PASSING, ids=str)
def test_a_passing_fault_is_survived_after_the_clients_own_wait(
    rule, least, most, name, desk, invoice_id
):
    right = KINDS[name](desk.records, invoice_id)
    desk.fault("*", **rule)

    got = KINDS[name](desk.records, invoice_id)

    assert (got == right) or name == "report"
    assert least <= sum(desk.slept) <= most


LASTING: list[tuple[dict[str, Any], type[XeroError]]] = [
    ({"kind": "offline"}, UnavailableError),
    ({"kind": "day_limit", "seconds": 3600}, RateLimitError),
    ({"kind": "forbidden"}, TenantForbiddenError),
    ({"status": 400}, BadRequestError),
    ({"kind": "not_json"}, UnexpectedPayloadError),
    ({"kind": "cut_json"}, UnexpectedPayloadError),
    ({"status": 200, "body": '{"Invoices": [{"Total": NaN}]}'}, UnexpectedPayloadError),
    ({"status": 200, "body": '{"Invoices": 7}'}, UnexpectedPayloadError),
]


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(("rule", "kind"), LASTING, ids=str)
def test_a_lasting_fault_is_one_class_and_shows_no_token(
    rule, kind, name, desk, invoice_id, caplog
):
    caplog.set_level(logging.DEBUG)
    desk.fault("*", times=0, **rule)

    with pytest.raises(kind) as raised:
        KINDS[name](desk.records, invoice_id)

    assert type(raised.value) is kind
    assert raised.value.tenant_id == desk.tenant_id
    assert desk.token not in "".join(traceback.format_exception(raised.value)) + caplog.text


def test_a_pdf_that_xero_refuses_says_of_what_and_why(desk, invoice_id):
    desk.fault(f"Invoices/{invoice_id}", status=400)

    with pytest.raises(BadRequestError, match=f"no PDF of invoices {invoice_id}, as of a draft"):
        desk.records.pdf("invoices", invoice_id)


def test_the_reserve_of_the_day_is_left_alone(desk, invoice_id):
    desk.sandbox.control("POST", "limits", {"day": 102})
    for _ in range(2):
        desk.records.get("invoices", invoice_id)

    with pytest.raises(RateLimitError) as raised:
        desk.records.pdf("invoices", invoice_id)

    assert raised.value.limit == "day"
    assert len(desk.asked()) == 2
