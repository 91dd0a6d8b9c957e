"""What Airflow is told about this distribution: the connection form, settings, commands.

Pure data: Airflow's API server reads it without importing the hook. The only home of the form's
fields and their defaults. Must not import Airflow or anything of ours that does.
Source: provider_info.schema.json of Airflow 3.3.
"""

from __future__ import annotations

from typing import Any

from airflow_xero import __version__
from airflow_xero.scope_choices import USUAL
from airflow_xero.tiers import CONNECTIONS

PACKAGE_NAME = "airflow-provider-xero"
CONN_TYPE = "xero"
DEFAULT_CONN_ID = "xero_default"
DEFAULT_STORE_CONN_ID = "xero_warehouse"
DEFAULT_RESERVED_CALLS = "100"
DEFAULT_BACKFILL_CALLS = "120"
DEFAULT_DEADLINE_HOURS = "3"
DEFAULT_EXTRACT_SLOTS = "8"
DEFAULT_REFRESH_SCHEDULE = "45 * * * *"
DEFAULT_START_SECONDS = "0.2"
DEFAULT_TIE_OUT_TOLERANCE = "0.00"
DEFAULT_SCOPES = " ".join(USUAL["granular"])
APP_KINDS = ("web", "custom")

# Field of the form → its value where a person left it empty.
FIELD_DEFAULTS = {
    "redirect_uri": "http://localhost:8080/xero/callback",
    "scopes": DEFAULT_SCOPES,
    "api_url": "https://api.xero.com",
    "identity_url": "https://identity.xero.com",
    "login_url": "https://login.xero.com",
    "store_conn_id": DEFAULT_STORE_CONN_ID,
    "endpoints": "",
    "app_kind": "web",
    "tier": "",
}

# A label is also what every message calls the field, so that a person finds it.
FIELD_LABELS = {
    "login": "Client id",
    "password": "Client secret",
    "redirect_uri": "Redirect URI",
    "scopes": "Scopes",
    "api_url": "API base URL",
    "identity_url": "Identity base URL",
    "login_url": "Login base URL",
    "store_conn_id": "Warehouse connection",
    "endpoints": "Endpoints",
    "app_kind": "Kind of app",
    "tier": "Tier of the app",
}

_FIELD_DESCRIPTIONS = {
    "redirect_uri": (
        "Exactly as entered at developer.xero.com: Airflow's address followed by /xero/callback. "
        "Xero accepts https, or http on localhost."
    ),
    "scopes": (
        "The word granular (apps made since March 2026) or broad (older ones), or names of scopes "
        "separated by spaces. One scope that the app may not have makes Xero refuse all of them; "
        "offline_access is needed."
    ),
    "api_url": "Change it only for a sandbox or a proxy.",
    "identity_url": "Change it only for a sandbox or a proxy.",
    "login_url": "Change it only for a sandbox or a proxy.",
    "store_conn_id": "The id of the Postgres connection of the warehouse.",
    "endpoints": (
        "Empty for the usual ones. A name adds one, a minus leaves one out, for example: "
        "journals cash_journals -quotes. The names are in docs/endpoints.md."
    ),
    "app_kind": (
        "web: people press Connect to Xero. custom: a Custom Connection, one organisation, opened "
        "by client id and secret alone; run airflow xero connect once."
    ),
    "tier": (
        "Of the app's price at Xero: the page then shows how many connections are left. Empty: "
        "nobody is told before Xero refuses."
    ),
}

_FIELD_VALUES = {"app_kind": APP_KINDS, "tier": ("", *CONNECTIONS)}


def get_provider_info() -> dict[str, Any]:
    """What the entry point `apache_airflow_provider` returns."""
    return {
        "package-name": PACKAGE_NAME,
        "name": "Xero",
        "description": (
            "Every connected `Xero <https://www.xero.com/>`__ organisation in your own Postgres, "
            "every day.\n"
        ),
        "versions": [__version__],
        "connection-types": [_connection_type()],
        "cli": ["airflow_xero.cli.commands"],
        "notifications": [
            "airflow_xero.notifiers.WebhookNotifier",
            "airflow_xero.notifiers.XeroNotifier",
        ],
        "config": {"xero": {"description": "Extraction of Xero.\n", "options": _options()}},
    }


def _connection_type() -> dict[str, Any]:
    return {
        "connection-type": CONN_TYPE,
        "hook-class-name": "airflow_xero.hook.XeroHook",
        "hook-name": "Xero",
        "ui-field-behaviour": {
            "hidden-fields": ["host", "port", "schema", "extra"],
            "relabeling": {field: FIELD_LABELS[field] for field in ("login", "password")},
            "placeholders": {
                "login": "from developer.xero.com, My Apps, Configuration",
                "password": "from developer.xero.com, My Apps, Configuration",
            },
        },
        "conn-fields": {name: _field(name) for name in FIELD_DEFAULTS},
    }


def _field(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": ["string", "null"], "default": FIELD_DEFAULTS[name]}
    if name.endswith(("_url", "_uri")):
        schema["format"] = "url"
    if name == "scopes":
        schema["format"] = "multiline"
    if name in _FIELD_VALUES:
        schema["enum"] = list(_FIELD_VALUES[name])
    return {
        "label": FIELD_LABELS[name],
        "description": _FIELD_DESCRIPTIONS[name],
        "schema": schema,
    }


def _options() -> dict[str, Any]:
    return {
        "conn_id": _option(
            "The Xero connection that the Dag xero_daily and the pages use.",
            default=DEFAULT_CONN_ID,
        ),
        "first_day": _option(
            "The first day xero_daily publishes: the day of installation, written once.",
            example="2026-11-20",
        ),
        "dbt_project_dir": _option(
            "The folder of the dbt project. Empty: the folder dbt beside the folder of Dags.",
            default="",
            example="/opt/airflow/dbt",
        ),
        "reserved_calls": _option(
            "How many of Xero's calls a day and organisation are left to other programs of the "
            "app: an extraction that reaches them waits.",
            default=DEFAULT_RESERVED_CALLS,
        ),
        "backfill_calls": _option(
            "How many of Xero's calls a run of xero_backfill spends on reports of past days of one "
            "organisation: whole days, six calls each, and at least one of them. 0: none.",
            default=DEFAULT_BACKFILL_CALLS,
        ),
        "deadline_hours": _option(
            "How many hours after its start a day's run must have ended, before people are told "
            "that it is late. 0: never.",
            default=DEFAULT_DEADLINE_HOURS,
        ),
        "extract_slots": _option(
            "How many organisations are extracted at once: airflow xero migrate makes the pool "
            "xero_extract with as many slots.",
            default=DEFAULT_EXTRACT_SLOTS,
        ),
        "start_seconds": _option(
            "Seconds between the starts of the organisations that a run begins with, at most 1: "
            "they do not all ask Xero in the same second.",
            default=DEFAULT_START_SECONDS,
        ),
        "refresh_schedule": _option(
            "When the Dag xero_refresh brings documents up to now, as a cron expression in UTC.",
            default=DEFAULT_REFRESH_SCHEDULE,
        ),
        "fail_on_broken_tie_out": _option(
            "Whether a run fails, after it has published, when more than tie_out_tolerance is left "
            "over between an organisation's reports and its documents. False: people are told, and "
            "no run fails.",
            default="False",
        ),
        "tie_out_tolerance": _option(
            "What may be left over, in base currency, between an organisation's reports and its "
            "documents before a run fails; only where fail_on_broken_tie_out is True.",
            default=DEFAULT_TIE_OUT_TOLERANCE,
        ),
        "notify_emails": _option(
            "Addresses, separated by commas, that are told when something goes wrong, through "
            "Airflow's connection smtp_default (or [email] email_conn_id).",
            default="",
            example="finance-data@example.com",
        ),
        "notify_webhook_conn_id": _option(
            "The Airflow connection whose password is the address of a webhook that takes "
            '{"text": "..."}, as Slack\'s do, and is told when something goes wrong.',
            default="",
            example="xero_webhook",
        ),
        "token_keys": _option(
            "Fernet keys separated by commas; the first encrypts Xero's tokens, all decrypt. "
            "The environment variable XERO_TOKEN_KEYS wins.",
            sensitive=True,
        ),
    }


def _option(
    description: str,
    *,
    default: str | None = None,
    example: str | None = None,
    sensitive: bool = False,
) -> dict[str, Any]:
    return {
        "description": description + "\n",
        "version_added": "0.1.0",
        "type": "string",
        "example": example,
        "default": default,
        "sensitive": sensitive,
    }
