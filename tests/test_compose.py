"""docker-compose.yaml: what it promises, read as Compose reads it."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.composed import (
    POSTGRES_SERVICES,
    REPOSITORY,
    MissingVariableError,
    compose,
    env_file,
    interpolated,
    required,
    services_of,
)

LONG_RUNNING = {"apiserver", "scheduler", "dag-processor", "triggerer"}
PROFILES = {"sandbox": ["sandbox"], "redis": ["celery"], "worker": ["celery"]}


def test_every_secret_must_be_given_and_says_what_it_is():
    secrets = {name for name in required() if re.search("PASSWORD|SECRET|KEY", name)}
    assert secrets == {
        "AIRFLOW_ADMIN_PASSWORD",
        "AIRFLOW_FERNET_KEY",
        "AIRFLOW_JWT_SECRET",
        "AIRFLOW_SECRET_KEY",
        "METADATA_PASSWORD",
        "WAREHOUSE_PASSWORD",
        "XERO_CLIENT_SECRET",
        "XERO_TOKEN_KEYS",
    }
    assert all(len(words.split()) > 2 for words in required().values())


def test_no_service_has_a_secret_written_into_the_file():
    written = [
        f"{service}: {name}"
        for service, described in compose()["services"].items()
        for name, value in described.get("environment", {}).items()
        if re.search("PASSWORD|SECRET|KEY", name)
        and not name.endswith("_FILE")
        and not str(value).startswith("${")
    ]
    assert written == []


@pytest.mark.parametrize("name", sorted(required()))
def test_a_missing_variable_stops_the_start_with_its_name(name: str):
    given = {**env_file("sandbox.env"), "XERO_FIRST_DAY": "2026-11-20"}
    del given[name]
    with pytest.raises(MissingVariableError, match=name):
        interpolated(compose(), given)


def test_the_example_names_every_variable_and_gives_no_secret():
    example = env_file("compose.env.example")
    assert set(required()) <= set(example)
    assert {name: example[name] for name in required() if example[name]} == {}


def test_the_api_server_believes_the_named_proxy_alone_about_addresses():
    given = {**env_file("sandbox.env"), "XERO_FIRST_DAY": "2026-11-20"}

    def believed(**more: str) -> str:
        server = services_of({**given, **more})["apiserver"]
        assert "--proxy-headers" in server["command"]
        return str(server["environment"]["FORWARDED_ALLOW_IPS"])

    assert believed() == "127.0.0.1"
    assert believed(PROXY_ADDRESS="172.18.0.1") == "172.18.0.1"


def test_the_warehouse_keeps_as_many_pages_in_memory_as_it_is_told():
    given = {**env_file("sandbox.env"), "XERO_FIRST_DAY": "2026-11-20"}

    def settings(**more: str) -> set[str]:
        return set(services_of({**given, **more})["warehouse"]["command"])

    assert {"shared_buffers=512MB", "max_wal_size=4GB"} <= settings()
    chosen = settings(WAREHOUSE_SHARED_BUFFERS="4GB", WAREHOUSE_MAX_WAL_SIZE="8GB")
    assert {"shared_buffers=4GB", "max_wal_size=8GB"} <= chosen


def test_ports_are_published_on_this_machine_only():
    published = [
        port for service in compose()["services"].values() for port in service.get("ports", [])
    ]
    assert len(published) == 3
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_every_service_that_stays_has_a_health_check():
    services = compose()["services"]
    assert set(services) == LONG_RUNNING | {*POSTGRES_SERVICES, *PROFILES, "init"}
    assert {name for name in services if "healthcheck" not in services[name]} == {"init"}


def test_the_sandbox_and_celery_start_in_their_profiles_only():
    services = compose()["services"]
    assert {name: described.get("profiles") for name, described in services.items()} == {
        name: PROFILES.get(name) for name in services
    }
    assert env_file("sandbox.env")["COMPOSE_PROFILES"] == "sandbox"


def test_the_profile_celery_adds_redis_and_two_workers():
    given = {**env_file("sandbox.env"), "XERO_FIRST_DAY": "2026-11-20"}
    plain = services_of(given)
    celery = services_of(
        {
            **given,
            "COMPOSE_PROFILES": "sandbox,celery",
            "AIRFLOW_EXECUTOR": "CeleryExecutor",
            "REDIS_PASSWORD": "redis-password-1",
        }
    )

    assert set(celery) - set(plain) == {"redis", "worker", "worker-2"}
    assert set(plain) <= set(celery)
    executors = {
        described.get("environment", {}).get("AIRFLOW__CORE__EXECUTOR")
        for described in plain.values()
    }
    assert executors == {"LocalExecutor", None}
    for name in ("apiserver", "scheduler", "worker"):
        environment = celery[name]["environment"]
        assert environment["AIRFLOW__CORE__EXECUTOR"] == "CeleryExecutor"
        assert environment["AIRFLOW__CELERY__BROKER_URL"] == (
            "redis://:redis-password-1@redis:6379/0"
        )
    assert "redis-password-1" not in str(celery["redis"]["command"])


def test_redis_without_a_password_does_not_start():
    redis = compose()["services"]["redis"]
    kind, flag, script = interpolated(redis["command"], {})
    answer = subprocess.run([kind, flag, script], env={}, capture_output=True, check=False)

    assert answer.returncode != 0
    assert b"REDIS_PASSWORD: is missing" in answer.stderr


def test_the_sandbox_addresses_of_the_demo_are_accepted():
    from airflow_xero.oauth import XeroApp

    given = env_file("sandbox.env")
    XeroApp(
        conn_id="xero_default",
        client_id=given["XERO_CLIENT_ID"],
        client_secret=given["XERO_CLIENT_SECRET"],
        redirect_uri="http://localhost:8080/xero/callback",
        scopes=("offline_access",),
        api_url=given["XERO_API_URL"],
        identity_url=given["XERO_IDENTITY_URL"],
        login_url=given["XERO_LOGIN_URL"],
    )


def test_the_image_is_of_the_versions_that_are_tested():
    dockerfile = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
    lock = (REPOSITORY / "requirements.txt").read_text(encoding="utf-8")
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    airflow = re.search(r"^FROM apache/airflow:([\d.]+)-python", dockerfile, re.MULTILINE)
    uv = re.search(r"uv==([\d.]+)", dockerfile)
    assert airflow is not None
    assert uv is not None
    assert f"\napache-airflow=={airflow[1]} " in lock
    assert f"UV_VERSION := {uv[1]}\n" in makefile
