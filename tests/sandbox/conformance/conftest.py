"""One organisation that has everything, read once; and the published files, where they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest

from tests.conftest import REAL_PAYLOADS, REPOSITORY
from tests.sandbox.conformance.answers import Reader, path_of
from tests.sandbox.conformance.operations import EVERYWHERE, ONLY_AMERICAN, Operation
from tests.sandbox.conformance.published import Published
from tests.sandbox.conftest import App
from xero_sandbox.identity.registration import AppSettings
from xero_sandbox.testing import SandboxServer, new_browser

OPENAPI = REPOSITORY.parent / "shared" / "reference" / "openapi"

# All that a new app can get, on the tier that has everything.
_REPORTS = (
    "aged",
    "balancesheet",
    "banksummary",
    "budgetsummary",
    "executivesummary",
    "profitandloss",
    "trialbalance",
    "taxreports",
    "tenninetynine",
)
SCOPES = (
    "openid profile email offline_access paymentservices accounting.settings.read "
    "accounting.contacts.read accounting.invoices.read accounting.payments.read "
    "accounting.banktransactions.read accounting.manualjournals.read accounting.budgets.read "
    "accounting.attachments.read accounting.journals.read "
) + " ".join(f"accounting.reports.{name}.read" for name in _REPORTS)

EVE = "eve@example.com"

_NOW = "2026-11-20T12:00:00Z"
# A year and a bit, so that reports have something to compare with.
_GB = {
    "name": "Everything & Söhne",
    "days": 400,
    "traits": {
        "country": "GB",
        "currencies": ["EUR", "USD"],
        "features": ["all"],
        "invoices_per_day": 0.6,
        "bills_per_day": 0.5,
        "bank_transactions_per_day": 0.4,
    },
}
_US = {"name": "Little America", "days": 5, "traits": {"country": "US"}}


# A third of an access token's life: whoever gets one has long enough to use it.
_FRESH_SECONDS = 600


class Login:
    """Eve's consent to an app, whose tokens never expire in the hands of a slow machine."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._renew()

    def tokens(self) -> dict[str, Any]:
        """A token answer with an access token that lives for 20 minutes and more."""
        if monotonic() > self._stale_at:
            self._renew()
        return self._tokens

    def _renew(self) -> None:
        self._stale_at = monotonic() + _FRESH_SECONDS
        self._tokens = self._app.connect(EVE, scopes=SCOPES)


@dataclass(frozen=True)
class Everything:
    """A new app of an advanced tier, connected to a British organisation that has every feature.

    And to an American one, because one report is for Americans.
    """

    app: App
    login: Login
    british: str
    american: str


@contextmanager
def app_of(*organisations: Mapping[str, Any]) -> Iterator[tuple[App, Login, list[str]]]:
    """A new app without limits, who consented, and the tenant ids of these organisations."""
    new = AppSettings(era="granular")
    with SandboxServer(demo=False, app=new) as sandbox, new_browser(sandbox.url) as http:
        sandbox.control("POST", "clocks", {"business": _NOW})
        sandbox.control("POST", "limits", {"enabled": False, "tier": "advanced"})
        made = [sandbox.control("POST", "organisations", each) for each in organisations]
        tenant_ids = [each["tenantId"] for each in made]
        sandbox.control("POST", "users", {"email": EVE, "organisations": tenant_ids})
        app = App(sandbox, http)
        yield app, Login(app), tenant_ids


@pytest.fixture(scope="session")
def everything() -> Iterator[Everything]:
    """Made once for a worker; nobody may change it, nor move its clocks."""
    with app_of(_GB, _US) as (app, login, (british, american)):
        yield Everything(app, login, british, american)


@pytest.fixture(scope="session")
def reader(everything: Everything) -> Reader:
    """Reads the organisation that has everything."""
    return Reader(everything.app.http, everything.british, tokens=everything.login.tokens)


@pytest.fixture(scope="session")
def american(everything: Everything) -> Reader:
    """Reads the American organisation, which has little."""
    return Reader(everything.app.http, everything.american, tokens=everything.login.tokens)


def _published(name: str) -> Path:
    path = OPENAPI / name
    if not path.is_file():
        pytest.skip(f"the published file is not here: {path}")
    return path


@pytest.fixture(scope="session")
def recorded() -> Path:
    """The folder of what the real Xero sent; skips, by name, in a clone without it."""
    if not REAL_PAYLOADS.is_dir():
        pytest.skip(f"real payloads are not here: {REAL_PAYLOADS}")
    return REAL_PAYLOADS


@pytest.fixture(scope="session")
def published() -> Published:
    """Xero's OpenAPI file of the accounting API; skips, by name, in a clone without it."""
    return Published(_published("xero_accounting.yaml"))


@pytest.fixture(scope="session")
def published_identity() -> Published:
    """Xero's OpenAPI file of the identity service."""
    return Published(_published("xero-identity.yaml"))


Answers = dict[str, list[httpx.Response]]


@pytest.fixture(scope="session")
def answers(reader: Reader, american: Reader, published: Published) -> Answers:
    """Operation to its answers: every kind of record, and every parameter that changes a shape."""
    return answers_of(reader, published) | answers_of(american, published, ONLY_AMERICAN)


def answers_of(
    reader: Reader, published: Published, operations: Sequence[Operation] = EVERYWHERE
) -> Answers:
    """The answers of these operations, for one organisation."""
    return {
        operation.name: [
            reader.get(path_of(operation, arguments), query)
            for arguments in reader.arguments(operation)
            for query in reader.queries(operation, published.parameters(operation.name))
        ]
        for operation in operations
    }
