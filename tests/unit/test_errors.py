"""The errors: whole after a journey between processes, and without a secret in them."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import pytest

from airflow_xero import errors
from airflow_xero.errors import (
    RateLimitError,
    XeroBusyError,
    XeroContractError,
    XeroError,
    XeroSetupError,
)

WHERE = {
    "tenant_id": "a-tenant",
    "endpoint": "invoices",
    "page": 3,
    "status": 418,
    "correlation_id": "a-correlation",
}


def family(kind: type[XeroError]) -> Iterator[type[XeroError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from family(child)


ALL = sorted(family(XeroError), key=lambda kind: kind.__name__)


def one_of(kind: type[XeroError]) -> XeroError:
    if issubclass(kind, RateLimitError):
        return kind("It is so", limit="day", retry_after_seconds=4711, **WHERE)
    return kind("It is so", **WHERE)  # type: ignore[arg-type]


def test_the_family_is_as_its_module_draws_it():
    drawn = str(errors.__doc__)

    assert {kind.__name__ for kind in ALL} == {
        line.strip("│├└─ ").split()[0]
        for line in drawn.splitlines()
        if "Error " in line + " " and line.startswith("    ")
    }


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_an_error_survives_pickling_with_its_attributes(kind):
    error = one_of(kind)

    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is kind
    assert vars(copy) == vars(error)
    assert str(copy) == str(error)
    assert copy.args == ("It is so",)


def test_every_error_says_in_words_of_its_own_which_one_it_is():
    leaves = [kind for kind in ALL if not kind.__subclasses__()]

    words = {one_of(kind).kind for kind in leaves}

    assert len(words) == len(leaves)
    assert "a fault" not in words
    assert one_of(RateLimitError).told() == "day limit used up: It is so"
    assert one_of(errors.ScopeMissingError).told() == "scope missing: It is so"


def test_a_limit_survives_pickling():
    copy = pickle.loads(pickle.dumps(RateLimitError("full", limit="day", retry_after_seconds=9)))

    assert (copy.limit, copy.retry_after_seconds) == ("day", 9)


def test_an_error_says_where_it_happened():
    assert str(XeroError("It is so", **WHERE)) == (  # type: ignore[arg-type]
        "It is so"
        " [tenant=a-tenant endpoint=invoices page=3 status=418 correlation_id=a-correlation]"
    )


def test_an_error_from_nowhere_says_its_message_alone():
    assert str(XeroError("It is so")) == "It is so"


@pytest.mark.parametrize("kind", [k for k in ALL if k is not XeroError], ids=lambda k: k.__name__)
def test_exactly_one_side_must_act_on_an_error(kind):
    sides = (XeroSetupError, XeroBusyError, XeroContractError)

    assert sum(issubclass(kind, side) for side in sides) == 1
