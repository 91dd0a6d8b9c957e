"""What the sandbox sends looks like what the real Xero was recorded to send, field by field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sandbox.conformance.conftest import Answers
from tests.sandbox.conformance.explained import RECORDINGS
from tests.sandbox.conformance.operations import SERVED, Operation
from tests.sandbox.conformance.shapes import Shape, loosely, merged, read, shape_of

pytestmark = pytest.mark.real_payloads

# Recorded files, by the operations that answer so: the full ones were read one by one.
_AU = {
    "accounts": "getAccounts",
    "contacts-full": "getContact",
    "credit_notes-full": "getCreditNote",
    "credit_notes": "getCreditNotes",
    "invoices-full": "getInvoice",
    "items": "getItems",
    "manual_journals-full": "getManualJournal",
    "organisations": "getOrganisations",
    "payments": "getPayments",
    "tax_rates": "getTaxRates",
    "tracking_categories": "getTrackingCategories",
}
_NZ = {
    "aged_payables_by_contact": "getReportAgedPayablesByContact",
    "aged_receivables_by_contact": "getReportAgedReceivablesByContact",
    "balance_sheet": "getReportBalanceSheet",
    "bank_summary": "getReportBankSummary",
    "budget_summary": "getReportBudgetSummary",
    "executive_summary": "getReportExecutiveSummary",
    "profit_and_loss": "getReportProfitAndLoss",
    "trial_balance": "getReportTrialBalance",
}
# Read by number, a record is as by id.
_SAME = {"getContactByContactNumber": "getContact", "getPurchaseOrderByNumber": "getPurchaseOrder"}


@dataclass(frozen=True)
class Recording:
    """A recorded answer. `is_verbatim`: its bytes are Xero's, so that spellings count, too."""

    operation: str
    body: Any
    is_verbatim: bool = False

    @property
    def key(self) -> str:
        """The array's name, which comes last."""
        return str(next(reversed(self.body)))

    @property
    def shape(self) -> Shape:
        records = self.body[self.key]
        # The example of one budget has it bare, which is a slip of the pen.
        return shape_of(records if isinstance(records, list) else [records])


def recordings(folder: Path) -> Iterator[Recording]:
    for file, name in _AU.items():
        yield Recording(name, _read(folder / "demo-company-au-2011" / f"{file}.json"))
    for file, name in _NZ.items():
        yield Recording(name, _read(folder / "report-shapes-nz" / f"{file}.json"))
    nz = folder / "demo-company-nz-2020"
    yield Recording("getInvoices", _read(nz / "demo-nz-2020-invoices-page1.json"), True)
    for exchange in _read(nz / "recorded-exchanges.json"):
        if exchange["uri"].endswith("/Organisation"):
            yield Recording("getOrganisations", exchange["body"], True)
    for operation in SERVED:
        path = folder / "openapi-examples" / example_of(operation)
        if path.is_file():
            yield Recording(_SAME.get(operation.name, operation.name), _read(path))


def example_of(operation: Operation) -> str:
    words = re.sub(r"[{}]", "", operation.path).strip("/").replace("/", "_")
    return f"get_{words}_200.json"


def _read(path: Path) -> Any:
    return read(path.read_text("utf-8"))


def differences(recording: Recording, ours: Shape) -> Iterator[str]:
    """What a recording has and we have not, or spell differently."""
    for path, theirs in recording.shape.items():
        name = f"{recording.key}.{path}"
        if path not in ours:
            # Of an object that is lacking, the fields are not counted as well.
            if path.rpartition(".")[0] in {"", *ours}:
                yield f"{name} lacking"
            continue
        wanted = theirs if recording.is_verbatim else loosely(theirs)
        sent = ours[path] if recording.is_verbatim else loosely(ours[path])
        # A text may look like anything.
        if wanted and sent - wanted and "text" not in wanted:
            yield f"{name} {'/'.join(sorted(sent - wanted))} for {'/'.join(sorted(wanted))}"


@dataclass(frozen=True)
class Comparison:
    """What recordings have and we have not, or otherwise; and what no recording has."""

    differences: set[str]
    unseen: set[str]


@pytest.fixture(scope="module")
def comparison(recorded: Path, answers: Answers) -> Comparison:
    differing: set[str] = set()
    theirs: set[str] = set()
    for recording in recordings(recorded):
        shape = shape_of_answers(answers[recording.operation], recording.key)
        differing.update(differences(recording, shape))
        theirs.update(fields_of(recording.key, recording.shape))
    ours = {
        field for given in answers.values() for response in given for field in fields_in(response)
    }
    return Comparison(differing, {f"{field} unseen" for field in ours - theirs})


def shape_of_answers(given: list[httpx.Response], key: str) -> Shape:
    return merged(shape_of(read(r.text).get(key, [])) for r in given if r.is_success)


def fields_in(response: httpx.Response) -> Iterator[str]:
    if response.is_success and "json" in response.headers["Content-Type"]:
        for key, records in read(response.text).items():
            if isinstance(records, list):
                yield from fields_of(key, shape_of(records))


def fields_of(key: str, shape: Shape) -> Iterator[str]:
    """The fields by the kind of object they are in, wherever that is: `Contact.Name`."""
    for path in shape:
        *_, parent, field = [key, *path.split(".")]
        yield f"{parent.removesuffix('s')}.{field}"


def spelled_out(pattern: str) -> Iterator[str]:
    """Every name that a pattern with braces stands for, as in a shell: `A{1,2}` is A1 and A2."""
    parts = re.split(r"\{(.*?)\}", pattern)
    choices = [part.split(",") if number % 2 else [part] for number, part in enumerate(parts)]
    return ("".join(each) for each in product(*choices))


EXPLAINED = [name for pattern in RECORDINGS for name in spelled_out(pattern)]


def test_every_difference_is_explained_once() -> None:
    assert [*spelled_out("{A,B.C}.D{1,2} lacking")] == [
        "A.D1 lacking",
        "A.D2 lacking",
        "B.C.D1 lacking",
        "B.C.D2 lacking",
    ]
    assert len(EXPLAINED) == len(set(EXPLAINED))


def test_every_recorded_field_is_sent_and_spelled_as_recorded(comparison: Comparison) -> None:
    assert sorted(comparison.differences - set(EXPLAINED)) == []


def test_every_field_that_is_sent_was_recorded(comparison: Comparison) -> None:
    assert sorted(comparison.unseen - set(EXPLAINED)) == []


def test_no_explanation_of_a_difference_is_stale(comparison: Comparison) -> None:
    assert sorted(set(EXPLAINED) - comparison.differences - comparison.unseen) == []
