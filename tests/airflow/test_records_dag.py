"""The operator that fetches PDFs into an object store, and the example Dag that uses it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.models.dagrun import DagRun
from upath import UPath

from airflow_xero.document_operators import XeroPdfToObjectStorageOperator, file_name
from airflow_xero.errors import BadRequestError, NotFoundError, RateLimitError, XeroSetupError

DAGS = Path(__file__).resolve().parents[2] / "dags"
KAURI = "Kauri Coffee Roasters"
UNKNOWN = "00000000-0000-0000-0000-00000000000a"
NIGHTS = count()

pytestmark = [
    pytest.mark.usefixtures("airflow_database"),
    # Third parties, met inside Airflow's own runner.
    pytest.mark.filterwarnings(
        "ignore:Using .httpx. with .starlette.testclient. is deprecated"
        ":starlette.exceptions.StarletteDeprecationWarning"
    ),
]


@pytest.fixture
def tenant_id(connect_organisations) -> str:
    """Kauri's tenant id, connected."""
    connected = {each.tenant_name: each.tenant_id for each in connect_organisations()}
    return str(connected[KAURI])


@pytest.fixture
def do(xero, tenant_id) -> Callable[..., Any]:
    """Change Kauri's books; the changed record."""
    return lambda action, **fields: xero.control(
        "POST", "documents", {"tenantId": tenant_id, "action": action, **fields}
    )


class Context(dict[str, Any]):
    """What the operator reads of Airflow's context: the run's beginning and the task's names."""

    def __init__(self, began_at: datetime) -> None:
        class Names:
            dag_id, run_id, task_id, map_index = "a-dag", "a-run", "a-task", -1
            start_date = began_at

        super().__init__(dag_run=Names, ti=Names)


Fetch = Callable[..., list[str]]


@pytest.fixture
def fetch(tmp_path) -> Fetch:
    """Run the operator into tmp_path/pdfs; each time another run, unless it says when it began."""

    def run(began_at: datetime | None = None, **fields: Any) -> list[str]:
        dst = (tmp_path / "pdfs").as_uri()
        wanted = {"task_id": "fetch", "organisation": KAURI, "dst": dst, **fields}
        context: Any = Context(began_at or datetime.now(UTC) + timedelta(seconds=5))
        return XeroPdfToObjectStorageOperator(**wanted).execute(context)

    return run


def asked_for_pdfs(xero) -> list[str]:
    """The ids of the documents whose PDF was asked for, in order."""
    paths = [each["path"] for each in xero.control("GET", "requests")]
    return [path.rpartition("/")[2] for path in paths if "/Invoices/" in path]


def test_pdfs_are_written_under_number_and_id_and_again_over_themselves(do, fetch, xero, tmp_path):
    made = [do("create_invoice", amount=7, number=f"INV-{n}")["InvoiceID"] for n in (71, 72, 73)]
    names = [f"INV-{n}-{key}.pdf" for n, key in zip((71, 72, 73), made, strict=True)]

    first = fetch(ids=made[:1], numbers="inv-72\n\n INV-73 \n")
    written = {each.name: each.read_bytes() for each in (tmp_path / "pdfs").iterdir()}
    second = fetch(ids=made[:1], numbers=["INV-72", "INV-73"])

    assert [Path(each).name for each in first] == names
    assert second == first
    assert {each.name: each.read_bytes() for each in (tmp_path / "pdfs").iterdir()} == written
    assert set(written) == set(names)
    assert all(each.startswith(b"%PDF-") for each in written.values())
    assert len(set(written.values())) == 3


def test_bills_of_one_number_and_one_without_become_files_of_their_own(do, fetch, tmp_path):
    made = [
        do("create_invoice", amount=7, type="ACCPAY", number=number)["InvoiceID"]
        for number in ("B-1", "B-1", "../../B-1", "")
    ]

    fetch(ids=made)

    files = {each.name for each in (tmp_path / "pdfs").rglob("*")}
    assert {name[-40:-4] for name in files} == set(made)
    assert f"B-1-{made[0]}.pdf" in files
    assert f"B-1-{made[2]}.pdf" in files
    assert [each.name for each in tmp_path.iterdir() if each.name != "project"] == ["pdfs"]


def test_finished_sales_documents_that_changed_on_a_day_come_alone(do, fetch, xero):
    xero.control("POST", "clocks", {"business": "2026-11-25T12:00:00+00:00"})
    day_before = [do("create_invoice", amount=7)["InvoiceID"]]
    xero.control("POST", "clocks", {"business": "2026-11-26T12:30:00+00:00"})
    finished = {do("create_invoice", amount=n, status="AUTHORISED")["InvoiceID"] for n in (1, 2)}
    others = [
        do("create_invoice", amount=7, status="DRAFT"),
        do("create_invoice", amount=7, type="ACCPAY", status="AUTHORISED"),
    ]

    paths = fetch(changed_on="2026-11-26")

    got = {Path(each).name[-40:-4] for each in paths}
    assert got & {*finished, *day_before, *(each["InvoiceID"] for each in others)} == finished


@pytest.mark.parametrize("endpoint", ["CreditNotes", "quotes", "purchase_orders"])
def test_other_documents_have_pdfs_too(endpoint, do, fetch):
    singular = endpoint.replace("CreditNotes", "credit_notes")[:-1]
    made = do(f"create_{singular}", amount=7)
    key = next(value for name, value in made.items() if name.endswith("ID") and value)

    (path,) = fetch(endpoint=endpoint, ids=[key])

    assert Path(path).name.endswith(f"-{key}.pdf")


def test_what_is_refused_is_named_when_everything_else_is_written(do, fetch, xero, tmp_path):
    made = [do("create_invoice", amount=7)["InvoiceID"] for _ in range(3)]
    refused = {"path": f"/api.xro/2.0/Invoices/{made[1]}", "status": 400, "times": 1}
    xero.control("POST", "faults", refused)

    with pytest.raises(BadRequestError, match=rf"2 PDFs are written, 1 are not: .*{made[1]}"):
        fetch(ids=made)
    with pytest.raises(NotFoundError, match=rf"3 PDFs .* no invoices {UNKNOWN}; .* NO-SUCH-1"):
        fetch(ids=[*made, UNKNOWN], numbers="NO-SUCH-1")

    assert {each.name[-40:-4] for each in (tmp_path / "pdfs").iterdir()} == set(made)


def test_a_try_that_ran_into_a_limit_is_continued_where_it_stopped(do, fetch, xero, tmp_path):
    made = [do("create_invoice", amount=7)["InvoiceID"] for _ in range(4)]
    used_up = {"path": f"/api.xro/2.0/Invoices/{made[2]}", "kind": "day_limit", "seconds": 36_000}
    xero.control("POST", "faults", {**used_up, "times": 1})
    began_at = datetime.now(UTC) - timedelta(seconds=5)

    with pytest.raises(RateLimitError):
        fetch(began_at, ids=made)
    xero.control("DELETE", "requests")
    paths = fetch(began_at, ids=made)

    assert asked_for_pdfs(xero) == made[2:]
    assert [Path(each).name[-40:-4] for each in paths] == made
    assert {each.name[-40:-4] for each in (tmp_path / "pdfs").iterdir()} == set(made)


def test_a_file_appears_whole_or_not_at_all(do, fetch, tmp_path, monkeypatch):
    made = do("create_invoice", amount=7)["InvoiceID"]
    (before,) = map(Path, fetch(ids=[made]))
    before = tmp_path / "pdfs" / before.name
    before.write_bytes(b"%PDF-of-yesterday %%EOF")
    moved: list[str] = []

    def full(path: Any, *_: Any, **__: Any) -> None:
        moved.append(path.name)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("airflow.sdk.ObjectStoragePath.move", full)
    with pytest.raises(OSError, match="No space left"):
        fetch(ids=[made])

    assert before.read_bytes() == b"%PDF-of-yesterday %%EOF"
    assert list((tmp_path / "pdfs").iterdir()) == [before]
    assert moved[0].startswith(f".{before.name}.")


def test_an_object_store_without_folders_gets_the_same(do, fetch):
    from airflow.sdk import ObjectStoragePath
    from airflow.sdk.io import attach

    attach("memory", "a_store", fs=UPath("memory://").fs)
    made = do("create_invoice", amount=7, number="M-1")["InvoiceID"]
    dst = f"memory://a_store@bucket-{made}/pdfs"

    (path,) = fetch(ids=[made], dst=dst)
    fetch(ids=[made], dst=dst)

    assert [each.name for each in ObjectStoragePath(dst).iterdir()] == [f"M-1-{made}.pdf"]
    assert path.startswith("memory://a_store@")
    assert ObjectStoragePath(path).read_bytes().startswith(b"%PDF-")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "Say which documents"),
    ({"ids": " \n", "numbers": [], "changed_on": " "}, "Say which documents"),
    ({"numbers": "A", "dst": "pdfs"}, "is no absolute path"),
    ({"numbers": "A", "dst": ""}, "is no absolute path"),
    ({"numbers": "A", "dst": "s3://bucket/pdfs"}, "install Airflow's provider of that store"),
    ({"numbers": "A", "dst": "s4://bucket/pdfs"}, "install Airflow's provider of that store"),
    ({"changed_on": "20 November"}, "changed_on is '20 November'; it must look like 2026-11-20"),
    ({"changed_on": "20261120"}, "changed_on is '20261120'; it must look like 2026-11-20"),
    ({"ids": "INV-1"}, "is no id of invoices"),
    ({"ids": UNKNOWN, "endpoint": "payments"}, "no PDF of payments"),
]


@pytest.mark.parametrize(("fields", "words"), WRONG, ids=str)
def test_wrong_fields_are_refused_in_words(fields, words, fetch, tenant_id, xero):
    xero.control("DELETE", "requests")

    with pytest.raises(XeroSetupError, match=words):
        fetch(**fields)

    assert xero.control("GET", "requests") == []


NAMES = {
    "INV-0001": "INV-0001-",
    "": "",
    "  ": "",
    "..": "",
    "../../etc/passwd": "etc_passwd-",
    "a/b\\c:d*e?f#g%h": "a_b_c_d_e_f_g_h-",
    "／．．／x": "x-",
    "請求書-7": "請求書-7-",
    "e\u0301te\u0301": "été-",
    "a\x00b\nc\u202ed": "a_b_c_d-",
    "x" * 10_000: "x" * 100 + "-",
    "語" * 10_000: "語" * 33 + "-",
}


@pytest.mark.parametrize(("number", "prefix"), NAMES.items(), ids=lambda each: repr(each[:20]))
def test_a_number_becomes_one_part_of_a_path(number, prefix):
    name = file_name(number, UNKNOWN.upper())

    assert name == f"{prefix}{UNKNOWN}.pdf"
    assert Path(name).name == name
    assert len(name.encode()) <= 150


@pytest.mark.parametrize("record_id", ["", "../x", f"{UNKNOWN}/x", "x" * 36])
def test_an_id_that_is_none_becomes_no_file(record_id):
    with pytest.raises(XeroSetupError, match="is no id"):
        file_name("INV-1", record_id)


# --- The example Dag ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def example() -> Any:
    bag = BundleDagBag(dag_folder=DAGS, bundle_path=DAGS, bundle_name="dags-folder")
    assert bag.import_errors == {}
    return bag.dags["xero_invoice_pdfs"]


def run(dag: Any, **conf: Any) -> DagRun:
    logical_date = datetime(2026, 11, 21, tzinfo=UTC) + timedelta(days=next(NIGHTS))
    dag_run: DagRun = dag.test(logical_date=logical_date, run_conf=conf)
    return dag_run


def test_the_example_is_paused_and_has_a_form(example):
    from airflow.serialization.encoders import coerce_to_core_timetable

    timetable: Any = coerce_to_core_timetable(example.timetable)

    assert example.is_paused_upon_creation is True
    assert timetable.can_be_scheduled is False
    assert set(example.params) == {"organisation", "numbers", "changed_on", "path"}
    assert set(example.task_dict) == {"fetch_pdfs"}


def test_the_example_writes_the_pdfs_that_the_form_names(example, do, xero, tmp_path):
    made = {do("create_invoice", amount=n, number=f"D-{n}")["InvoiceID"]: n for n in (1, 2)}
    dst = (tmp_path / "{{ 7 * 6 }}").as_uri()

    dag_run = run(example, organisation=KAURI, numbers="D-1\nD-2", path=dst)

    (task,) = dag_run.get_task_instances()
    assert (dag_run.state, task.state) == ("success", "success")
    files = {each.name for each in tmp_path.rglob("*.pdf")}
    assert files == {f"D-{n}-{key}.pdf" for key, n in made.items()}
    paths = task.xcom_pull(task_ids="fetch_pdfs")
    assert {Path(each).name for each in paths} == files
    # What a person types is a text, never a template.
    assert not [each for each in tmp_path.rglob("*") if "42" in each.name and each.is_dir()]


def test_the_example_refuses_an_organisation_that_nobody_connected(example, tenant_id, capfd):
    dag_run = run(example, organisation="Nobody Ltd", numbers="D-1", path="file:///nowhere")

    (task,) = dag_run.get_task_instances()
    assert (dag_run.state, task.try_number) == ("failed", 1)
    assert "'Nobody Ltd': No live grant reaches this organisation" in capfd.readouterr().out
