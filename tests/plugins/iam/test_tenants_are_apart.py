"""For every route with an identifier: somebody of another tenant, whatever they hold there, gets 404 (C-13)."""

from __future__ import annotations

import pytest
from werkzeug.routing import Rule

from app.web.lifecycle import WRITES
from tests import factories
from tests.factories import objects

pytestmark = pytest.mark.req("C-13")
LOOSE = {"tenant_id"}


def rules_with_arguments(site):
    """Rules that name something of a tenant."""
    found = [rule for rule in site.url_map.iter_rules() if rule.arguments and rule.endpoint != "static_file" and not rule.websocket]
    return [rule for rule in found if not all(objects.is_free(rule.endpoint, name) for name in rule.arguments)]


def without_maker(rule: Rule) -> list[str]:
    """The arguments of a rule that nobody says how to make."""
    return [
        name for name in sorted(rule.arguments)
        if not objects.is_free(rule.endpoint, name) and objects.find(rule.endpoint, name) is None
    ]  # fmt: skip


def test_every_identifier_in_a_route_has_a_maker(site):
    objects.load_all()

    missing = {f"{rule.endpoint} <{name}>" for rule in rules_with_arguments(site) for name in without_maker(rule)}

    assert not missing, "declare makers in tests/plugins/<name>/makers.py: " + ", ".join(sorted(missing))


@pytest.mark.parametrize("platform", [False], ids=["all-rights-of-a-tenant"])
def test_what_another_tenant_has_is_not_found(site, as_member, tenant, platform):
    objects.load_all()
    other = factories.make_tenant()
    stranger = factories.make_member(other)
    rights = [name for name in site.extensions["antstack.catalogue"].permissions if not name.startswith("iam.site.")]
    factories.make_grant(other, stranger, factories.make_role(other, rights))
    browser = as_member(stranger, other)
    found: dict[str, int] = {}
    with site.test_request_context():
        adapter = site.url_map.bind("127.0.0.1:8080")
    for rule in rules_with_arguments(site):
        if without_maker(rule):
            continue
        mark = site.view_functions[rule.endpoint].guard
        if mark.permission is None or mark.permission.name.startswith("iam.site."):
            continue
        values = {n: "x" if objects.is_free(rule.endpoint, n) else objects.find(rule.endpoint, n)(tenant.id) for n in rule.arguments}
        method = sorted((rule.methods or set()) & WRITES or {"GET"})[0]
        address = adapter.build(rule.endpoint, values, method=method)
        body = {"json": {}} if address.startswith("/api/") and method in ("POST", "PUT", "PATCH") else {}
        found[f"{method} {rule.rule}"] = browser.open(address, method=method, **body).status_code

    wrong = {rule: status for rule, status in found.items() if status not in (404, 422)}
    assert found
    assert not wrong
    assert [rule for rule, status in found.items() if status == 404]
