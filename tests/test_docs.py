"""The words agree with the code: links, commands, variables, marts, errors, versions."""

from __future__ import annotations

import csv
import inspect
import re
import tomllib
from pathlib import Path

import pytest

from airflow_xero import errors

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])
DECISIONS = REPOSITORY / "docs" / "decisions"

every_page = pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY))
)


def words(name: str) -> str:
    """The text of a file of the repository."""
    return (REPOSITORY / name).read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings get."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


@every_page
def test_every_link_between_pages_leads_somewhere(page: Path):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    assert dead == []


@every_page
def test_every_page_has_one_title(page: Path):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1


@every_page
def test_every_make_target_in_the_words_exists(page: Path):
    targets = set(re.findall(r"^([a-z-]+):", words("Makefile"), re.MULTILINE))
    named = set()
    for code in re.findall(r"`([^`\n]+)`|^(make [^#\n]+)", page.read_text("utf-8"), re.MULTILINE):
        command = (code[0] or code[1]).strip()
        if re.fullmatch(r"make( [a-z-]+)+", command):
            named |= set(command.split()[1:])
    assert named - targets == set()


def test_how_it_works_has_the_two_sequence_diagrams():
    assert words("docs/how-it-works.md").count("```mermaid\nsequenceDiagram") == 2


def test_every_decision_is_listed_and_has_its_three_parts():
    records = sorted(DECISIONS.glob("[0-9]*.md"))
    listed = re.findall(r"\]\((\d{4}-[a-z-]+\.md)\)", words("docs/decisions/README.md"))
    assert listed == [record.name for record in records]
    assert [record.name[:4] for record in records] == [
        f"{number:04}" for number in range(1, len(records) + 1)
    ]
    for record in records:
        text = record.read_text(encoding="utf-8")
        assert "\n## Decision\n" in text, record.name
        assert "\n## Consequences\n" in text, record.name


def test_operate_has_a_symptom_for_every_error():
    leaves = {
        name
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.XeroError) and not kind.__subclasses__()
    }
    text = words("docs/operate.md")
    assert {name for name in leaves if f"`{name}`" not in text} == set()


def test_marts_page_has_every_mart():
    built = {file.stem for file in (REPOSITORY / "dbt" / "models" / "marts").rglob("*.sql")}
    assert built
    listed = re.findall(r"^\| `([a-z_]+)` \|", words("docs/marts.md"), re.MULTILINE)
    assert set(listed) == built


def test_marts_page_names_each_posting_rule_that_no_real_journal_proves():
    seed = words("dbt/seeds/posting_rules.csv")
    proofs = {row["rule"]: row["proof"] for row in csv.DictReader(seed.splitlines())}
    _, after = words("docs/marts.md").split("## What is proved, and what is not")
    section = after.split("\n## ")[0]
    row = r"^\| ([a-z' ]+) \| `([a-z_]+)` \| [^|]+ \| [^|]+ \|$"
    unproved = {rule: rests_on for rests_on, rule in re.findall(row, section, re.MULTILINE)}
    spelt = {"analogy": "analogy", "others_words": "others' words"}
    assert unproved == {
        rule: spelt[proof] for rule, proof in proofs.items() if proof != "real_journals"
    }
    (named,) = re.findall(r"real journals of Xero's: (.+?)\. ", section)
    assert set(re.findall(r"`([a-z_]+)`", named)) == set(proofs) - set(unproved)


def test_default_scopes_are_the_documented_ones():
    from airflow_xero.provider_info import DEFAULT_SCOPES

    block = re.search(r"```text\n(offline_access.*?)```", words("docs/connect-xero.md"), re.DOTALL)
    assert block is not None
    assert set(block.group(1).split()) == set(DEFAULT_SCOPES.split())


def test_changelog_knows_the_version():
    version = tomllib.loads(words("pyproject.toml"))["project"]["version"]
    assert f"## [{version}] - " in words("CHANGELOG.md")
    assert words("docker-compose.yaml").count(f"airflow-provider-xero:{version}") == 2


def test_every_module_of_the_library_stands_on_a_floor():
    table = words("CONTRIBUTING.md").split("| floor |")[1].split("`make check`")[0]
    library = REPOSITORY / "include" / "airflow_xero"
    modules = {
        str(file.relative_to(library).with_suffix(""))
        for file in library.rglob("*.py")
        if file.name != "__init__.py"
    }
    assert set(re.findall(r"`([a-z_/]+)`", table)) == modules
