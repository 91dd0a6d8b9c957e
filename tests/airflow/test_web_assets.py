"""The page's script and style: served as they are, and kept by browsers while they are so."""

from pathlib import Path
from shutil import copytree

import pytest

from airflow_xero import web
from airflow_xero.web import assets
from tests.airflow.public_desk import visit_public

STATIC = Path(str(web.__file__)).parent / "static"

pytestmark = pytest.mark.filterwarnings("ignore:Using `httpx`")


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("page.js", "text/javascript"),
        ("notice.css", "text/css"),
        ("invitation.js", "text/javascript"),
        ("icon.svg", "image/svg+xml"),
    ],
)
def test_static_files_have_their_type_and_are_asked_for_once(name, media_type):
    first = visit_public(f"/xero/static/{name}", home=lambda _: "/")
    same = {"If-None-Match": first.headers["etag"]}
    again = visit_public(f"/xero/static/{name}", home=lambda _: "/", headers=same)

    assert first.headers["content-type"].split(";")[0] == media_type
    assert first.content
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "name",
    ["missing.js", "..%2Fpublic.py", "%2e%2e%2fpublic.py", "%2e%2e", ".js", "%00.js", "a\\b.js"],
)
def test_nothing_but_the_static_files_is_served(name):
    assert visit_public(f"/xero/static/{name}", home=lambda _: "/").status_code == 404


def test_the_script_of_airflows_page_is_served_in_airflow_alone():
    assert visit_public("/xero/static/page.js").status_code == 404


def test_our_own_files_are_light():
    assert sum(file.stat().st_size for file in STATIC.iterdir()) < 300_000


@pytest.mark.parametrize("name", ["page.js", "icon.svg"])
def test_a_file_may_be_kept_by_the_address_that_names_its_version(name):
    kept = visit_public(f"/xero/static/{assets.version()}/{name}", home=lambda _: "/")
    old = visit_public(f"/xero/static/{'0' * 16}/{name}", home=lambda _: "/")

    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert old.headers["cache-control"] == "no-cache"
    assert kept.content == old.content != b""


def test_the_version_is_another_one_once_a_file_changed(tmp_path, monkeypatch):
    copied = copytree(STATIC, tmp_path / "static")
    monkeypatch.setattr(assets, "_STATIC", copied)
    before = assets.version()
    (copied / "words.js").write_text("// anew")

    assert assets.version() != before
    assert assets.bundle_url() == f"xero/static/{assets.version()}/page.js"
