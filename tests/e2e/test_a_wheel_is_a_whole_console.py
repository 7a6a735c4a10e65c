"""A wheel of this repository is the whole console: installed without the repository, it runs a demo (C-5)."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.query
import pytest
import requests

from tests.live import LiveSite

ROOT = Path(__file__).parents[2]
PARTS = ("app", "plugins", "sandbox", "templates", "migrations")
ALONGSIDE = ("pyproject.toml", "README.md", "LICENSE")
IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc")
pytestmark = pytest.mark.xdist_group("wheel")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, since setuptools leaves a folder behind."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in PARTS:
        shutil.copytree(ROOT / name, folder / "source" / name, ignore=IGNORED)
    for name in ALONGSIDE:
        shutil.copy(ROOT / name, folder / "source" / name)
    build = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(folder / "source")]
    subprocess.run([sys.executable, *build], check=True, capture_output=True, timeout=240)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel; what it depends on is found in this one, whose link to the repository is
    not followed.
    """
    folder = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    install = ["-m", "pip", "--python", str(folder / "bin" / "python"), "install", "--quiet", "--no-deps", str(wheel)]
    subprocess.run([sys.executable, *install], check=True, capture_output=True, timeout=120)
    packages = next(folder.glob("lib/python*/site-packages"))
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


@pytest.fixture(scope="module")
def site(installed: Path) -> Iterator[LiveSite]:
    """A demo of what the wheel installed."""
    running = LiveSite(installed.parent / "site", "--empty", program=str(installed / "bin" / "antstack"))
    yield running
    running.end()


@pytest.mark.req("C-5")
def test_it_holds_every_file_of_the_console(wheel: Path) -> None:
    wanted = {
        file.relative_to(ROOT).as_posix()
        for part in PARTS
        for file in (ROOT / part).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }

    assert sorted(wanted - set(zipfile.ZipFile(wheel).namelist())) == []


@pytest.mark.req("C-5")
def test_a_demo_of_it_is_ready_asks_to_sign_in_and_has_its_looks(site: LiveSite, installed: Path) -> None:
    where = [
        str(installed / "bin" / "python"),
        "-c",
        "import app, plugins, sandbox; print(app.__file__, plugins.__file__, sandbox.__file__)",
    ]
    found = subprocess.run(where, cwd=installed, capture_output=True, text=True, check=True).stdout.split()

    ready = requests.get(f"{site.url}/readyz", timeout=30)
    page = requests.get(f"{site.url}/login", timeout=30)
    styles = re.findall(r'href="(/static/[^"]+\.css)"', page.text)
    answers = [requests.get(f"{site.url}{path}", timeout=30) for path in styles]

    assert all(path.startswith(str(installed)) for path in found)
    assert (ready.status_code, page.status_code) == (200, 200)
    assert 'name="password"' in page.text
    assert styles
    assert {(answer.status_code, answer.headers["Content-Type"].partition(";")[0]) for answer in answers} == {
        (200, "text/css")
    }


@pytest.mark.req("C-5")
def test_the_account_that_it_printed_signs_in(site: LiveSite) -> None:
    person = site.login(requests.Session(), "platform-administrator")

    assert person.get(f"{site.url}/iam/members", timeout=30).status_code == 200


@pytest.mark.req("C-5", "D-4")
def test_its_name_server_answers_where_the_site_says(site: LiveSite) -> None:
    query = dns.message.make_query("example.test", "SOA")

    answer = dns.query.udp(query, site.site["dns"]["host"], port=site.site["dns"]["port"], timeout=10)

    assert [str(found.name) for found in answer.answer] == ["example.test."]
