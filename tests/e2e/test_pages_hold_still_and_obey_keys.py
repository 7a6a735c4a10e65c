"""Pages that people watch hold still while they load and refresh (Q-8), and the keyboard alone suffices (C-53)."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from playwright.sync_api import expect

from tests.e2e.places import Program, shop
from tests.live import LiveSite

SHIFTS = """window.shifted = []; new PerformanceObserver(list => list.getEntries().forEach(entry => {
  if (!entry.hadRecentInput)
    window.shifted.push([entry.value, entry.sources.map(s => s.node?.outerHTML?.slice(0, 100))]);
})).observe({type: "layout-shift", buffered: true});"""
MOST_SHIFT = 0.02
WATCHED_MS = 3500  # longer than the refresh of every page that is measured
RING = """() => { const style = getComputedStyle(document.activeElement);
  return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0; }"""


@pytest.fixture(scope="module")
def delivered(live_site: LiveSite) -> dict[str, str]:
    """A site where a product runs and its next release fails: the addresses ``order``, ``solution``, ``pods``,
    ``form``, ``zone``.
    """
    session = live_site.login(requests.Session(), "platform-administrator")
    program = Program(live_site, session)
    program.release(shop("1.0.0", "1.0.0"), "succeeded")
    order = program.release(shop("missing-2.0.0", "2.0.0"), "failed")
    program.call("POST", "/dns/zones", {"name": "keys.example"})
    cluster = live_site.site["clusters"][0]["id"]
    solution = program.call("GET", "/yunyou/solutions")["items"][0]["id"]
    return {
        "order": f"/yunyou/orders/{order['id']}",
        "solution": f"/yunyou/solutions/{solution}",
        "pods": f"/captain/clusters/{cluster}/pods",
        "form": f"/yunyou/solutions/{solution}/orders/new",
        "zone": "/dns/zones/keys.example",
    }


@pytest.fixture
def member(page: Any, live_site: LiveSite) -> Any:
    """The platform administrator at a page."""
    page.set_default_timeout(10_000)
    return live_site.login(page, "platform-administrator")


@pytest.mark.req("Q-8")
@pytest.mark.parametrize("width", [1440, 400])
@pytest.mark.parametrize("name", ["order", "pods", "solution"])
def test_a_watched_page_does_not_shift(
    member: Any, live_site: LiveSite, delivered: dict[str, str], name: str, width: int
) -> None:
    member.set_viewport_size({"width": width, "height": 900})
    member.add_init_script(SHIFTS)

    member.goto(live_site.url + delivered[name])
    member.wait_for_timeout(WATCHED_MS)

    shifts = member.evaluate("window.shifted")
    assert sum(value for value, _ in shifts) < MOST_SHIFT, shifts


@pytest.mark.req("C-55", "Q-8")
def test_a_refresh_leaves_the_page_where_it_was_scrolled_to(
    member: Any, live_site: LiveSite, delivered: dict[str, str]
) -> None:
    member.set_viewport_size({"width": 400, "height": 500})
    member.goto(live_site.url + delivered["order"])
    member.wait_for_load_state()

    member.get_by_role("treeitem", name="Shop").first.click()
    title = member.locator(".node-title")
    expect(title).to_have_text("Shop")
    expect(title).to_be_in_viewport()
    at = title.bounding_box()
    member.mouse.move(1, 1)
    for _ in range(2):
        with member.expect_response(lambda answer: "node=" in answer.url):
            pass
    member.wait_for_timeout(200)

    assert title.bounding_box() == at


@pytest.mark.req("C-55", "Y-31")
def test_a_refresh_takes_nothing_away_from_whoever_types_or_reads(
    member: Any, live_site: LiveSite, delivered: dict[str, str]
) -> None:
    member.goto(live_site.url + delivered["order"])
    member.wait_for_load_state()
    image = member.locator("input[name=image]").first
    image.fill("registry.example/shop/basket:2.0.1")
    member.evaluate("document.activeElement.blur()")
    member.wait_for_timeout(WATCHED_MS)
    expect(image).to_have_value("registry.example/shop/basket:2.0.1")

    image.fill("")
    branch = member.get_by_role("treeitem", name="Pre-tasks")
    branch.locator("[data-caret]").click()
    expect(branch).to_have_attribute("aria-expanded", "true")
    branch.focus()
    member.mouse.move(1, 1)
    with member.expect_response(lambda answer: "node=" in answer.url):
        pass
    expect(branch).to_have_attribute("aria-expanded", "true")
    expect(branch).to_be_focused()
    member.keyboard.press("Enter")
    expect(member.locator(".node-title")).to_have_text("Shop / Pre-tasks")
    expect(branch).to_have_attribute("aria-selected", "true")
    expect(branch).to_be_focused()
    member.go_back()
    expect(member.locator(".node-title")).to_have_text("Shop / Applications / basket")


@pytest.mark.req("C-51", "Y-25")
def test_every_group_that_waits_is_confirmed_by_one_button(
    member: Any, live_site: LiveSite, delivered: dict[str, str]
) -> None:
    program = Program(live_site, live_site.login(requests.Session(), "platform-administrator"))
    basket = shop("1.0.0", "1.0.0")["products"][0]["applications"][0]
    product = {
        "code": "TWIN",
        "name": "Twins",
        "version": "1",
        "applications": [{**basket, "name": name} for name in ("left", "right")],
    }
    order = program.release(
        {**shop("1", "1"), "name": "twins", "products": [product]}, "waiting", {"strategy": "two"}, beta=True
    )
    while sum(node["state"] == "waiting" and node["name"] == "confirm" for node in order["nodes"]) < 2:
        order = program.call("GET", f"/yunyou/orders/{order['id']}")

    member.goto(f"{live_site.url}/audit")
    expect(member.locator(".nav summary", has_text="Delivery").locator(".count")).to_have_text("1 waiting for you")
    member.goto(f"{live_site.url}/yunyou/orders/{order['id']}")
    member.get_by_role("button", name="Confirm all 2").click()

    expect(member.locator(".order-head .status").first).to_have_text("Succeeded", timeout=30_000)
    events = program.call("GET", f"/yunyou/orders/{order['id']}/events")["items"]
    assert sum(event["what"] == "confirm" for event in events) == 2


@pytest.mark.req("C-53")
def test_the_palette_leads_to_a_page_and_gives_the_focus_back(member: Any, live_site: LiveSite) -> None:
    member.goto(f"{live_site.url}/audit")
    member.wait_for_load_state()
    member.locator("[data-filter]").focus()

    member.keyboard.press("Control+k")
    expect(member.locator("#palette input")).to_be_focused()
    member.keyboard.press("Escape")
    expect(member.locator("[data-filter]")).to_be_focused()

    member.keyboard.press("Control+k")
    member.keyboard.type("service acc")
    expect(member.locator("#palette-list a").first).to_contain_text("Service accounts")
    member.keyboard.press("Enter")
    member.wait_for_url("**/iam/service-accounts")


@pytest.mark.req("C-50", "C-53")
def test_keys_walk_a_list_open_a_row_and_its_yaml_and_the_back_button_returns(
    member: Any, live_site: LiveSite, delivered: dict[str, str]
) -> None:
    member.goto(live_site.url + delivered["pods"])
    member.wait_for_load_state()
    rows = member.locator("tr[data-row]")

    for key in "jjk":
        member.keyboard.press(key)
    expect(rows.first).to_be_focused()
    member.keyboard.press("Enter")
    facts = member.locator(".header-facts")
    expect(facts).to_contain_text("Restarts")
    member.keyboard.press("y")
    expect(member.locator(".code .k").first).to_have_text("apiVersion")
    expect(facts).to_contain_text("Restarts")

    member.keyboard.press("?")
    expect(member.locator("#keys")).to_contain_text("YAML of what is shown")
    member.keyboard.press("Escape")
    expect(member.locator("#keys")).not_to_be_visible()
    member.go_back()
    member.go_back()
    expect(rows.first).to_be_visible()


@pytest.mark.req("C-55")
def test_a_lost_connection_is_said_and_an_order_goes_on_when_it_is_back(
    member: Any, live_site: LiveSite, delivered: dict[str, str]
) -> None:
    member.goto(live_site.url + delivered["order"])
    member.wait_for_load_state()

    member.context.set_offline(True)
    expect(member.locator(".toasts")).to_contain_text("The server cannot be reached", timeout=10_000)
    expect(member.locator(".order-head")).to_contain_text("Failed")
    member.context.set_offline(False)
    expect(member.locator(".toasts")).to_contain_text("Connected again", timeout=30_000)


@pytest.mark.req("C-50", "C-51")
def test_lists_and_forms_work_without_script(browser: Any, live_site: LiveSite) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    page = live_site.login(context.new_page(), "platform-administrator")
    page.set_default_timeout(10_000)

    page.goto(f"{live_site.url}/iam/groups/new")
    page.get_by_role("button", name="Create the group").click()
    expect(page.get_by_role("alert")).to_contain_text("required")
    page.get_by_label("Name").fill("Plain people")
    page.get_by_role("button", name="Create the group").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Plain people")
    page.goto(f"{live_site.url}/iam/groups")
    page.get_by_role("searchbox").first.fill("plain")
    page.get_by_role("searchbox").first.press("Enter")
    expect(page.locator(".list-count")).to_have_text("1 result")
    page.get_by_role("button", name="Columns").click()
    page.get_by_label("Description").uncheck()
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("thead")).not_to_contain_text("Description")
    assert "q=plain" in page.url
    page.get_by_role("link", name="Plain people").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Plain people")
    context.close()


@pytest.mark.req("C-53")
def test_a_dialog_asks_is_left_with_escape_and_is_answered(
    member: Any, live_site: LiveSite, delivered: dict[str, str]
) -> None:
    member.goto(live_site.url + delivered["zone"])
    member.wait_for_load_state()
    opener = member.locator(".page-actions a", has_text="Delete")
    opener.focus()

    member.keyboard.press("Enter")
    expect(member.locator("#type-name")).to_be_focused()
    member.keyboard.press("Escape")
    expect(member.locator("#dialog")).not_to_be_visible()
    expect(opener).to_be_focused()

    member.keyboard.press("Enter")
    expect(member.locator("#type-name")).to_be_focused()
    member.keyboard.type("keys.example")
    for _ in range(2):
        member.keyboard.press("Tab")
    expect(member.get_by_role("button", name="Delete the zone")).to_be_focused()
    assert member.evaluate(RING)
    member.keyboard.press("Enter")
    member.wait_for_url("**/dns/zones")
    expect(member.locator("main")).not_to_contain_text("keys.example", timeout=10_000)


@pytest.mark.req("C-53", "Y-21")
def test_an_order_is_composed_and_previewed_without_a_mouse(
    member: Any, live_site: LiveSite, delivered: dict[str, str]
) -> None:
    member.goto(live_site.url + delivered["form"])
    member.wait_for_load_state()
    grouping = member.locator("select[name^=grouping]").first
    shares = member.locator("input[name^=shares]").first
    expect(shares).not_to_be_visible()
    member.locator("input[name=force]").first.focus()
    member.keyboard.press("Space")

    member.keyboard.press("Tab")
    expect(grouping).to_be_focused()
    assert member.evaluate(RING)
    member.keyboard.type("Custom")
    expect(shares).to_be_visible()
    member.keyboard.press("Tab")
    expect(shares).to_be_focused()
    member.keyboard.type("60 50")
    expect(member.locator(".shares-own .help").first).to_contain_text("less than")
    member.keyboard.press("Control+a")
    member.keyboard.type("50 50")
    expect(member.locator(".shares-own .help").first).to_contain_text("2 groups: 1 + 1")
    member.keyboard.press("Enter")

    expect(member.get_by_role("heading", level=1)).to_have_text("Preview")
    expect(member.locator(".fold").first).to_contain_text("groups of 1 + 1")
    member.keyboard.press("/")
    member.keyboard.type("nothing like it")
    expect(member.locator(".fold:visible")).to_have_count(0)
