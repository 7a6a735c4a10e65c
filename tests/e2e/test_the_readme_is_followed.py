"""The README's walks, word by word as they are written there: in a browser and with curl, at any moment of a demo."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import expect

from tests.components import missing
from tests.live import ROOT, LiveSite, free_port
from tests.readme import Step, blocks, steps

pytestmark = [pytest.mark.req("C-5", "Y-21", "Y-25", "Y-31"), pytest.mark.xdist_group("readme")]
PAGES, CURL = "Five minutes for a newcomer", "The same with curl"
PATIENCE = 60_000


@pytest.fixture(scope="module", params=["at once", "after the sample is delivered"])
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSite]:
    """A demo with its sample: just started, or with the sample's order ended."""
    site = LiveSite(tmp_path_factory.mktemp("readme") / "demo")
    try:
        order = the_samples_order(site, "waiting")
        if request.param != "at once":
            confirmed_to_its_end(site, order)
        yield site
    finally:
        site.end()


def asked(site: LiveSite, path: str, method: str = "GET") -> Any:
    """What the API says to the environment administrator's key."""
    key = site.site["accessKeys"][0]
    said = requests.post(
        f"{site.url}/oauth/token", {"grant_type": "client_credentials"}, auth=(key["id"], key["secret"]), timeout=30
    )
    bearer = {"Authorization": f"Bearer {said.json()['access_token']}"}
    answer = requests.request(method, f"{site.url}/api/v1/yunyou{path}", headers=bearer, timeout=30)
    assert answer.ok, answer.text
    return answer.json()


def the_samples_order(site: LiveSite, state: str) -> str:
    """The demo's own order, once it is in *state*."""
    limit = time.monotonic() + 120
    while True:
        found = asked(site, "/orders")["items"][0]
        if found["state"] == state:
            return str(found["id"])
        assert found["state"] in ("queued", "running", "waiting"), found
        assert time.monotonic() < limit, found
        time.sleep(0.5)


def confirmed_to_its_end(site: LiveSite, order: str) -> None:
    """Confirm whatever waits until the order succeeded."""
    limit = time.monotonic() + 180
    while (found := asked(site, f"/orders/{order}"))["state"] != "succeeded":
        assert time.monotonic() < limit, found["state"]
        for node in found["nodes"]:
            if node["kind"] == "step" and node["state"] == "waiting":
                asked(site, f"/orders/{order}/nodes/{node['id']}/confirm", "POST")
        time.sleep(0.5)


class Reader:
    """Somebody at a browser who reads a step and does what it says."""

    def __init__(self, page: Any, site: LiveSite, step: Step) -> None:
        self.page, self.site, self.step = page, site, step

    def go(self) -> None:
        """Through the navigation: **Section › Page**, and a third word is what one presses there."""
        section, entry, *press = self.step.next().split(" › ")
        navigation = self.page.get_by_role("navigation").first
        link = navigation.get_by_role("link", name=re.compile(f"^{re.escape(entry)}\\b"))
        if not link.first.is_visible():
            navigation.get_by_text(section, exact=True).first.click()
        link.first.click()
        self.page.wait_for_load_state()
        for label in press:
            self._pressed(label)

    def press(self, times: int = 1) -> str:
        """A button or link that the step names; one name may end in what differs."""
        label = self.step.next()
        for _ in range(times):
            self._pressed(label)
        return label

    def _pressed(self, label: str) -> None:
        name = re.compile("^" + re.escape(label))
        self.page.get_by_role("main").get_by_role("button", name=name).or_(
            self.page.get_by_role("main").get_by_role("link", name=name)
        ).first.click()
        self.page.wait_for_load_state()

    def sign_in(self, login: str) -> None:
        self.page.get_by_label("Login name").fill(login)
        self.page.locator("input[name=password]").fill(self.site.account(login)["password"])
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_load_state()


def test_a_newcomer_follows_the_walk(demo: LiveSite, page: Any) -> None:
    page.set_default_timeout(15_000)
    expect.set_options(timeout=15_000)
    walk = [_sign_in, _import, _confirm, _preview, _release, _break_and_mend, _roll_back, _look_around]
    written = steps(PAGES)
    assert len(written) == len(walk)
    for follow, step in zip(walk, written, strict=True):
        follow(Reader(page, demo, step))
        step.done()


def _sign_in(reader: Reader) -> None:
    assert reader.step.next() == "make demo"
    reader.page.goto(reader.site.url)
    reader.sign_in(reader.step.next())


def _import(reader: Reader) -> None:
    reader.go()
    reader.page.set_input_files("input[type=file]", ROOT / reader.step.next())
    reader.press()


def _confirm(reader: Reader) -> None:
    first, heading = reader.step.next(), reader.step.next()
    expect(reader.page.get_by_role("heading", name=heading)).to_be_visible()
    reader._pressed(first)
    label = reader.step.words[0]
    while reader.page.get_by_role("button", name=label).count():
        reader._pressed(label)
    reader.step.next()
    expect(reader.page.get_by_role("link", name="Release…")).to_be_visible()


def _preview(reader: Reader) -> None:
    reader.press()
    reader.page.get_by_role("radio", name=reader.step.next(), exact=True).check()
    reader.page.get_by_label(reader.step.next()).check()
    reader.press()


def _release(reader: Reader) -> None:
    reader.press()
    label, end = reader.step.next(), reader.step.next()
    state, confirmed = reader.page.locator(".order-head .status").first, 0
    limit = time.monotonic() + 120
    while state.inner_text() != end:
        assert time.monotonic() < limit, state.inner_text()
        button = reader.page.get_by_role("main").get_by_role("button", name=re.compile(f"^{label}")).first
        if state.inner_text() == "Waiting for you" and button.is_visible():
            assert reader.page.locator(".pods a.pod").count(), "there are no new pods to look at"
            button.click()
            reader.page.wait_for_load_state()
            confirmed += 1
        reader.page.wait_for_timeout(200)
    assert confirmed, "the order never waited"


def _break_and_mend(reader: Reader) -> None:
    reader.go()
    reader.press()
    reader.press()
    image, application = reader.step.next(), reader.step.next()
    field = reader.page.get_by_label(f"Image of {application}")
    field.fill(image)
    row = reader.page.locator("form", has=field)
    row.get_by_role("button", name=reader.step.next()).click()
    reader.page.wait_for_load_state()
    for _ in ("Confirm all", "Accept as it is", "Release…", "Preview", "Release 1 application"):
        reader.press()
    mended = reader.step.next()
    field = reader.page.get_by_label(f"Corrected image of {application}")
    expect(field).to_be_visible(timeout=PATIENCE)
    expect(reader.page.locator("#order-live")).to_contain_text("IMAGE")
    field.fill(mended)
    reader.press()
    reader.press()
    _ended(reader)


def _roll_back(reader: Reader) -> None:
    reader.go()
    reader.page.get_by_role("main").locator("tr", has_text=reader.step.next()).get_by_role("link").first.click()
    reader.press()
    expect(reader.page.locator("#rollback")).to_contain_text("examplevotingapp_vote:after")
    reader.press()
    _ended(reader)


def _ended(reader: Reader) -> None:
    expect(reader.page.locator(".order-head .status").first).to_have_text(reader.step.next(), timeout=PATIENCE)


def _look_around(reader: Reader) -> None:
    page = reader.page
    page.keyboard.press(reader.step.next())
    expect(page.locator("#palette input")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()
    page.keyboard.press(reader.step.next())
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator(".bar-user").click()
    page.get_by_role("button", name=reader.step.next()).click()
    page.wait_for_url("**/signed-out*")
    page.goto(reader.site.url)
    reader.sign_in(reader.step.next())
    page.locator("section", has_text=reader.step.next()).get_by_role("button", name=reader.step.next()).click()
    page.wait_for_url(lambda address: "/choose" not in address)
    reader.go()
    expect(page.get_by_role("main")).to_contain_text("voting-app")


@pytest.mark.parametrize("run", ["after the walk", "and again"])
def test_the_block_of_curl_delivers(demo: LiveSite, run: str) -> None:
    for program in ("curl", "jq"):
        if shutil.which(program) is None:
            missing(program, f"install the package {program}")
    (script,) = blocks(CURL, "sh")
    here = script.replace("http://127.0.0.1:8080", demo.url).replace("demo/site.json", str(demo.folder / "site.json"))

    ran = subprocess.run(["bash", "-c", here], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)

    assert ran.stderr == ""
    assert ran.stdout.split()[-1] == "succeeded", ran.stdout
    assert "null" not in ran.stdout


def test_a_demo_is_started_again_while_it_still_ends(tmp_path: Path) -> None:
    first = LiveSite(tmp_path / "demo", "--empty")
    command = [sys.executable, "-m", "app.cli", "demo", "--port", str(free_port()), "--dir", str(tmp_path / "demo")]
    refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    first.process.terminate()
    while (tmp_path / "demo" / "lock").read_text() != "ending":
        assert first.process.poll() is None

    again = LiveSite(tmp_path / "demo", "--empty")
    again.end()

    assert first.process.wait(15) == 0
    assert refused.returncode == 3
    assert "another demo runs" in refused.stderr
    assert again.site["accounts"] == first.site["accounts"]


def test_a_demo_tells_its_accounts_and_one_address_at_each_start(tmp_path: Path) -> None:
    said = []
    for _ in ("first", "second"):
        site = LiveSite(tmp_path / "demo", "--empty")
        site.end()
        said.append(site.said)
        told = {tuple(line.split()[:2]) for line in site.said.splitlines()}
        assert {(account["login"], account["password"]) for account in site.site["accounts"]} <= told
        assert re.findall(r"https?://\S+", site.said) == [site.url]

    assert said[0].splitlines()[:-1] == said[1].splitlines()[:-1]
