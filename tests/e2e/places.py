"""Every address of a site that gives a page, found as a person finds it: from page to page."""

from __future__ import annotations

import html
import json
import re
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from tests.live import LiveSite

LINKS = re.compile(r'(?:href|hx-get|data-url|data-source|action)="(/[^"]*)"')
PROGRAMS = ("/api/v1", "/scim")
VARIANTS = ("<kind>", "<plural>", "<order_id>")  # each value of these, ending an address, is a page of its own
NO_ADDRESS = {
    "static_file": "files, not pages",
    "captain.pod_log_lines": "text that the log component fetches where a stream is refused",
    "captain.pod_shell_socket": "a WebSocket",
    "iam.grant_holders": "options that a search field fetches",
    "iam.group_candidates": "options that a search field fetches",
    "iam.role_options": "options that a search field fetches",
    "orders.node_log": "text for the log component of programs that read along",
    "yunyou_orders.order_list": "leads to orders.order_list",
    "yunyou_orders.order_show": "leads to orders.order_show",
}
EXAMPLES = 12  # objects of a kind whose pages are followed, since not each has every link
PLANS = ("parameters", "images", "load-balancers", "databases", "storage", "applications")


@dataclass
class Places:
    """What was found: HTML addresses in the order of finding, other answers, and routes without any address."""

    pages: list[str] = field(default_factory=list)
    others: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


def walk(app: Flask, site: LiveSite, session: requests.Session, seeds: Iterable[str] = ()) -> Places:
    """Follow every link until each GET route of *app* was met: of each the first page is found, and a few more are
    read for their links.
    """
    routes = app.url_map.bind(urlsplit(site.url).netloc)
    rules = [r for r in app.url_map.iter_rules() if "GET" in (r.methods or ()) and not r.rule.startswith(PROGRAMS)]
    met: dict[tuple[str, str], set[str]] = defaultdict(set)
    waiting: deque[tuple[str, bool]] = deque()
    found = Places()

    def meet(address: str) -> None:
        path = urlsplit(address).path
        try:
            rule, _ = routes.match(path, "GET", return_rule=True)
        except (HTTPException, RequestRedirect):
            return
        key = (rule.rule, path if rule.rule.endswith(VARIANTS) else "")
        known = met[key]
        if (
            rule.endpoint not in NO_ADDRESS
            and path not in known
            and len(known) < EXAMPLES
            and not rule.rule.startswith(PROGRAMS)
        ):
            waiting.append((address, not known))
            known.add(path)

    for address in (*seeds, *(rule.rule for rule in rules if not rule.arguments)):
        meet(address)
    while waiting:
        address, is_first = waiting.popleft()
        with session.get(
            site.url + address, headers={"Accept": "text/html"}, stream=True, allow_redirects=False, timeout=30
        ) as answer:
            kind = answer.headers.get("Content-Type", "")
            if answer.status_code != 200 or not kind.startswith("text/html"):
                if is_first:
                    found.others[address] = f"{answer.status_code} {kind}"
                meet(answer.headers.get("Location", "").removeprefix(site.url))
                continue
            if is_first:
                found.pages.append(address)
            for link in LINKS.findall(answer.text):
                meet(html.unescape(link))
    seen = {rule for rule, _ in met}
    found.missing = [rule.rule for rule in rules if rule.rule not in seen and rule.endpoint not in NO_ADDRESS]
    return found


class Program:
    """Calls of ``/api/v1`` in the name of a signed-in session."""

    def __init__(self, site: LiveSite, session: requests.Session) -> None:
        self.site, self.session = site, session

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One call that succeeds; its answer."""
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        answer = self.session.request(method, f"{self.site.url}/api/v1{path}", data=data, headers=headers, timeout=60)
        assert answer.status_code < 300, f"{method} {path}: {answer.text[:1000]}"
        return answer.json() if answer.content else None

    def release(
        self, document: dict[str, Any], until: str, grouping: Mapping[str, str] = {"strategy": "one"}, **options: Any
    ) -> dict[str, Any]:
        """Import a solution, settle its plan and release it until the order is in state *until*."""
        environment = self.call("GET", "/yunyou/environments")["items"][0]["id"]
        solution = self.call("POST", f"/yunyou/solutions?environment={environment}", json.dumps(document).encode())[
            "id"
        ]
        for plan in PLANS:
            self.call("POST", f"/yunyou/solutions/{solution}/plan/{plan}/confirm", {"all": True})
        order = self.call(
            "POST", "/yunyou/orders", {"type": "release", "solution": solution, "grouping": grouping, **options}
        )
        return self.end(order, until)

    def end(self, order: Mapping[str, Any], until: str) -> dict[str, Any]:
        """Wait until an order is in state *until*."""
        limit = time.monotonic() + 90
        while (state := self.call("GET", f"/orders/{order['id']}"))["state"] != until:
            assert time.monotonic() < limit, f"the order is {state['state']}, not {until}"
            time.sleep(0.3)
        return dict(state)


def shop(tag: str, version: str) -> dict[str, Any]:
    """A solution of one product with one application."""
    basket = {
        "name": "basket",
        "image": f"registry.example/shop/basket:{tag}",
        "workload": "StatefulSet",
        "replicas": 2,
    }
    product = {"code": "SHOP", "name": "Shop", "version": version, "applications": [basket]}
    return {"schema": "antstack.solution/v1", "name": "shop", "version": version, "products": [product]}


def inhabit(site: LiveSite, session: requests.Session) -> dict[str, Any]:
    """Fill what the sample data leaves empty: a role, a client, a member without a password of theirs, a product, a
    failed order, orders for a node.

    :returns: ``role``, ``client`` (of OpenID Connect) and ``stranger`` (the member), as the API gave them
    """
    program = Program(site, session)
    role = program.call(
        "POST", "/iam/roles", {"name": "On call", "code": "on-call", "permissions": ["captain.pod.read"]}
    )
    wanted = {"name": "Wiki", "redirectUris": ["https://wiki.example/back"]}
    client = program.call("POST", "/iam/oidc-clients", wanted)
    stranger = program.call("POST", "/iam/members", {"login": "new@antstack.local", "name": "New"})
    for version in ("1.0.0", "1.1.0"):
        program.release(shop(version, version), "succeeded")
    program.release(shop("missing-2.0.0", "2.0.0"), "failed")
    cluster = site.site["clusters"][0]["id"]
    for what in ("cordon", "uncordon"):
        program.end(program.call("POST", f"/captain/clusters/{cluster}/nodes/node-1/{what}", {}), "succeeded")
    return {"role": role, "client": client, "stranger": stranger}
