"""Which failed task is tried again: every class of error, and Xero's own figure."""

from datetime import timedelta

import pytest
from airflow.sdk.definitions.retry_policy import RetryAction

from airflow_xero import errors
from airflow_xero.errors import RateLimitError, UnavailableError, XeroError
from airflow_xero.retry import XeroRetryPolicy


def leaves(kind: type[XeroError]) -> list[type[XeroError]]:
    below = kind.__subclasses__()
    return [leaf for child in below for leaf in leaves(child)] if below else [kind]


def decide(error: BaseException, try_number: int = 1):
    return XeroRetryPolicy().evaluate(error, try_number, 3)


@pytest.mark.parametrize(
    "kind", [*leaves(errors.XeroSetupError), *leaves(errors.XeroContractError)]
)
def test_what_a_retry_cannot_help_fails_at_once(kind):
    decision = decide(kind("broken"))

    assert decision.action is RetryAction.FAIL
    assert "broken" in decision.reason


@pytest.mark.parametrize("kind", [errors.UnavailableError, errors.WarehouseBusyError])
def test_a_busy_other_side_is_asked_again_later_and_later(kind):
    waits = [decide(kind("busy"), try_number).retry_delay for try_number in (1, 2, 3)]

    assert waits == [timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=4)]


def test_who_reads_an_organisation_for_long_is_waited_for_longest():
    error = errors.TenantBusyError("under way")
    waits = [decide(error, try_number).retry_delay for try_number in (1, 2, 3)]

    assert waits == [timedelta(minutes=1), timedelta(minutes=10), timedelta(minutes=10)]


@pytest.mark.parametrize(
    ("retry_after", "wait"),
    [(40, timedelta(seconds=40)), (1, timedelta(seconds=15)), (86_400, timedelta(minutes=10))],
)
def test_xeros_own_figure_is_respected_within_reason(retry_after, wait):
    error = RateLimitError("busy", limit="minute", retry_after_seconds=retry_after)

    assert decide(error).retry_delay == wait


def test_a_limit_without_a_figure_waits_a_minute():
    error = RateLimitError("busy", limit="concurrent")

    assert decide(error).retry_delay == timedelta(minutes=1)


def test_a_long_series_of_tries_never_waits_longer_than_ten_minutes():
    assert decide(UnavailableError("busy"), 40).retry_delay == timedelta(minutes=10)


@pytest.mark.parametrize("error", [ValueError("a bug"), KeyboardInterrupt()])
def test_anything_else_is_left_to_the_task(error):
    assert decide(error).action is RetryAction.DEFAULT


def test_every_error_of_the_tree_is_decided():
    undecided = [
        kind.__name__
        for kind in leaves(XeroError)
        if not issubclass(
            kind, errors.XeroSetupError | errors.XeroBusyError | errors.XeroContractError
        )
    ]

    assert undecided == []


def test_the_policy_survives_serialization():
    policy = XeroRetryPolicy()

    assert isinstance(XeroRetryPolicy.deserialize(policy.serialize()), XeroRetryPolicy)
