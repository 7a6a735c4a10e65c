"""Two people at once: whatever is created or changed, the second is told, and nothing of the first is lost (C-45).

Each operation that makes or edits something stands in one of the tables; one that stands in none fails the first test.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from app.db import db, new_id, now
from app.jobs.models import JobRun
from app.kube.models import Cluster
from app.orders.models import Order, OrderNode
from plugins.dns.models import Zone
from plugins.iam.models import CustomRole, Grant, Group, Member, ServiceAccount, Tenant, Workspace
from plugins.iam.models.oidc import OidcClient
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.solutions.models import Solution
from tests import factories
from tests.factories import objects
from tests.factories.objects import Edit
from tests.meanwhile import between
from tests.plugins.yunyou.makers import order_of

pytestmark = pytest.mark.req("C-45")


EDITS: tuple[Edit, ...] = (
    Edit(
        "iam.tenants.update", "PATCH", "/iam/tenants/{}", "tenant_id", Tenant, {"name": "Mine"}, "/iam/tenants/{}/edit"
    ),
    Edit(
        "iam.workspaces.update",
        "PUT",
        "/iam/workspaces/{}",
        "workspace_id",
        Workspace,
        {"name": "Mine"},
        "/iam/workspaces/{}/edit",
    ),
    Edit(
        "iam.members.update", "PATCH", "/iam/members/{}", "member_id", Member, {"name": "Mine"}, "/iam/members/{}/edit"
    ),
    Edit("iam.groups.update", "PUT", "/iam/groups/{}", "group_id", Group, {"name": "Mine"}, "/iam/groups/{}/edit"),
    Edit(
        "iam.serviceAccounts.update",
        "PUT",
        "/iam/service-accounts/{}",
        "account_id",
        ServiceAccount,
        {"name": "Mine"},
        "/iam/service-accounts/{}/edit",
    ),
    Edit(
        "iam.roles.update",
        "PUT",
        "/iam/roles/{}",
        "role_id",
        CustomRole,
        {"name": "Mine", "permissions": ["iam.member.read"]},
        "/iam/roles/{}/edit",
        typed={"permissions": "iam.member.read"},
    ),
    Edit(
        "iam.oidcClients.update",
        "PUT",
        "/iam/oidc-clients/{}",
        "iam:client_id",
        OidcClient,
        {"name": "Mine", "redirectUris": ["https://app.example.test/cb"]},
        "/iam/oidc-clients/{}/edit",
        typed={"redirect_uris": "https://app.example.test/cb"},
    ),
    Edit(
        "yunyou.environments.update",
        "PATCH",
        "/yunyou/environments/{}",
        "environment_id",
        Environment,
        {"name": "Mine"},
        "/yunyou/environments/{}",
    ),
    Edit(
        "captain.clusters.update",
        "PATCH",
        "/captain/clusters/{}",
        "cluster_id",
        Cluster,
        {"name": "Mine"},
        "/captain/clusters/{}/edit",
    ),
)
PLAN = "/yunyou/solutions/{}/plan/"
PLANS = (
    Edit("yunyou.plans.parameters.update", "PATCH", f"{PLAN}parameters", "solution_id", Solution, {"items": []}),
    Edit(
        "yunyou.plans.applications.update",
        "PATCH",
        f"{PLAN}applications",
        "solution_id",
        Solution,
        {"SHOP/cart": {"replicas": 2}},
    ),
    Edit("yunyou.plans.databases.update", "PATCH", f"{PLAN}databases", "solution_id", Solution, {"items": []}),
    Edit(
        "yunyou.plans.images.update",
        "PATCH",
        f"{PLAN}images",
        "solution_id",
        Solution,
        {"SHOP/cart": "registry.example/x:2"},
    ),
    Edit("yunyou.plans.confirm", "POST", f"{PLAN}storage/confirm", "solution_id", Solution, {}),
    Edit("yunyou.solutions.discard", "POST", "/yunyou/solutions/{}/discard", "solution_id", Solution, {}),
)


@dataclass(frozen=True)
class Creation:
    """An operation that makes something with a name; ``rival`` makes the same, given a connection, the tenant and
    the name.
    """

    operation: str
    path: str
    body: Callable[[str], Mapping[str, Any]]
    rival: Callable[[Any, str, str], object]
    field: str = "name"


def row_of(model: Any, **fixed: Any) -> Callable[[Any, str, str], object]:
    """Inserts a row of *model* with the name."""

    def make(connection: Any, tenant_id: str, name: str) -> object:
        values = {"id": new_id(), "created_at": now(), "tenant_id": tenant_id, "name": name, "version": 1, **fixed}
        return connection.execute(insert(model).values({k: v for k, v in values.items() if hasattr(model, k)}))

    return make


def rival_member(connection: Any, _tenant_id: str, login: str) -> object:
    """A person with that login name."""
    return connection.execute(
        insert(Member).values(id=new_id(), created_at=now(), login=login, name="Rival", version=1)
    )


CREATIONS = (
    Creation("iam.workspaces.create", "/iam/workspaces", lambda n: {"name": n}, row_of(Workspace, description="")),
    Creation("iam.groups.create", "/iam/groups", lambda n: {"name": n}, row_of(Group, description="")),
    Creation(
        "iam.serviceAccounts.create",
        "/iam/service-accounts",
        lambda n: {"name": n},
        row_of(ServiceAccount, description="", state="active"),
    ),
    Creation(
        "iam.members.create",
        "/iam/members",
        lambda n: {"login": f"{n}@example.test", "name": n},
        lambda c, t, n: rival_member(c, t, f"{n}@example.test"),
        "login",
    ),
    Creation(
        "iam.roles.create",
        "/iam/roles",
        lambda n: {"name": n, "code": n, "permissions": ["iam.member.read"]},
        lambda c, t, n: row_of(CustomRole, code=n, description="", permissions=[])(c, t, n),
        "code",
    ),
    Creation(
        "iam.tenants.create",
        "/iam/tenants",
        lambda n: {"name": n, "code": n},
        lambda c, t, n: row_of(Tenant, code=n, security={}, state="active", epoch=1)(c, t, n),
        "code",
    ),
    Creation(
        "dns.zones.create",
        "/dns/zones",
        lambda n: {"name": f"{n}.example"},
        lambda c, t, n: row_of(Zone, serial=1, default_ttl=300, primary_server="ns1", contact="h")(
            c, t, f"{n}.example"
        ),
    ),
)


@dataclass(frozen=True)
class Command:
    """An operation that tells an order or a job what to do: possible in ``state``, until ``meanwhile`` is true."""

    operation: str
    method: str
    path: str
    model: Any
    state: Mapping[str, Any]
    meanwhile: Mapping[str, Any]
    code: str


ORDER, JOB = "/orders/{}/", "/jobs/{}"
ENDED = {"state": "succeeded", "due_at": None, "paused": False}


def order_command(verb: str, node: str = "", before: str = "", **state: Any) -> Command:
    """A command to an order that the last tick ended meanwhile; *before* the path and the operation, its plugin."""
    name = f"{before and f'{before}.'}orders.{node and 'nodes.'}{verb}"
    path = f"{before and f'/{before}'}{ORDER}{node and 'nodes/{}/'}{verb}"
    return Command(name, "POST", path, Order, {"node": node, **state}, ENDED, "ORDERS/NOT_IN_THIS_STATE")


def order_commands(before: str) -> tuple[Command, ...]:
    """Every command to an order."""
    return (
        order_command("pause", before=before, state="running"),
        order_command("resume", before=before, state="running", paused=True),
        order_command("cancel", before=before, state="running"),
        order_command("force-cancel", before=before, state="running"),
        order_command("retry", before=before, state="failed"),
        order_command("skip", before=before, state="failed"),
        order_command("retry", "failed", before, state="failed"),
        order_command("skip", "failed", before, state="failed"),
        order_command("confirm", "waiting", before, state="waiting"),
    )


COMMANDS = (
    *order_commands(""),
    *order_commands("yunyou"),
    Command(
        "core.jobs.retry",
        "POST",
        f"{JOB}/retry",
        JobRun,
        {"state": "failed"},
        {"state": "running", "attempt": 1},
        "JOBS/NOT_ENDED",
    ),
    Command(
        "core.jobs.cancel",
        "DELETE",
        JOB,
        JobRun,
        {"state": "queued"},
        {"state": "succeeded", "attempt": 1},
        "JOBS/ENDED",
    ),
)
ELSEWHERE = {
    "iam.grants.create": "test_a_role_is_held_once below",
    "iam.members.join": "a second time changes nothing",
    "iam.members.import": "tests/plugins/iam/test_members_import.py interleaves it",
    "iam.accessKeys.create": "has a name that nobody chose",
    "iam.oidcClients.create": "has a name that nobody chose",
    "iam.check": "changes nothing",
    "iam.groups.addMember": "a second time changes nothing",
    "yunyou.environments.create": "asks a cluster, see test_an_environment_has_its_namespace_alone below",
    "captain.clusters.create": "asks a cluster, see tests/plugins/captain/test_clusters.py",
    "captain.nodes.cordon": "of two at once for a node one is refused, see tests/plugins/captain/test_node_orders.py",
    "captain.nodes.uncordon": "as cordon",
    "captain.nodes.drain": "as cordon",
    "yunyou.solutions.import": "supersedes, see tests/plugins/yunyou",
    "yunyou.solutions.complete": "as discard, with tasks",
    "yunyou.plans.images.check": "starts a job that may run twice",
    "yunyou.orders.preview": "changes nothing",
    "yunyou.orders.create": "queues behind the other, see tests/core/orders",
    "yunyou.baseline.import": "a baseline has a version of its own, see tests/plugins/yunyou",
    "yunyou.baseline.sync": "makes an order",
    "dns.records.change": "test_a_zone_moves_once below",
    "dns.zones.revert": "test_a_zone_moves_once below",
    "audit.verify": "changes nothing",
    "orders.rollback": "ends the order as a forced cancellation does, and makes one",
    "orders.nodes.rollback": "ends the order as a forced cancellation does, and makes one",
    "yunyou.orders.rollback": "ends the order as a forced cancellation does, and makes one",
    "yunyou.orders.nodes.rollback": "ends the order as a forced cancellation does, and makes one",
    "yunyou.orders.rollback.preview": "changes nothing",
    "yunyou.orders.nodes.rollback.preview": "changes nothing",
}
objects.load_all()
EDITS += tuple(objects.EDITS)
ELSEWHERE |= objects.NOT_RACED
VERBS = re.compile(r"\.(freeze|unfreeze|leave|enable|disable|reveal|resetPassword|rotateSecret|evict)$")


@pytest.fixture
def everything(app_context: Any, tenant: Any, as_member: Callable[..., Any], api: Callable[..., Any]) -> Any:
    """The API of somebody who may do everything."""
    objects.load_all()
    member = factories.make_member(tenant)
    rights = list(app_context.extensions["antstack.catalogue"].permissions)
    factories.make_grant(tenant, member, factories.make_role(tenant, rights))
    factories.make_grant(tenant, member, "tenant-administrator")
    return api(as_member(member, tenant))


def test_every_operation_that_makes_or_edits_is_tried(site: Any) -> None:
    operations = [one for api in site.extensions["antstack.catalogue"].apis for one in api.operations]
    named = {e.operation for e in (*EDITS, *PLANS, *COMMANDS)} | {c.operation for c in CREATIONS} | set(ELSEWHERE)

    makes = {o.id for o in operations if o.method in ("POST", "PUT", "PATCH") and not VERBS.search(o.id)}

    assert makes - named == set(), "declare them in makers.py: objects.edit, objects.not_raced"
    assert named - {o.id for o in operations} == set()


def test_every_command_to_an_order_or_a_job_is_tried(site: Any) -> None:
    operations = [one for api in site.extensions["antstack.catalogue"].apis for one in api.operations]

    commands = {o.id for o in operations if o.method != "GET" and "{}" in re.sub("<order_id>|<job_id>", "{}", o.path)}

    assert commands - {c.operation for c in COMMANDS} - set(ELSEWHERE) == set()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.operation)
def test_a_command_that_a_tick_or_a_worker_was_faster_than_is_refused_and_changes_nothing(
    command: Command, everything: Any, tenant: Any
) -> None:
    state = dict(command.state)
    if command.model is Order:
        identifiers = order_of(tenant.id)
        node = {"state": state.pop("node") or "failed", "started_at": now()}
        db.session.execute(update(OrderNode).where(OrderNode.id == identifiers[1]).values(node))
    else:
        identifiers = (objects.MAKERS["job_id"](tenant.id),)
    row = update(command.model).where(command.model.id == identifiers[0])
    db.session.execute(row.values(state))
    db.session.commit()
    before = f"UPDATE {command.model.__tablename__}"

    with between(lambda connection: connection.execute(row.values(command.meanwhile)), before) as happened:
        body = {} if command.method == "POST" else None
        refused = everything.call(command.method, command.path.format(*identifiers), body)

    assert happened
    assert (refused.status_code, refused.json["code"]) == (409, command.code)
    db.session.expire_all()
    found = db.session.get(command.model, identifiers[0])
    assert {name: getattr(found, name) for name in command.meanwhile} == dict(command.meanwhile)


def rivals(edit: Edit, identifier: str) -> Callable[[Any], object]:
    """Somebody else's edit of the same row."""

    def do(connection: Any) -> object:
        moved = update(edit.model).where(edit.model.id == identifier)
        return connection.execute(moved.values({edit.column: "Theirs", "version": edit.model.version + 1}))

    return do


@pytest.mark.parametrize("edit", [*EDITS, *PLANS], ids=lambda e: e.operation)
def test_an_edit_that_somebody_else_was_faster_with_is_refused(
    edit: Edit, everything: Any, tenant: Any, audit_log: Any
) -> None:
    identifier = objects.MAKERS[edit.argument](tenant.id)

    with between(rivals(edit, identifier)) as happened:
        refused = everything.call(edit.method, edit.path.format(identifier), dict(edit.body))

    assert happened
    assert (refused.status_code, refused.json["code"]) == (412, "CORE/CHANGED_MEANWHILE")
    assert "default-src" in refused.headers["Content-Security-Policy"]
    assert getattr(db.session.get(edit.model, identifier, populate_existing=True), edit.column) == "Theirs"
    assert [(row.result, row.error_code) for row in audit_log(rows=True)][-1] == ("failed", "CORE/CHANGED_MEANWHILE")


@pytest.mark.parametrize("edit", [*EDITS, *PLANS], ids=lambda e: e.operation)
def test_an_edit_of_an_older_version_is_refused(edit: Edit, everything: Any, tenant: Any) -> None:
    identifier = objects.MAKERS[edit.argument](tenant.id)
    seen = db.session.get(edit.model, identifier).version
    with db.engine.begin() as connection:
        rivals(edit, identifier)(connection)

    old = everything.call(edit.method, edit.path.format(identifier), dict(edit.body), headers={"If-Match": f'"{seen}"'})

    assert (old.status_code, old.json["code"]) == (412, "CORE/CHANGED_MEANWHILE")
    assert getattr(db.session.get(edit.model, identifier, populate_existing=True), edit.column) == "Theirs"


def hidden_of(page: str) -> dict[str, str]:
    """The hidden fields of the forms of a page."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    return {name: unescape(value) for name, value in found if name != "csrf_token"}


@pytest.mark.parametrize("edit", EDITS, ids=lambda e: e.operation)
def test_a_form_tells_what_the_first_changed_and_keeps_what_the_second_typed(
    edit: Edit, everything: Any, tenant: Any
) -> None:
    identifier = objects.MAKERS[edit.argument](tenant.id)
    address, browser = edit.page.format(identifier), everything.client
    browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    form = {**hidden_of(browser.get(address).text), edit.shown: "Typed by me", **edit.typed}
    with db.engine.begin() as connection:
        rivals(edit, identifier)(connection)

    refused = browser.post(address, data=form)
    again = browser.post(address, data={**form, **hidden_of(refused.text)})

    assert refused.status_code in (412, 422)
    assert "it is now: Theirs" in refused.text
    assert 'value="Typed by me"' in refused.text
    assert again.status_code in (204, 303), re.findall(r'class="alert-body">.*?</div>', again.text, re.S)
    assert getattr(db.session.get(edit.model, identifier, populate_existing=True), edit.column) == "Typed by me"


@pytest.mark.parametrize("creation", CREATIONS, ids=lambda c: c.operation)
def test_a_name_that_somebody_else_took_meanwhile_is_told_beside_its_field(
    creation: Creation, everything: Any, tenant: Any, audit_log: Any
) -> None:
    name = factories.unique("same")

    with between(lambda connection: creation.rival(connection, tenant.id, name)) as happened:
        refused = everything.post(creation.path, dict(creation.body(name)))

    assert happened
    assert refused.status_code == 409, refused.text
    assert [error["pointer"] for error in refused.json["errors"]] == [f"/{creation.field}"]
    assert "default-src" in refused.headers["Content-Security-Policy"]
    assert [row.result for row in audit_log(rows=True)][-1] == "failed"


def test_a_role_is_held_once(everything: Any, tenant: Any) -> None:
    holder = factories.make_member(tenant)
    condition = {"kind": "time", "from": "09:00", "to": "17:00"}
    asked = {
        "principal": {"type": "member", "id": holder.id},
        "role": "tenant-administrator",
        "conditions": [condition],
    }

    with between(lambda _: factories_apart(tenant.id, holder.id, condition)) as happened:
        second = everything.post("/iam/grants", asked)
    once_more = everything.post("/iam/grants", asked)

    assert happened
    assert (second.status_code, once_more.status_code) == (409, 201)
    held = select(func.count()).select_from(Grant).where(Grant.principal_id == holder.id)
    assert db.session.scalar(held) == 1


def factories_apart(tenant_id: str, holder_id: str, condition: Mapping[str, Any]) -> None:
    """The same role given over a connection of its own."""
    from plugins.iam.models import conditions_digest

    values = {
        "id": new_id(),
        "created_at": now(),
        "tenant_id": tenant_id,
        "principal_type": "member",
        "principal_id": holder_id,
    }
    digest = conditions_digest([condition])
    with db.engine.begin() as connection:
        connection.execute(
            insert(Grant).values(
                **values,
                role="tenant-administrator",
                conditions=[condition],
                conditions_digest=digest,
                granted_by="",
                reason="",
            )
        )


def test_a_zone_moves_once(everything: Any, tenant: Any) -> None:
    zone = objects.MAKERS["dns:zone"](tenant.id)
    change = {"upsert": [{"name": "api", "type": "A", "values": ["192.0.2.9"]}]}

    def rival(connection: Any) -> None:
        connection.execute(update(Zone).where(Zone.id == zone).values(version=Zone.version + 1, serial=Zone.serial + 1))

    with between(rival, "UPDATE dns_zone") as happened:
        refused = everything.post(f"/dns/zones/{zone}/changes", change)

    assert happened
    assert (refused.status_code, refused.json["code"]) == (409, "DNS/ZONE_MOVED")
    assert "api" not in everything.get(f"/dns/zones/{zone}/records").text


def test_of_eight_edits_of_one_version_at_once_one_wins(app_context: Any, everything: Any, tenant: Any) -> None:
    group = factories.make_group(tenant)
    address, headers = f"/iam/groups/{group.id}", {"If-Match": '"1"'}
    cookie = everything.client.get_cookie("antstack", domain="127.0.0.1")
    told: list[int] = []

    def edit(number: int) -> None:
        from tests.people import Api, Person

        browser = Person(app_context, app_context.response_class)
        browser.set_cookie("antstack", cookie.value, domain="127.0.0.1")
        browser.session_id = everything.client.session_id
        told.append(Api(browser).put(address, {"name": f"edit-{number}"}, headers=headers).status_code)

    threads = [threading.Thread(target=edit, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(told) == [200] + [412] * 7
    assert db.session.get(Group, group.id, populate_existing=True).version == 2


def test_a_plan_page_refuses_what_changed_since_it_was_shown(everything: Any, tenant: Any) -> None:
    solution = objects.MAKERS["solution_id"](tenant.id)
    address = f"/yunyou/solutions/{solution}/plan/applications"
    assert everything.patch(address, {"SHOP/cart": {"replicas": 3}}).status_code == 200
    page = everything.client.get(address).text
    mark = re.search(r'name="application"[^>]* value="SHOP/cart"><input[^>]* name="seen" value="(\w+)"', page)
    assert mark
    assert everything.patch(address, {"SHOP/cart": {"replicas": 4}}).status_code == 200

    refused = everything.client.post(address, data={"application": "SHOP/cart", "replicas": "7", "seen": mark[1]})

    assert refused.status_code == 412
    assert 'value="7"' in refused.text
    overrides = db.session.get(Solution, solution, populate_existing=True).overrides
    assert json.dumps(overrides).count("4") == 1


def everything_stored() -> dict[str, list[Any]]:
    """Every row of every table, but for the audit and what a request notes of its session."""
    apart = ("core_audit_", "core_session")
    tables = [table for name, table in db.metadata.tables.items() if not name.startswith(apart)]
    with db.engine.connect() as connection:
        return {table.name: sorted(map(str, connection.execute(select(table)))) for table in tables}


@pytest.mark.req("C-60", "C-30")
@pytest.mark.parametrize("change", [*EDITS, *PLANS, *CREATIONS], ids=lambda c: c.operation)
def test_a_dry_run_changes_nothing_and_is_recorded_as_tried(
    change: Any, everything: Any, tenant: Any, audit_log: Any
) -> None:
    if isinstance(change, Edit):
        method, path, body = (
            change.method,
            change.path.format(objects.MAKERS[change.argument](tenant.id)),
            dict(change.body),
        )
    else:
        method, path, body = "POST", change.path, dict(change.body(factories.unique("tried")))
    before = everything_stored()

    tried = everything.call(method, f"{path}?dryRun=true", body, headers={"Idempotency-Key": new_id()})

    assert tried.status_code in (200, 201), tried.text
    assert everything_stored() == before
    assert [row.result for row in audit_log(rows=True)] == ["tried"]
