"""Reports are laid out and worded like those that were recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.conformance.conftest import Answers
from tests.sandbox.conformance.explained import REPORTS
from tests.sandbox.conformance.shapes import texts_of
from tests.sandbox.conformance.test_recordings import Recording, recordings

pytestmark = pytest.mark.real_payloads

Words = dict[str, set[str]]


def words_of(reports: list[Any]) -> set[str]:
    return {text for report in reports if "Rows" in report for text in texts_of(report)}


@pytest.fixture(scope="module")
def recorded_reports(recorded: Path) -> list[Recording]:
    return [each for each in recordings(recorded) if each.key == "Reports"]


@pytest.fixture(scope="module")
def unheard(recorded_reports: list[Recording], answers: Answers) -> Words:
    """Operation to what only we say, and what only recordings say (`-`)."""
    theirs: Words = {}
    for recording in recorded_reports:
        theirs.setdefault(recording.operation, set()).update(words_of(recording.body["Reports"]))
    found: Words = {}
    for operation, said in theirs.items():
        given = [response.json()["Reports"] for response in answers[operation]]
        ours = set().union(*(words_of(reports) for reports in given))
        found[operation] = {f"+ {each}" for each in ours - said} | {
            f"- {each}" for each in said - ours
        }
    return found


def test_reports_say_what_recordings_say(unheard: Words) -> None:
    unexplained = {
        f"{operation} {text}" for operation, texts in unheard.items() for text in texts
    } - set(REPORTS)
    assert sorted(unexplained) == []


def test_no_explanation_of_a_report_is_stale(unheard: Words) -> None:
    found = {f"{operation} {text}" for operation, texts in unheard.items() for text in texts}
    assert set(REPORTS) - found == set()


def test_the_executive_summary_has_the_recorded_rows(
    recorded_reports: list[Recording], answers: Answers
) -> None:
    name = "getReportExecutiveSummary"
    [ours] = answers[name][0].json()["Reports"]
    theirs = [each.body["Reports"][0] for each in recorded_reports if each.operation == name]
    assert rows_of(ours) in [rows_of(each) for each in theirs]


def rows_of(report: Any) -> list[tuple[str, list[str]]]:
    return [
        (section["Title"], [row["Cells"][0]["Value"] for row in section["Rows"]])
        for section in report["Rows"]
        if section["RowType"] == "Section"
    ]
