"""Signing in on a running site, with requests and in Chromium (C-10, I-12)."""

from __future__ import annotations

import re

import pytest
import requests

from tests import factories
from tests.live import TOKEN
from tests.workbooks import xlsx

pytestmark = [pytest.mark.req("C-10", "I-12", "I-10"), pytest.mark.xdist_group("live")]


def test_every_account_of_the_demo_signs_in(live_site):
    for account in live_site.site["accounts"]:
        with requests.Session() as session:
            live_site.login(session, account)

            assert session.get(f"{live_site.url}/", timeout=20).status_code == 200, account["login"]


def test_signing_out_ends_the_session_at_the_provider_too(live_site):
    with requests.Session() as session:
        live_site.login(session, "tenant-administrator")
        answer = session.post(f"{live_site.url}/logout", timeout=20)

        assert answer.url == f"{live_site.url}/signed-out"
        again = session.get(f"{live_site.url}/", timeout=20)
        assert "/iam/login" in again.url


def test_an_access_key_of_the_demo_gets_a_token(live_site):
    key = live_site.site["accessKeys"][0]
    answer = requests.post(
        f"{live_site.url}/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=(key["id"], key["secret"]),
        timeout=20,
    )

    assert answer.status_code == 200
    assert answer.json()["expires_in"] == 3600
    assert answer.json()["token_type"] == "Bearer"


def test_a_person_signs_in_and_out_in_chromium(live_site, page):
    live_site.login(page, "tenant-administrator")
    page.wait_for_url(re.compile(f"^{live_site.url}/"))

    page.locator("[popovertarget=user-menu]").click()
    page.locator("#user-menu form [type=submit]").click()
    page.wait_for_url(f"{live_site.url}/signed-out")
    page.goto(live_site.url)

    assert "/iam/login" in page.url


@pytest.mark.req("I-20", "C-60")
@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_a_list_gives_as_csv_an_import_takes_back(live_site, language):
    with requests.Session() as session:
        session.headers["Accept-Language"] = language
        token = TOKEN.search(live_site.login(session, "tenant-administrator").get(f"{live_site.url}/account").text)[1]
        table = session.get(f"{live_site.url}/iam/members?format=csv", timeout=20).content

        taken = session.post(
            f"{live_site.url}/api/v1/iam/members/import?dryRun=true",
            data=table,
            headers={"Content-Type": "text/csv", "X-CSRF-Token": token},
            timeout=20,
        )

    assert (taken.status_code, taken.json()["created"]) == (200, 0), taken.text
    assert taken.json()["unchanged"] + taken.json()["refused"] == len(table.decode("utf-8-sig").splitlines()) - 1


@pytest.mark.req("I-20")
def test_a_file_is_checked_confirmed_and_its_passwords_are_downloaded_in_chromium(live_site, page, tmp_path):
    file, name = tmp_path / "people.xlsx", f"{factories.unique('live')}@example.test"
    file.write_bytes(xlsx([["Login name", "Name"], [name, "Live"], ["no address", "Nobody"]]))
    live_site.login(page, "tenant-administrator")
    page.goto(f"{live_site.url}/iam/members/import")

    page.set_input_files("[name=file]", file)
    page.locator("#import-form [type=submit]").click()
    page.locator("[name=seen]").click()
    with page.expect_download() as download:
        page.locator("a[download]").click()

    listed = download.value.path().read_text("utf-8-sig").splitlines()
    assert [line.partition(",")[0] for line in listed[1:]] == [name]
    page.goto(f"{live_site.url}/iam/members?q={name}")
    assert page.get_by_text(name).count() == 1
