"""What a try has stored before it ended still counts for the one that completes the day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from airflow_xero.errors import UnavailableError
from airflow_xero.unpublished import News, news_of
from tests.warehouse.extraction import NOW, ConnectedApp, invoice, write_payloads
from xero_sandbox.testing import SandboxServer

LONG_AGO, NEXT_DAY = NOW - timedelta(days=400), NOW + timedelta(days=1)


@pytest.fixture
def xero(xero_sandbox: SandboxServer, warehouse_dsn: str) -> Iterator[ConnectedApp]:
    with ConnectedApp(xero_sandbox, warehouse_dsn) as app:
        yield app


def theme(folder: Path, name: str, edited_at: datetime = LONG_AGO) -> Path:
    """An invoice that names a branding theme, the only one there is."""
    return write_payloads(
        folder,
        Invoices=[{**invoice(1, edited_at), "BrandingThemeID": name}],
        BrandingThemes=[{"BrandingThemeID": name, "Name": name}],
    )


def test_settings_that_a_failed_try_did_not_come_to_are_read_by_the_next(xero, tmp_path):
    tenant = xero.payloads(theme(tmp_path, "first"))
    xero.extract(tenant)
    xero.serve(theme(tmp_path, "second", NEXT_DAY))
    xero.set_clock(NEXT_DAY + timedelta(hours=1))
    # Read after the invoices.
    xero.fault("Payments", status=500, times=4)
    with pytest.raises(UnavailableError):
        xero.extract(tenant)
    assert set(xero.stored(tenant, "branding_themes")) == {"first"}

    xero.extract(tenant)

    assert xero.calls("BrandingThemes") == ["-"]
    assert set(xero.stored(tenant, "branding_themes")) == {"second"}
    xero.set_clock(NOW + timedelta(days=2))
    xero.extract(tenant)
    assert xero.calls("BrandingThemes") == []


def test_news_are_what_was_written_since_the_organisation_was_complete(xero, tmp_path):
    tenant = xero.payloads(theme(tmp_path, "first"))
    assert news_of(xero.rows, tenant.tenant_id) == News(None, frozenset())
    xero.fault("CreditNotes", status=500, times=4)
    with pytest.raises(UnavailableError):
        xero.extract(tenant)
    news = news_of(xero.rows, tenant.tenant_id)
    assert (news.since, {"branding_themes", "invoices"} <= news.endpoints) == (None, True)

    xero.extract(tenant)

    complete_at = xero.one("select complete_at from xero_ops.tenants")[0]
    assert news_of(xero.rows, tenant.tenant_id) == News(complete_at, frozenset())
    xero.serve(theme(tmp_path, "second", NEXT_DAY))
    xero.set_clock(NEXT_DAY + timedelta(hours=1))
    xero.fault("CreditNotes", status=500, times=4)
    with pytest.raises(UnavailableError):
        xero.extract(tenant)
    assert news_of(xero.rows, tenant.tenant_id) == News(complete_at, frozenset(["invoices"]))
