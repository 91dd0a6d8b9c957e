"""The house is furnished alike in every room: endpoints, marts, doors, names, words.

Each message names the missing step of CONTRIBUTING.md, "Adding an endpoint".
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from airflow_xero.endpoints import ENDPOINTS, Cadence, Endpoint
from xero_sandbox.api import accounting as served

REPOSITORY = Path(__file__).resolve().parents[1]
DBT = REPOSITORY / "dbt"
SQL = REPOSITORY / "include" / "airflow_xero" / "sql"

DOORS = {
    "dags/xero_backfill.py": 80,
    "dags/xero_daily.py": 80,
    "dags/xero_erase.py": 80,
    "dags/xero_extract.py": 80,
    "dags/xero_refresh.py": 80,
    "dags/xero_invoice_pdfs.py": 80,
    "dags/xero_resume.py": 80,
    "plugins/xero_plugin.py": 40,
}
FORBIDDEN_NAMES = {"utils", "helpers", "common", "base", "manager", "misc"}
# Put together here, so that this file passes its own test.
REGISTRY_HOSTS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("debian", "org"),
        ("docker", "io"),
        ("ghcr", "io"),
    )
]


def step(number: int) -> str:
    """The heading of a step in CONTRIBUTING.md, for messages."""
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.split("## Adding an endpoint")[1]
    found = re.search(rf"^{number}\. \*\*(.+?)\.\*\*", section, re.MULTILINE)
    name = found.group(1) if found else "?"
    return f"see CONTRIBUTING.md, Adding an endpoint, step {number}: {name}"


def tracked_files() -> list[Path]:
    """Every file that is, or could be, in the repository; ignored files are not."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    files = [REPOSITORY / name for name in listed.split("\0") if name]
    return [file for file in files if file.is_file()]


def text_of(file: Path) -> str:
    """The file's text; empty for pictures."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What dbt itself makes of the project, with every setting in force."""
    room = tmp_path_factory.mktemp("dbt")
    ended = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("dbt")), "parse"),
            *("--project-dir", str(DBT), "--profiles-dir", str(DBT)),
            *("--target-path", str(room), "--log-path", str(room)),
        ],
        env=os.environ | {"DBT_HOST": "localhost", "DBT_USER": "nobody", "DBT_DBNAME": "nothing"},
        capture_output=True,
        check=False,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    loaded: dict[str, Any] = json.loads((room / "manifest.json").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="session")
def models(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """dbt's models by name."""
    return {
        node["name"]: node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
    }


def hooks_of(model: dict[str, Any]) -> list[dict[str, Any]]:
    """What runs before the model, within its transaction."""
    hooks: list[dict[str, Any]] = model["config"]["pre-hook"]
    return hooks


def grains(manifest: dict[str, Any], model: dict[str, Any]) -> list[list[str]]:
    """The columns of each test of the model's grain."""
    return [
        node["test_metadata"]["kwargs"]["columns"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test"
        and node.get("attached_node") == model["unique_id"]
        and (node.get("test_metadata") or {}).get("name") == "unique_grain"
    ]


def unique_indexes(model: dict[str, Any]) -> list[list[str]]:
    """The columns of its primary key and of each of its unique indexes."""
    return [
        *(each["columns"] for each in model["constraints"] if each["type"] == "primary_key"),
        *(each["columns"] for each in model["config"].get("indexes", []) if each.get("unique")),
    ]


def is_mart(model: dict[str, Any]) -> bool:
    """Whether the model lies in the folder that analysts read."""
    return str(model["original_file_path"]).startswith("models/marts/")


every_endpoint = pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: each.name)


@every_endpoint
def test_endpoint_has_a_raw_table(endpoint: Endpoint):
    migrations = "\n".join(file.read_text(encoding="utf-8") for file in sorted(SQL.glob("*.sql")))
    assert f"create_raw_table('{endpoint.name}')" in migrations, step(2)


@every_endpoint
def test_endpoint_is_served_by_the_sandbox(endpoint: Endpoint):
    assert endpoint.path in served.SCOPES, step(3)
    assert endpoint.scopes[0] in served.SCOPES[endpoint.path], step(3)


@every_endpoint
def test_endpoint_is_a_described_dbt_source(manifest: dict[str, Any], endpoint: Endpoint):
    sources = {
        node["name"]: node for node in manifest["sources"].values() if node["schema"] == "xero_raw"
    }
    assert endpoint.name in sources, step(4)
    assert sources[endpoint.name]["description"], step(4)


@every_endpoint
def test_endpoint_has_a_staging_model_whose_key_is_tested(
    manifest: dict[str, Any], models: dict[str, dict[str, Any]], endpoint: Endpoint
):
    model = models.get(f"stg_xero__{endpoint.name}")
    assert model is not None, step(5)
    assert any("tenant_id" in columns for columns in grains(manifest, model)), step(5)


@every_endpoint
def test_endpoint_has_its_line_in_the_documentation(endpoint: Endpoint):
    words = (REPOSITORY / "docs" / "endpoints.md").read_text(encoding="utf-8")
    line = (
        f"| {endpoint.name} | `{endpoint.path}` | {endpoint.reading.value} "
        f"| `{endpoint.scopes[0]}` | `xero_raw.{endpoint.name}` |"
    )
    assert line in words, f"{step(6)}; the line is: {line}"
    scopes = (REPOSITORY / "docs" / "connect-xero.md").read_text(encoding="utf-8")
    assert endpoint.scopes[0] in scopes, step(6)


@every_endpoint
def test_documentation_tells_when_an_endpoint_is_read_and_whether_it_is_needed(endpoint: Endpoint):
    words = (REPOSITORY / "docs" / "endpoints.md").read_text(encoding="utf-8")
    when = {Cadence.DAILY: "nightly", Cadence.WEEKLY: "weekly", Cadence.MONTHLY: "monthly"}
    again = f"{endpoint.reread_nights} " if endpoint.reread_nights else ""
    needed = "yes" if endpoint.is_required else "no" if endpoint.is_default else "off"
    ending = f"`xero_raw.{endpoint.name}` | {when[endpoint.cadence]} | {again}| {needed} |"
    assert ending in words, f"{step(6)}; the line ends: {ending}"


def test_documentation_lists_no_endpoint_that_is_not_read():
    words = (REPOSITORY / "docs" / "endpoints.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| ([a-z_]+) \| `", words, re.MULTILINE)
    assert listed == [endpoint.name for endpoint in ENDPOINTS]


def test_there_are_marts_and_staging_models(models: dict[str, dict[str, Any]]):
    assert {"dim_tenants", "fct_invoices", "rpt_daily_statistics"} <= set(models)


def test_every_mart_enforces_its_contract(models: dict[str, dict[str, Any]]):
    loose = [
        name
        for name, model in models.items()
        if is_mart(model) and not model["config"]["contract"]["enforced"]
    ]
    assert loose == []


def test_every_mart_starts_with_the_tenant(models: dict[str, dict[str, Any]]):
    others = [
        name
        for name, model in models.items()
        if is_mart(model) and next(iter(model["columns"]), None) != "tenant_id"
    ]
    assert others == []


def test_every_mart_tests_its_grain_per_tenant(
    manifest: dict[str, Any], models: dict[str, dict[str, Any]]
):
    untested = [
        name
        for name, model in models.items()
        if is_mart(model)
        # A view answers for the day that is asked: to test it whole is to compute every day.
        and model["config"]["materialized"] != "view"
        and not any("tenant_id" in columns for columns in grains(manifest, model))
    ]
    assert untested == []


def test_the_first_page_of_the_docs_leads_to_marts(models: dict[str, dict[str, Any]]):
    overview = (DBT / "models" / "overview.md").read_text(encoding="utf-8")
    linked = re.findall(r"\[(\w+)\]\(#!/model/model\.xero_warehouse\.(\w+)\)", overview)
    assert len(linked) > 10
    assert [pair for pair in linked if pair[0] != pair[1] or not is_mart(models[pair[1]])] == []


def test_every_view_of_the_marts_declares_its_grain_per_tenant(models: dict[str, dict[str, Any]]):
    """Which test_dbt_grains looks at, on some days: whole, a view computes every day there is."""
    declared = {
        name: model["config"]["meta"].get("grain", [])
        for name, model in models.items()
        if is_mart(model) and model["config"]["materialized"] == "view"
    }
    assert len(declared) > 10
    assert [name for name, grain in declared.items() if "tenant_id" not in grain] == []
    strange = [name for name in declared if not set(declared[name]) <= set(models[name]["columns"])]
    assert strange == []


def test_every_grain_of_a_table_is_watched_by_an_index(
    manifest: dict[str, Any], models: dict[str, dict[str, Any]]
):
    """A night leaves the tests of grain out (dbt/selectors.yml), since Postgres sees to it.

    What was touched is grouped by its grain, and says itself why its index is not unique.
    """
    unwatched = [
        (name, columns)
        for name, model in models.items()
        if model["config"]["materialized"] != "view" and name != "int_documents_touched"
        for columns in grains(manifest, model)
        if set(columns) not in [set(index) for index in unique_indexes(model)]
    ]
    assert unwatched == []


def test_every_mart_and_each_of_its_columns_is_described(models: dict[str, dict[str, Any]]):
    silent = [
        f"{name}.{column}" if column else name
        for name, model in models.items()
        if is_mart(model)
        for column, words in [
            ("", model["description"]),
            *((each, about["description"]) for each, about in model["columns"].items()),
        ]
        if not words.strip()
    ]
    assert silent == []


def test_no_column_has_a_name_that_postgres_would_cut(models: dict[str, dict[str, Any]]):
    names = {name for model in models.values() for name in model["columns"]}
    assert len(names) > 500
    assert [name for name in names if len(name) > 63] == []


def test_every_model_has_a_yml_beside_it(models: dict[str, dict[str, Any]]):
    # What a night kept has the columns of what is restated, and so shares its yml.
    alone = [
        name
        for name, model in models.items()
        if not (DBT / model["original_file_path"])
        .with_name(f"{name.removesuffix('_as_known')}.yml")
        .is_file()
    ]
    assert alone == []


def test_no_model_asks_for_todays_date():
    asking = [
        str(file.relative_to(REPOSITORY))
        for room in ("models", "macros", "tests")
        for file in sorted((DBT / room).rglob("*.sql"))
        if re.search(
            r"current_date|current_timestamp|\bnow\s*\(|run_started_at|clock_timestamp",
            re.sub(r"\{#.*?#\}|--[^\n]*", "", file.read_text(encoding="utf-8"), flags=re.DOTALL),
            re.IGNORECASE,
        )
    ]
    assert asking == []


def test_no_model_copies_a_table_of_documents_to_read_it_twice(models: dict[str, dict[str, Any]]):
    # Postgres copies a CTE that is read twice before anything is asked of it: a night would cost
    # what there is, and not what moved.
    of_documents = {
        name
        for name, model in models.items()
        if any(re.search(r"forget_(touched|moved)\(", hook["sql"]) for hook in hooks_of(model))
        or model["config"]["incremental_strategy"] == "renew_touched"
    }
    assert len(of_documents) > 40
    # What stands in a loop is said more than once.
    loop = r"(\{%-? for .*?\{%-? endfor)"
    copying = [
        f"{file.stem}: {name} as (select * from {read})"
        for room in ("models", "macros")
        for file in sorted((DBT / room).rglob("*.sql"))
        for text in [file.read_text(encoding="utf-8")]
        for name, read, table in re.findall(
            r"^(\S[^\n]*) as \(\n +select \* from \{\{ "
            r"((?:ref\('(\w+)'\)|source\('xero_raw', \w+\))) \}\}",
            text,
            re.MULTILINE,
        )
        if not table or table in of_documents
        if len(
            re.findall(
                rf"\b(?:from|join) {re.escape(name)}(?!\w)",
                text if "{{" in name else re.sub(loop, r"\1\1", text, flags=re.DOTALL),
            )
        )
        > 1
    ]
    assert copying == []


def test_doors_are_exactly_these_files_and_short():
    files = {
        str(file.relative_to(REPOSITORY)): len(file.read_text(encoding="utf-8").splitlines())
        for room in ("dags", "plugins")
        for file in (REPOSITORY / room).rglob("*.py")
    }
    assert set(files) == set(DOORS)
    assert {name: lines for name, lines in files.items() if lines > DOORS[name]} == {}


@pytest.mark.parametrize("door", DOORS)
def test_door_imports_installed_packages_only(door: str):
    imported = set()
    for node in ast.walk(ast.parse((REPOSITORY / door).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {name.name.split(".")[0] for name in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import does not work in this folder"
            imported.add(str(node.module).split(".")[0])
    assert imported - set(sys.stdlib_module_names) <= {"airflow", "airflow_xero"}


def test_no_file_has_a_name_that_says_nothing():
    nameless = [
        str(file.relative_to(REPOSITORY))
        for file in tracked_files()
        if {part.split(".")[0] for part in file.relative_to(REPOSITORY).parts} & FORBIDDEN_NAMES
    ]
    assert nameless == []


@pytest.mark.parametrize("host", REGISTRY_HOSTS)
def test_no_file_names_a_package_registry(host: str):
    naming = [
        str(file.relative_to(REPOSITORY)) for file in tracked_files() if host in text_of(file)
    ]
    assert naming == []


def test_no_file_knows_a_path_of_one_machine():
    foreign = re.compile(r"(?<![\w./-])/(work|root|Users(?!/\{)|home/(?!airflow/)\w+)/")
    found = [
        str(file.relative_to(REPOSITORY))
        for file in tracked_files()
        if file.suffix in {".py", ".md", ".sql", ".toml", ".yml", ".yaml", ".env", ".js"}
        and file != Path(__file__)
        and foreign.search(text_of(file))
    ]
    assert found == []
