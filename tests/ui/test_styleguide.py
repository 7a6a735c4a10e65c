"""The component library as people see it: Chromium, both themes and languages, wide and narrow (C-53, C-58)."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "app" / "static"
TEMPLATES = ROOT / "templates"
FIRST_VISIT = 120 * 1024
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOKS = [("light", "en", 1440), ("dark", "zh", 1440), ("light", "zh", 400), ("dark", "en", 400)]
REFUSED = (
    "window.refused = [];"
    "document.addEventListener('securitypolicyviolation',"
    " e => window.refused.push(e.violatedDirective + ' ' + e.sourceFile))"
)


def look(browser: Any, live_site: Any, theme: str, language: str, width: int) -> Any:
    """The style guide as one person sees it."""
    context = browser.new_context(viewport={"width": width, "height": 900})
    chosen = {"theme": theme, "locale": language}
    context.add_cookies([{"name": f"antstack-{k}", "value": v, "url": live_site.url} for k, v in chosen.items()])
    page = context.new_page()
    page.add_init_script(REFUSED)
    page.goto(f"{live_site.url}/styleguide")
    page.wait_for_selector(".xterm-rows")
    return page


@pytest.fixture
def guide(browser: Any, live_site: Any) -> Iterator[Any]:
    """The style guide in English on a wide screen."""
    page = look(browser, live_site, "light", "en", 1440)
    yield page
    page.context.close()


@pytest.mark.req("C-53", "C-58")
@pytest.mark.parametrize(("theme", "language", "width"), LOOKS)
def test_every_component_is_accessible_and_fits(
    browser: Any, live_site: Any, theme: str, language: str, width: int
) -> None:
    page = look(browser, live_site, theme, language, width)

    found = Axe().run(page, options={"runOnly": WCAG})

    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.context.close()


@pytest.mark.req("C-54", "C-58")
def test_no_component_asks_for_what_the_policy_refuses(guide: Any) -> None:
    guide.wait_for_timeout(300)

    assert guide.evaluate("window.refused") == []


@pytest.mark.req("C-58")
def test_every_component_is_shown() -> None:
    shown = "".join(path.read_text("utf-8") for path in (TEMPLATES / "core").glob("*styleguide*.html"))
    built_in = {"words", "icon", "pager", "palette"}  # drawn by the others and by the frame

    names = {path.stem for path in (TEMPLATES / "components").glob("*.html")} - built_in

    assert [name for name in sorted(names) if f"components/{name}.html" not in shown] == []


@pytest.mark.req("C-54", "C-58")
def test_no_template_carries_inline_style_or_script() -> None:
    forbidden = re.compile(
        r"\sstyle=|<style|<script(?![^>]*\ssrc=)|hx-on|hx-vals='js:|javascript:|(?:src|href|action|data-[a-z-]+)=[\"']https?://"
    )

    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in TEMPLATES.rglob("*.html")
        for match in forbidden.finditer(re.sub(r"\{#.*?#\}", "", path.read_text("utf-8"), flags=re.S))
    ]

    assert found == []


@pytest.mark.req("C-58")
def test_colours_are_named_in_the_tokens_alone() -> None:
    colour = re.compile(r"#[0-9a-f]{3,8}\b|\brgba?\(|\bhsla?\(", re.I)

    found = [
        f"{path.name}: {line.strip()}"
        for path in (STATIC / "css").glob("*.css")
        if path.name not in ("tokens.css", "print.css")
        for line in path.read_text("utf-8").splitlines()
        if colour.search(line)
    ]

    assert found == []


@pytest.mark.req("Q-8")
def test_a_first_visit_is_light() -> None:
    base = (TEMPLATES / "layouts" / "base.html").read_text("utf-8")
    names = set(re.findall(r"[\w/.-]+\.(?:css|js|svg)\b", base)) - {"icons/"}

    weight = sum(len(gzip.compress((STATIC / name).read_bytes(), 9)) for name in names)

    assert weight < FIRST_VISIT * 0.75, f"{weight / 1024:.1f} KB leave too little for the page itself"


@pytest.mark.req("C-51", "C-53")
def test_a_dialog_takes_the_focus_and_gives_it_back(guide: Any) -> None:
    opener = guide.locator("#overlays a").nth(1)
    opener.click()
    guide.wait_for_selector("#dialog[open]")
    assert guide.evaluate("document.activeElement.id") == "type-name"

    guide.keyboard.press("Escape")

    guide.wait_for_selector("#dialog", state="hidden")
    assert opener.evaluate("node => node === document.activeElement")


@pytest.mark.req("C-51")
def test_a_destructive_dialog_waits_for_the_name(guide: Any) -> None:
    guide.locator("#overlays a").nth(1).click()
    submit = guide.locator("#dialog [data-needs-name]")
    guide.wait_for_selector("#dialog[open]")
    assert submit.get_attribute("aria-disabled") == "true"

    guide.fill("#type-name", "acctrans")

    assert submit.get_attribute("aria-disabled") == "false"


@pytest.mark.req("C-53")
def test_a_list_is_used_by_keyboard_alone(guide: Any) -> None:
    for key in ("j", "j", "x"):
        guide.keyboard.press(key)

    assert guide.evaluate("document.activeElement.dataset.id") == "cashier-front"
    assert guide.locator(".bulk").is_visible()
    guide.keyboard.press("/")
    assert guide.evaluate("document.activeElement.id") == "sample-q"


@pytest.mark.req("C-50")
def test_searching_a_list_keeps_the_field_and_its_focus(guide: Any) -> None:
    with guide.expect_response("**/styleguide/list?*"):
        guide.fill("#sample-q", "gate")

    guide.wait_for_url("**q=gate*")
    assert guide.input_value("#sample-q") == "gate"
    assert guide.evaluate("document.activeElement.id") == "sample-q"


@pytest.mark.req("C-53")
def test_a_tree_is_walked_with_arrows(guide: Any) -> None:
    guide.focus("#tree-core")

    for key in ("ArrowDown", "ArrowLeft"):
        guide.keyboard.press(key)

    assert guide.evaluate("document.activeElement.id") == "tree-cashier"
    assert guide.get_attribute("#tree-cashier", "aria-expanded") == "false"


@pytest.mark.req("C-58")
def test_a_searchable_select_sends_what_was_chosen(guide: Any) -> None:
    guide.fill("#f-product", "risk")
    guide.keyboard.press("Enter")

    assert guide.evaluate("document.querySelector('[name=product]').value") == "risk"
    assert guide.input_value("#f-product") == "Risk control"


@pytest.mark.req("C-55")
def test_a_polled_list_changes_in_place_and_holds_new_rows_back(guide: Any) -> None:
    def later(route: Any) -> None:
        answer = route.fetch()
        body = answer.text().replace('data-id="settlement"', 'data-id="newcomer"')
        route.fulfill(response=answer, body=body.replace("core/acctrans:2.14.0", "core/acctrans:2.15.0"))

    guide.route("**/styleguide/list?page=3", later)

    guide.wait_for_selector("tr[data-id=acctrans] >> text=2.15.0", timeout=9000)
    assert guide.locator("tr[data-id=newcomer]").count() == 0
    assert "is-gone" in guide.get_attribute("tr[data-id=settlement]", "class")
    assert guide.locator("[data-new]").is_visible()
    assert guide.locator("#sample-q").is_visible()


@pytest.mark.req("Y-22", "C-58")
def test_things_are_put_in_another_order_and_back(guide: Any) -> None:
    box = guide.locator("[data-sequence]")
    items = box.locator("[data-sequence-item]")

    box.get_by_role("button", name="Move EDGE up").focus()
    guide.keyboard.press("Enter")

    assert items.evaluate_all("all => all.map(item => item.dataset.sequenceItem)") == ["2", "1", "3"]
    assert box.locator("input[name=sequenced]").input_value() == "1"
    assert guide.evaluate("document.activeElement.dataset.moveBy") == "-1"

    box.get_by_role("button", name="Restore the default order").click()

    assert items.evaluate_all("all => all.map(item => item.dataset.sequenceItem)") == ["1", "2", "3"]
    assert box.locator("input[name=sequenced]").input_value() == ""


@pytest.mark.req("C-58")
def test_a_form_counts_what_is_chosen_and_shows_what_matters(guide: Any) -> None:
    assert guide.locator("[data-tally]").inner_text() == "2"
    assert not guide.locator("#f-days").is_visible()

    guide.locator("[name=ordered]").last.check()
    guide.locator("#f-repeat").select_option("days")

    assert guide.locator("[data-tally]").inner_text() == "3"
    assert guide.locator("#f-days").is_visible()
