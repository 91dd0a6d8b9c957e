"""Registers the pages of `airflow_xero.web` with Airflow, and nothing else.

The only file of this folder: Airflow imports each one under its bare name.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from airflow.sdk.plugins_manager import AirflowPlugin

from airflow_xero.warm_start import import_ahead
from airflow_xero.web.assets import bundle_url
from airflow_xero.web.port_zero import TestButtonFix


class XeroPlugin(AirflowPlugin):
    """The page "Xero" in Airflow's navigation, and what it needs under `/xero`."""

    name = "xero"
    react_apps = [  # noqa: RUF012  Airflow's own interface
        {
            "name": "Xero",
            "bundle_url": bundle_url(),
            "url_route": "xero",
            "nav_top_level": True,
            "icon": "xero/static/icon.svg",
        }
    ]
    on_load = staticmethod(import_ahead)
    fastapi_root_middlewares = [{"middleware": TestButtonFix, "name": "Xero"}]  # noqa: RUF012

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """Built only where it is served: workers load this file, too, and need no web server."""
        from airflow_xero.web.pages import URL_PREFIX, create_app

        return [{"app": create_app(), "url_prefix": URL_PREFIX, "name": "Xero"}]
