"""What the API answers is what its OpenAPI document says: every GET is asked, and its answer held against the
schema.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from werkzeug.routing import Rule

from app.web import openapi
from tests.architecture.test_tenants_are_apart import rights_holder
from tests.factories import objects

pytestmark = pytest.mark.req("C-60")
QUERIES = {"yunyou.environment": "environment", "dns.lookup": "name=www.example.test", "audit.summary": "days=7"}
QUERIES = {"dns.lookup": {"name": "www.example.test"}}
# Asked of the cluster itself, which is out of reach here.
OUT_OF_REACH = {
    "captain.events.list",
    "captain.nodes.drain.preview",
    "captain.objects.get",
    "captain.pods.log",
    "captain.warnings.list",
    "yunyou.applications.containers",
}
PLANS = ("parameters", "images", "databases", "load-balancers", "storage", "applications")


def reads(site: Any) -> Iterator[tuple[openapi.ApiOperation, Rule]]:
    """Every operation that reads and answers a shape, with its route."""
    rules = {rule.endpoint: rule for rule in site.url_map.iter_rules()}
    for api in site.extensions["antstack.catalogue"].apis:
        for operation in api.operations:
            if operation.method == "GET" and openapi.returned(operation):
                yield operation, rules[f"api_{api.area}.{operation.id.replace('.', '_')}"]


def addresses(site: Any, tenant: str, rule: Rule) -> Iterator[str]:
    """Where an operation is asked about what the tenant has, once for each kind of plan."""
    adapter = site.url_map.bind("127.0.0.1:8080")
    for kind in PLANS if "kind" in rule.arguments else ("",):
        values = {}
        for name in rule.arguments:
            make = objects.find(rule.endpoint, name)
            values[name] = kind if name == "kind" else make(tenant) if make else "deployments"
        with site.test_request_context():
            yield adapter.build(rule.endpoint, values, method="GET")


def misfits(schema: dict[str, Any], answer: Any) -> list[str]:
    """Where an answer is not what its schema says."""
    checker = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    return [f"{error.json_path}: {error.message[:200]}" for error in checker.iter_errors(answer)]


def test_every_answer_of_a_get_fits_its_description(site: Any, as_member: Any, tenant: Any) -> None:
    objects.load_all()
    browser = rights_holder(tenant, site, as_member)
    environment = objects.MAKERS["environment_id"](tenant.id)
    with site.app_context():
        document = json.loads(json.dumps(openapi.document()))
    wrong: dict[str, Any] = {}
    for operation, rule in reads(site):
        path = document["paths"][openapi.path_of(operation)]["get"]
        schema = {
            **path["responses"]["200"]["content"]["application/json"]["schema"],
            "components": document["components"],
        }
        asked = {p["name"]: environment for p in path["parameters"] if p["name"] == "environment"} | QUERIES.get(
            operation.id, {}
        )
        for address in addresses(site, tenant.id, rule):
            answer = browser.get(address, query_string=asked)
            found = misfits(schema, answer.json) if answer.status_code == 200 else answer.status_code
            if found and operation.id not in OUT_OF_REACH:
                wrong[address] = found

    assert wrong == {}
