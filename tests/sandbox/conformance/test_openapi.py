"""Every answer of every operation that a new app can reach fits Xero's published OpenAPI file."""

from __future__ import annotations

import httpx
import pytest

from tests.sandbox.conformance.answers import Reader, array_of, without_envelope
from tests.sandbox.conformance.conftest import Answers, Everything, answers_of, app_of
from tests.sandbox.conformance.explained import EMPTY, MISSING, SCHEMA
from tests.sandbox.conformance.operations import ACCOUNTING, IDENTITY, SERVED, Operation
from tests.sandbox.conformance.published import Complaint, Published
from tests.sandbox.conftest import bearer
from xero_sandbox.books.countries import COUNTRIES

pytestmark = pytest.mark.real_payloads

# Answered with 404 in some countries, or for some records.
PARTLY = {*MISSING, "getOrganisationCISSettings"}

Complaints = dict[str, set[Complaint]]


def is_json(response: httpx.Response) -> bool:
    return response.is_success and "json" in response.headers["Content-Type"]


def complaints_of(
    published: Published, operation: str, given: list[httpx.Response]
) -> set[Complaint]:
    found: set[Complaint] = set()
    for response in given:
        if is_json(response):
            found.update(published.complaints(operation, without_envelope(response.json())))
    return found


@pytest.fixture(scope="module")
def complaints(
    answers: Answers, everything: Everything, published: Published, published_identity: Published
) -> Complaints:
    found = {name: complaints_of(published, name, given) for name, given in answers.items()}
    tokens = everything.login.tokens()
    connections = everything.app.http.get("/Connections", headers=bearer(tokens))
    assert len(connections.json()) == 2
    name = "getConnections"
    return found | {name: set(published_identity.complaints(name, connections.json()))}


def test_the_list_of_operations_is_the_published_one(
    published: Published, published_identity: Published
) -> None:
    listed = {(operation.name, operation.path) for operation in ACCOUNTING + IDENTITY}
    both = published.operations | published_identity.operations
    assert {(name, path) for name, (path, _) in both.items()} == listed


def test_no_operation_refuses_a_published_parameter(answers: Answers) -> None:
    refused = {
        f"{name} {response.url.query.decode()}: {response.status_code}"
        for name, given in answers.items()
        for response in given
        if not response.is_success and name not in MISSING
    }
    assert refused == set()


def test_every_operation_answers_with_records(answers: Answers) -> None:
    empty = {
        name
        for name, given in answers.items()
        if not any(array_of(each) for each in given if is_json(each))
        and any(is_json(each) for each in given)
    }
    assert empty == set(EMPTY)


def test_the_file_complains_of_what_does_not_fit(published: Published) -> None:
    line = {"Description": 7, "AccountID": "not-a-guid", "Unheard": 1}
    wrong = {"Invoices": [{"Type": "ACCREK", "LineItems": [line]}, {"Contact": {"Name": False}}]}
    assert {each.key for each in published.complaints("getInvoices", wrong)} == {
        "Invoice.Type enum",
        "LineItem.Description type",
        "LineItem.AccountID format",
        "LineItem.Unheard unknown",
        "Contact.Name type",
    }


@pytest.mark.parametrize("operation", SERVED + IDENTITY, ids=lambda operation: operation.name)
def test_every_answer_fits_the_published_schema(
    complaints: Complaints, operation: Operation
) -> None:
    unexplained = {each for each in complaints[operation.name] if each.key not in SCHEMA}
    assert sorted(unexplained) == []


def test_no_explanation_is_stale(complaints: Complaints) -> None:
    needed = {each.key for found in complaints.values() for each in found}
    assert set(SCHEMA) - needed == set()


@pytest.mark.campaign
@pytest.mark.parametrize("seed", [3, 11])
def test_organisations_of_every_country_and_kind_fit_the_published_schema(
    published: Published, seed: int
) -> None:
    every = {"features": ["all"], "size": "small"}
    kinds = {country: {"country": country, **every} for country in COUNTRIES} | {"plain": {}}
    plans = [{"name": n, "seed": seed, "days": 70, "traits": kinds[n]} for n in kinds]
    found = set()
    with app_of(*plans, {"name": "empty", "days": 0}) as (app, login, tenant_ids):
        for tenant_id in tenant_ids:
            reader = Reader(app.http, tenant_id, tokens=login.tokens)
            for name, given in answers_of(reader, published).items():
                found |= {each.key for each in complaints_of(published, name, given)}
                statuses = {each.status_code for each in given}
                found |= {f"{name} {each}" for each in statuses - {200} if name not in PARTLY}
    assert found - set(SCHEMA) == set()
