"""A newcomer's whole day in a browser: sign in, import, plan, preview, release, mend a mistake, roll back, read the
audit.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

# One after the other on one site: what is found in the audit is what the first one did.
pytestmark = [pytest.mark.req("C-10", "C-12", "C-51", "Y-21", "Y-25", "Y-31"), pytest.mark.xdist_group("newcomer")]
ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "plugins" / "yunyou" / "samples" / "voting-app.json"
PATIENCE = 30_000


@pytest.fixture
def console(page: Any, live_site: Any) -> Any:
    """The console, the environment administrator signed in."""
    page.set_default_timeout(10_000)
    expect.set_options(timeout=10_000)
    return live_site.login(page, "yunyou-environment-administrator")


def shop(tag: str, version: str) -> bytes:
    """A solution of one StatefulSet."""
    cart = {"name": "cart", "image": f"registry.example/shop/cart:{tag}", "workload": "StatefulSet", "replicas": 4}
    product = {"code": "SHOP", "name": "Shop", "version": version, "applications": [cart]}
    return json.dumps(
        {"schema": "antstack.solution/v1", "name": "shop", "version": version, "products": [product]}
    ).encode()


def imported(page: Any, site: Any, name: str, content: bytes) -> str:
    """Import a file by the form; the address of the solution."""
    page.goto(f"{site.url}/yunyou/solutions/new")
    page.set_input_files("input[type=file]", {"name": name, "mimeType": "application/json", "buffer": content})
    page.get_by_role("button", name="Import and unpack").click()
    page.wait_for_url(re.compile(r"/yunyou/solutions/[0-9a-z]{26}"))
    return str(page.url.split("?")[0].partition("/plan/")[0])


def plan_confirmed(page: Any, solution: str) -> None:
    """Confirm every pre-deployment task by its page's button."""
    for kind in ("parameters", "images", "load-balancers", "databases", "storage", "applications"):
        page.goto(f"{solution}/plan/{kind}")
        accept = page.get_by_role("button", name="Accept as it is")
        while kind == "images" and accept.count():
            accept.first.click()
            page.wait_for_load_state()
            page.goto(f"{solution}/plan/{kind}")
        button = page.get_by_role("button", name="Confirm all")
        if button.count() and not page.locator(".plan-bar").get_by_text("Done").count():
            button.click()
            page.wait_for_load_state()
    page.goto(solution)


def released(page: Any, beta: bool) -> None:
    """From the solution's page to a new order, by way of the preview."""
    page.get_by_role("link", name="Release…").click()
    page.get_by_role("radio", name="Two groups", exact=True).check()
    page.locator("input[name=beta]").set_checked(beta)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Preview")
    page.get_by_role("button", name=re.compile("^Release ")).click()
    page.wait_for_url("**/orders/*")


def state(page: Any) -> Any:
    """The order's own state."""
    return page.locator(".order-head .status").first


def test_a_newcomer_delivers_mends_and_rolls_back(console: Any, live_site: Any) -> None:
    page = console

    voting = imported(page, live_site, "voting-app.json", SAMPLE.read_bytes())
    page.goto(voting)
    expect(page.locator("#solution-products")).to_contain_text("VOTE 1.0.0")

    first = imported(page, live_site, "shop.json", shop("1.0.0", "1.0.0"))
    plan_confirmed(page, first)
    expect(page.locator("#solution-products")).to_contain_text("first deployment")

    released(page, beta=True)
    expect(state(page)).to_have_text("Waiting for you", timeout=PATIENCE)
    expect(page.locator(".pods a.pod").first).to_be_visible()
    page.locator(".pods a.pod").first.click()
    expect(page.locator("#drawer")).to_contain_text("cart-")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Confirm SHOP/cart").first.click()
    expect(state(page)).to_have_text("Succeeded", timeout=PATIENCE)

    second = imported(page, live_site, "shop-2.json", shop("missing-2.0.0", "2.0.0"))
    plan_confirmed(page, second)
    expect(page.locator("#solution-products")).to_contain_text("1.0.0")
    released(page, beta=False)
    expect(page.get_by_role("button", name="Correct the image")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#order-live")).to_contain_text("cart")
    expect(page.locator("#order-live")).to_contain_text("IMAGE")
    order = page.url
    page.get_by_label("Corrected image of SHOP/cart").fill("registry.example/shop/cart:2.0.0")
    page.get_by_role("button", name="Correct the image").click()
    page.wait_for_load_state()
    page.goto(order)
    page.get_by_role("button", name="Retry").first.click()
    expect(state(page)).to_have_text("Succeeded", timeout=PATIENCE)

    page.goto(f"{live_site.url}/yunyou/products")
    page.get_by_role("link", name=re.compile("SHOP|Shop")).first.click()
    expect(page.locator(".page-facts")).to_contain_text("2.0.0")
    page.get_by_role("link", name="Roll back…").click()
    expect(page.locator("#rollback")).to_contain_text("shop/cart:1.0.0")
    page.locator("#rollback").get_by_role("button", name="Roll back").click()
    page.wait_for_url("**/orders/*")
    expect(state(page)).to_have_text("Succeeded", timeout=PATIENCE)
    page.goto(f"{live_site.url}/yunyou/products")
    expect(page.locator("tr", has_text="SHOP")).to_contain_text("1.0.0")


def test_what_was_done_is_found_in_the_audit(page: Any, live_site: Any) -> None:
    live_site.login(page, "platform-administrator")

    page.goto(f"{live_site.url}/audit")

    rows = page.locator("table tbody")
    for words in ("order", "solution"):
        expect(rows).to_contain_text(re.compile(words, re.I))


def test_language_theme_palette_and_tenant_are_at_hand_and_signing_out_ends_it(console: Any, live_site: Any) -> None:
    page = console
    page.goto(f"{live_site.url}/yunyou/solutions")

    page.locator(".btn-lang").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("[\u4e00-\u9fff]"))
    page.locator(".btn-lang").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.wait_for_load_state()  # the keys work once the page's script runs

    page.get_by_role("button", name="Appearance").click()
    with page.expect_navigation():  # the page comes anew, and with it the keys
        page.locator("#look").get_by_text("Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.keyboard.press("Escape")

    page.keyboard.press("Control+k")
    page.locator("#palette input").fill("orders")
    expect(page.locator("#palette-list a").first).to_contain_text("orders")
    page.keyboard.press("Enter")
    page.wait_for_url("**/orders*")

    page.locator(".bar-scope").click()
    expect(page.locator("#dialog h2").first).to_have_text("Switch tenant or workspace")
    expect(page.locator("#dialog h1")).to_have_count(0)
    page.keyboard.press("Escape")

    page.locator(".bar-user").click()
    expect(page.get_by_role("link", name="Request a role")).to_have_count(0)
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/signed-out*")
    page.goto(f"{live_site.url}/yunyou/solutions")
    assert "/login" in page.url
