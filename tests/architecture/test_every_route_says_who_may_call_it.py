"""Walks over the routes, operations, hooks and subsets of plugins of the whole site."""

from __future__ import annotations

import itertools

import pytest
from flask import Flask

from app import site
from app.application import StartError, check_routes, create_app
from app.catalogue import PluginError
from app.config import PLUGINS, load_settings
from app.guard import public
from app.web import openapi
from app.web.lifecycle import WRITES

SUBSETS = [subset for size in range(1, len(PLUGINS) + 1) for subset in itertools.combinations(PLUGINS, size)]


@pytest.mark.req("C-20")
def test_every_route_names_a_permission_or_says_why_it_is_open(site: Flask) -> None:
    for rule in site.url_map.iter_rules():
        mark = getattr(site.view_functions[rule.endpoint], "guard", None)
        assert mark is not None, f"{rule.endpoint}: add @guard, or @public with a reason"
        assert mark.permission or mark.reason, rule.endpoint


@pytest.mark.req("C-30")
def test_every_route_that_changes_something_is_recorded_or_says_why_not(site: Flask) -> None:
    for rule in site.url_map.iter_rules():
        if not (rule.methods or set()) & WRITES:
            continue
        mark = site.view_functions[rule.endpoint].guard  # type: ignore[attr-defined]
        assert mark.audit or mark.reason, f"{rule.endpoint} changes something and records nothing"


@pytest.mark.req("C-20")
@pytest.mark.parametrize("websocket", [False, True], ids=["page", "WebSocket"])
def test_a_route_without_a_declaration_stops_the_start(site: Flask, websocket: bool) -> None:
    app = Flask("probe", static_folder=None)
    app.extensions.update(site.extensions)
    app.add_url_rule("/open", "open", lambda: "", websocket=websocket)

    with pytest.raises(StartError, match="open says not who may call it"):
        check_routes(app)


@pytest.mark.req("C-20")
@pytest.mark.parametrize("websocket", [False, True], ids=["page", "WebSocket"])
def test_a_route_that_came_after_the_start_without_a_declaration_is_refused(websocket: bool, tmp_path: object) -> None:
    app = create_app(load_settings({"ANTSTACK_DEMO": "1", "DATABASE_URL": f"sqlite:///{tmp_path}/x.db"}))
    app.add_url_rule("/api/late", "late", lambda: "open to all", websocket=websocket)
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"} if websocket else {}

    answer = app.test_client().get("/api/late", headers=upgrade)

    assert answer.status_code == 403
    assert answer.json["code"] == "CORE/NOT_DECLARED"


@pytest.mark.req("C-20")
def test_whether_a_change_needs_the_token_of_its_form_is_no_matter_of_words(tmp_path: object) -> None:
    app = create_app(load_settings({"ANTSTACK_DEMO": "1", "DATABASE_URL": f"sqlite:///{tmp_path}/x.db"}))
    view = public("program: a reason that begins with a word")(lambda: "changed")
    app.add_url_rule("/api/words", "words", view, methods=["POST"])
    app.add_url_rule("/api/value", "value", public("for programs", csrf=False)(lambda: "changed"), methods=["POST"])

    answers = [app.test_client().post(path) for path in ("/api/words", "/api/value")]

    assert [answer.status_code for answer in answers] == [403, 200]
    assert answers[0].json["code"] == "CORE/CSRF"


@pytest.mark.req("C-60")
def test_every_change_that_a_page_makes_can_be_made_through_the_api(site: Flask) -> None:
    with site.app_context():
        offered = {operation.audit.code for _, operation in openapi.operations() if operation.audit}
    pages = {
        mark.audit.code: rule.endpoint
        for rule in site.url_map.iter_rules()
        if (mark := getattr(site.view_functions[rule.endpoint], "guard", None)) is not None
        and mark.audit
        and not rule.rule.startswith("/api/")
    }
    missing = {
        code: endpoint for code, endpoint in pages.items() if code not in offered and not code.startswith(BROWSER_ONLY)
    }

    assert missing == {}, "pages whose change no operation of /api/v1 makes"


# A browser's own session, the provider's protocol endpoints, and terminals are no operations of the API.
BROWSER_ONLY = (
    "core.session.",
    "iam.sign-in",
    "iam.session",
    "iam.password",
    "iam.profile",
    "iam.token",
    "iam.consent",
    "core.periodic.run",
    "captain.pod.shell",
)


@pytest.mark.req("C-1")
@pytest.mark.parametrize("plugins", SUBSETS, ids=lambda names: "+".join(names))
def test_every_subset_of_plugins_starts_and_leads_nowhere_dead(plugins: tuple[str, ...], tmp_path: object) -> None:
    settings = load_settings(
        {
            "ANTSTACK_DEMO": "1",
            "ANTSTACK_PLUGINS": ",".join(plugins),
            "DATABASE_URL": f"sqlite:///{tmp_path}/x.db",
            "OIDC_ISSUER": "" if "iam" in plugins else "https://iam.example",
        }
    )
    app = create_app(settings)

    endpoints = set(app.view_functions)
    found = app.extensions[site.CATALOGUE]
    assert {item.endpoint for item in found.nav} <= endpoints
    assert {item.endpoint for item in found.checklist} <= endpoints
    assert {item.permission.name for item in found.nav} <= set(found.permissions)
    for name in set(PLUGINS) - set(plugins):
        assert not any(permission.startswith(f"{name}.") for permission in found.permissions)
        assert not any(rule.rule.startswith((f"/{name}/", f"/api/v1/{name}/")) for rule in app.url_map.iter_rules())


@pytest.mark.req("C-2")
def test_an_unknown_plugin_stops_the_start_and_is_named(tmp_path: object) -> None:
    settings = load_settings(
        {"ANTSTACK_DEMO": "1", "ANTSTACK_PLUGINS": "iam,nosuch", "DATABASE_URL": f"sqlite:///{tmp_path}/x.db"}
    )

    with pytest.raises(PluginError, match="'nosuch'"):
        create_app(settings)


@pytest.mark.req("C-60")
def test_operation_ids_are_unique_and_described(site: Flask) -> None:
    with site.test_request_context():
        ids = [operation.id for _, operation in openapi.operations()]
        document = openapi.document()

    assert len(ids) == len(set(ids))
    assert document["openapi"] == "3.1.0"
    described = {o["operationId"] for path in document["paths"].values() for o in path.values()}
    assert described == set(ids)
