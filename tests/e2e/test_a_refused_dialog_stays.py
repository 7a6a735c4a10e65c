"""A dialog that is refused stays with what was typed in it and says why, in a browser (C-51, C-53)."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.live import LiveSite


@pytest.fixture
def member(page: Any, live_site: LiveSite) -> Any:
    """The platform administrator at a page."""
    page.set_default_timeout(10_000)
    return live_site.login(page, "platform-administrator")


def zone_dialog(member: Any, live_site: LiveSite, name: str) -> Any:
    """The dialog that makes a zone, with its name typed."""
    member.goto(f"{live_site.url}/dns/zones")
    member.get_by_role("link", name="Create a zone").first.click()
    member.locator("#dialog #f-name").fill(name)
    return member.locator("#dialog")


@pytest.mark.req("C-51")
def test_a_control_character_is_told_in_the_dialog_that_stays(member: Any, live_site: LiveSite) -> None:
    dialog = zone_dialog(member, live_site, "err \x1b[31mred")

    dialog.get_by_role("button", name="Create the zone").click()

    expect(dialog.locator("#f-name-error")).to_contain_text("cannot be shown")
    expect(dialog.locator("#f-name")).to_have_value("err \N{REPLACEMENT CHARACTER}[31mred")


@pytest.mark.req("C-51", "C-57")
def test_a_zone_that_exists_is_told_in_the_dialog_that_stays(member: Any, live_site: LiveSite) -> None:
    zone_dialog(member, live_site, "twice.example").get_by_role("button", name="Create the zone").click()
    member.wait_for_url("**/dns/zones/twice.example")
    dialog = zone_dialog(member, live_site, "twice.example")

    dialog.get_by_role("button", name="Create the zone").click()

    expect(dialog.get_by_role("alert")).to_contain_text("twice.example")
    expect(dialog.locator("#f-name")).to_have_value("twice.example")
    expect(member.locator(".toasts")).not_to_contain_text("error (409)")


@pytest.mark.req("C-51", "C-57")
def test_whoever_was_signed_out_signs_in_beside_the_dialog_and_sends_it(member: Any, live_site: LiveSite) -> None:
    dialog = zone_dialog(member, live_site, "later.example")
    send = dialog.get_by_role("button", name="Create the zone")
    member.context.clear_cookies()

    send.click()
    expect(dialog.get_by_role("alert")).to_contain_text("not signed in")
    expect(dialog.locator("#f-name")).to_have_value("later.example")
    with member.context.expect_page() as opened:
        dialog.get_by_role("link", name="Sign in in a new tab").click()
    live_site.login(opened.value, "platform-administrator")

    send.click()
    expect(member.locator(".toasts")).to_contain_text("once more")
    send.click()
    member.wait_for_url("**/dns/zones/later.example")


@pytest.mark.req("C-53")
@pytest.mark.parametrize("page_of", ["members", "service-accounts"])
def test_a_dialog_of_a_row_menu_has_the_focus(member: Any, live_site: LiveSite, page_of: str) -> None:
    member.goto(f"{live_site.url}/iam/{page_of}")
    member.locator("tr[data-row] .row-more").first.focus()

    member.keyboard.press("Enter")
    item = member.get_by_role("link", name="Grant a role")
    expect(item).to_be_visible()
    item.focus()
    member.keyboard.press("Enter")

    expect(member.locator("#dialog :focus")).to_have_count(1)
