"""What a person reads about a run, and when the run turns red."""

from datetime import date

import psycopg

from airflow_xero.errors import UnavailableError
from airflow_xero.outcome import Outcome, message_of, reason_of

DAY = date(2026, 11, 20)
KAURI = {"tenant_id": "1", "tenant_name": "Kauri Coffee"}
BEACON = {"tenant_id": "2", "tenant_name": "Beacon <b>& Sons"}


def complete(tenant):
    return {**tenant, "state": "complete"}


def test_a_good_run_is_one_line():
    outcome = Outcome(
        DAY, [KAURI, BEACON], results=[complete(KAURI), complete(BEACON)], published=2
    )

    assert outcome.headline() == (
        "2026-11-20: 2 complete, 0 waiting, 0 failed, 0 skipped; statistics published."
    )
    assert outcome.remarks() == []
    assert outcome.complaint() is None


def test_no_organisation_is_no_failure_and_says_what_to_do():
    outcome = Outcome(DAY, [])

    assert outcome.remarks() == [
        "No organisation is connected yet: open the page Xero and press Connect to Xero."
    ]
    assert outcome.complaint() is None


def test_a_run_that_found_nothing_new_does_not_claim_to_have_published():
    outcome = Outcome(DAY, [KAURI], failures=[{**KAURI, "reason": "Xero is down"}])

    assert outcome.headline() == (
        "2026-11-20: 0 complete, 0 waiting, 1 failed, 0 skipped; statistics as they were."
    )


def test_what_was_left_unread_is_named_and_fails_nothing():
    result = {**complete(KAURI), "gaps": {"trial_balances": "not read: no scope"}}
    outcome = Outcome(DAY, [KAURI], results=[result])

    assert outcome.remarks() == ["GAP Kauri Coffee: trial_balances: not read: no scope"]
    assert outcome.complaint() is None


def test_a_waiting_organisation_is_named_and_fails_nothing():
    waiting = {**BEACON, "state": "waiting_for_limit", "resume_at": "2026-11-21T00:00+00:00"}
    outcome = Outcome(DAY, [KAURI, BEACON], results=[waiting, complete(KAURI)])

    assert outcome.remarks() == [
        "WAITING Beacon <b>& Sons: Xero's limit opens 2026-11-21T00:00+00:00"
    ]
    assert outcome.complaint() is None


def test_a_failed_organisation_is_named_with_its_reason():
    failure = {**BEACON, "reason": "Xero is down"}
    outcome = Outcome(DAY, [KAURI, BEACON], results=[complete(KAURI)], failures=[failure])

    assert outcome.remarks() == ["FAILED Beacon <b>& Sons: Xero is down"]
    assert outcome.complaint() == "extraction failed for Beacon <b>& Sons"


def test_an_organisation_whose_worker_was_killed_has_failed():
    outcome = Outcome(DAY, [KAURI])

    assert outcome.remarks() == ["FAILED Kauri Coffee: its task ended without a word, see its log"]
    assert outcome.complaint() == "extraction failed for Kauri Coffee"


def test_unpublished_statistics_are_a_complaint():
    outcome = Outcome(
        DAY, [KAURI], results=[complete(KAURI)], not_published="model fct_invoices: no"
    )

    assert outcome.headline().endswith("statistics NOT published.")
    assert outcome.complaint() == ("the statistics were not published: model fct_invoices: no")


def test_published_statistics_whose_tie_out_is_not_tolerated_are_another_complaint():
    untied = "The statistics are published, but the tie-out of Kauri Coffee is broken"
    outcome = Outcome(DAY, [KAURI], results=[complete(KAURI)], untied=untied)

    assert outcome.headline().endswith("statistics published, tie-out BROKEN.")
    assert outcome.complaint() == untied


def test_an_organisation_that_must_be_reconnected_is_named_and_fails_nothing():
    skipped = [{"tenant_name": "Måne Studio", "reason": "Kaito must connect again"}]
    outcome = Outcome(DAY, [], skipped=skipped)

    assert outcome.remarks() == ["SKIPPED Måne Studio: Kaito must connect again"]
    assert outcome.complaint() is None


def test_the_reason_of_a_database_error_quotes_no_data():
    error = psycopg.errors.UniqueViolation("duplicate key\nDETAIL: Key (name)=(Private Person)")

    assert reason_of(error) == "UniqueViolation: duplicate key"


def test_the_reason_of_our_own_error_is_its_kind_and_its_message():
    error = UnavailableError("Xero is down", status=503)

    assert reason_of(error) == "Xero unavailable: Xero is down"
    assert message_of(error) == "Xero is down"
