"""For every route with an identifier: somebody of another tenant, whatever they hold there, gets 404 (C-13)."""

from __future__ import annotations

from typing import Any, get_origin, get_type_hints

import msgspec
import pytest
from werkzeug.routing import Rule

from app.db import new_id
from app.web.lifecycle import WRITES
from tests import factories
from tests.factories import objects

pytestmark = pytest.mark.req("C-13")
# What is asked for before anything is looked up.
ASKS_FOR_MORE: dict[str, dict[str, Any]] = {
    "api_captain.captain_pods_delete": {"query_string": {"uid": "x"}},
    "api_captain.captain_events_list": {"query_string": {"kind": "Pod", "namespace": "x", "name": "x"}},
    "yunyou_products.application_scale": {"data": {"replicas": "1"}},
}
NAMES_MORE_IN_ITS_QUERY = {"orders.node_log"}


def rules_with_arguments(site):
    """Rules that name something of a tenant."""
    found = [
        rule
        for rule in site.url_map.iter_rules()
        if rule.arguments and rule.endpoint != "static_file" and not rule.websocket
    ]
    return [rule for rule in found if not all(objects.is_free(rule.endpoint, name) for name in rule.arguments)]


def without_maker(rule: Rule) -> list[str]:
    """The arguments of a rule that nobody says how to make."""
    return [
        name
        for name in sorted(rule.arguments)
        if not objects.is_free(rule.endpoint, name) and objects.find(rule.endpoint, name) is None
    ]


def test_every_identifier_in_a_route_has_a_maker(site):
    objects.load_all()

    missing = {f"{rule.endpoint} <{name}>" for rule in rules_with_arguments(site) for name in without_maker(rule)}

    assert not missing, "declare makers in tests/plugins/<name>/makers.py: " + ", ".join(sorted(missing))


def rights_holder(tenant, site, as_member):
    """The browser of somebody who may do everything in a tenant."""
    member = factories.make_member(tenant)
    rights = [name for name in site.extensions["antstack.catalogue"].permissions if not name.startswith("iam.site.")]
    factories.make_grant(tenant, member, factories.make_role(tenant, rights))
    return as_member(member, tenant)


def a_body_of(site, rule: Rule) -> dict[str, Any]:
    """A well-formed body for an operation, so that what it names is looked for before the body is refused."""
    operations = {
        f"api_{api.area}.{o.id.replace('.', '_')}": o
        for api in site.extensions["antstack.catalogue"].apis
        for o in api.operations
    }
    shape = operations[rule.endpoint].body
    return made_of(shape) if shape is not None else {}


def made_of(shape: type) -> Any:
    """The least that a shape takes: its required fields, filled by their types."""
    if not (isinstance(shape, type) and issubclass(shape, msgspec.Struct)):
        return {str: "x", int: 1, float: 1.0, bool: True}.get(shape, ["x"] if get_origin(shape) is list else {})
    types = get_type_hints(shape)
    return {field.encode_name: made_of(types[field.name]) for field in msgspec.structs.fields(shape) if field.required}


def routes_of_tenants(site):
    """Rules that name something of a tenant and ask for a right in it, each with the method that is tried."""
    for rule in rules_with_arguments(site):
        permission = site.view_functions[rule.endpoint].guard.permission
        if permission is not None and not permission.name.startswith("iam.site."):
            yield rule, sorted((rule.methods or set()) & WRITES or {"GET"})[0]


def test_what_another_tenant_has_is_as_if_it_were_not_there(site, as_member, tenant):
    """A stranger's answer is the one for an identifier that nobody has; who may read it there finds it."""
    objects.load_all()
    stranger, owner = (rights_holder(of, site, as_member) for of in (factories.make_tenant(), tenant))
    with site.test_request_context():
        adapter = site.url_map.bind("127.0.0.1:8080")

    def ask(browser, rule, method, identify):
        values = {n: "x" if objects.is_free(rule.endpoint, n) else identify(n) for n in rule.arguments}
        address = adapter.build(rule.endpoint, values, method=method)
        body = (
            {"json": a_body_of(site, rule)}
            if address.startswith("/api/") and method in ("POST", "PUT", "PATCH")
            else {}
        )
        body |= ASKS_FOR_MORE.get(rule.endpoint, {})
        return browser.open(address, method=method, **body).status_code

    told, unknown, found = {}, {}, {}
    for rule, method in routes_of_tenants(site):
        name = f"{method} {rule.rule}"
        told[name] = ask(stranger, rule, method, lambda n, rule=rule: objects.find(rule.endpoint, n)(tenant.id))
        unknown[name] = ask(stranger, rule, method, lambda _: new_id())
        named = rule.endpoint not in NAMES_MORE_IN_ITS_QUERY
        if method == "GET" and named and not any(objects.is_free(rule.endpoint, n) for n in rule.arguments):
            found[name] = ask(owner, rule, method, lambda n, rule=rule: objects.find(rule.endpoint, n)(tenant.id))

    assert told == unknown
    assert {name: status for name, status in told.items() if status != 404} == {}
    assert {name: status for name, status in found.items() if status in (401, 403, 404) or status == 500} == {}
