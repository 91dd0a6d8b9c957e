"""What Airflow learns from the installed distribution: form, settings, commands."""

import json
from importlib.metadata import entry_points
from importlib.resources import files

import jsonschema  # type: ignore[import-untyped]
import pytest
from airflow.cli.cli_config import GroupCommand
from airflow.configuration import conf
from airflow.providers_manager import ProvidersManager
from airflow.sdk.providers_manager_runtime import ProvidersManagerTaskRuntime

from airflow_xero.provider_info import FIELD_DEFAULTS, get_provider_info


def test_the_installed_distribution_announces_the_provider():
    announced = [
        entry_point.load()()
        for entry_point in entry_points(group="apache_airflow_provider")
        if entry_point.module.startswith("airflow_xero")
    ]

    assert announced == [get_provider_info()]


def test_provider_info_obeys_airflows_schema():
    schema = json.loads(files("airflow").joinpath("provider_info.schema.json").read_text())

    jsonschema.validate(get_provider_info(), schema)


def test_the_form_shows_its_fields_with_labels_and_defaults():
    manager = ProvidersManager()
    widgets = {
        name: widget.field
        for name, widget in manager.connection_form_widgets.items()
        if name.startswith("extra__xero__")
    }

    assert {name: field["schema"]["title"] for name, field in widgets.items()} == {
        "extra__xero__redirect_uri": "Redirect URI",
        "extra__xero__scopes": "Scopes",
        "extra__xero__api_url": "API base URL",
        "extra__xero__identity_url": "Identity base URL",
        "extra__xero__login_url": "Login base URL",
        "extra__xero__store_conn_id": "Warehouse connection",
        "extra__xero__endpoints": "Endpoints",
        "extra__xero__app_kind": "Kind of app",
        "extra__xero__tier": "Tier of the app",
    }
    assert {name: field["value"] for name, field in widgets.items()} == {
        f"extra__xero__{name}": default for name, default in FIELD_DEFAULTS.items()
    }
    behaviour = manager.field_behaviours["xero"]
    assert behaviour["relabeling"] == {"login": "Client id", "password": "Client secret"}
    assert set(behaviour["hidden_fields"]) == {"host", "port", "schema", "extra"}


def test_no_field_of_the_form_would_be_masked_by_its_name():
    # Airflow shows *** for such names, and then hides their values everywhere.
    suspicious = ("token", "secret", "password", "key", "credential")

    assert [name for name in FIELD_DEFAULTS if any(word in name for word in suspicious)] == []


def test_the_connection_type_has_a_name_and_can_be_tested():
    hook = ProvidersManagerTaskRuntime().hooks["xero"]

    assert hook is not None
    assert hook.hook_name == "Xero"
    assert hook.connection_testable


@pytest.mark.parametrize(
    ("option", "default"), [("conn_id", "xero_default"), ("dbt_project_dir", "")]
)
def test_settings_have_defaults(option, default, monkeypatch):
    monkeypatch.delenv(f"AIRFLOW__XERO__{option.upper()}", raising=False)

    assert conf.get("xero", option) == default


def test_the_token_keys_count_as_sensitive():
    assert ("xero", "token_keys") in conf.sensitive_config_values


def test_the_command_line_has_its_commands():
    from airflow.cli.cli_parser import airflow_commands

    (group,) = [command for command in airflow_commands if command.name == "xero"]

    assert isinstance(group, GroupCommand)
    assert {command.name for command in group.subcommands} == {
        *("migrate", "status", "rotate-keys", "connect", "public"),
        *("readers", "let-read", "stop-reading"),
    }
