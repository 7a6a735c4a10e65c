"""Objects of a tenant by the name of the route argument that names them, for tests that walk the routes.

A plugin's tests add theirs in ``tests/plugins/<name>/makers.py``: ``@maker("zone")`` over a function that takes the
tenant's identifier and returns what goes into the address. ``@maker("dns:zone")`` counts for endpoints of that
blueprint (or API area) only. Arguments that name nothing of a tenant are declared with :func:`of_no_tenant`,
lists with :func:`one_more`, and what two people may do at once with :func:`edit` and :func:`not_raced`.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import tests.plugins
from app.audit.models import AuditEvent
from app.db import db, new_id, now
from app.jobs.models import JobRun
from plugins.iam.models.oidc import Consent
from tests import factories

Maker = Callable[[str], str]


@dataclass(frozen=True)
class Edit:
    """An operation that changes what has a version. ``page`` is the address of its form, ``shown`` one of its
    fields.
    """

    operation: str
    method: str
    path: str
    argument: str
    model: Any
    body: Mapping[str, Any]
    page: str = ""
    column: str = "name"
    shown: str = "name"
    typed: Mapping[str, str] = field(default_factory=dict)


MAKERS: dict[str, Maker] = {}
OF_NO_TENANT: dict[str, str] = {}
EDITS: list[Edit] = []
NOT_RACED: dict[str, str] = {}
LISTS: dict[str, tuple[str, Maker]] = {}  # by operation


def maker(*arguments: str) -> Callable[[Maker], Maker]:
    """Declare how to make what these route arguments name."""

    def declare(make: Maker) -> Maker:
        for argument in arguments:
            MAKERS[argument] = make
        return make

    return declare


def one_more(operation: str, address: str) -> Callable[[Maker], Maker]:
    """Declare that a maker makes one more row of the list that *operation* answers, and a page, at this address: what
    the list asks the database is measured with a few rows and with many.
    """

    def declare(make: Maker) -> Maker:
        LISTS[operation] = (address, make)
        return make

    return declare


def edit(made: Edit) -> None:
    """Declare an operation that changes what has a version: two at once are tried, and a form of an older version."""
    EDITS.append(made)


def not_raced(operation: str, reason: str) -> None:
    """Declare that two of an operation at once need no trial, and why; or where else they are tried."""
    NOT_RACED[operation] = reason


def of_no_tenant(argument: str, reason: str) -> None:
    """Declare that an argument names nothing that belongs to a tenant, and why."""
    OF_NO_TENANT[argument] = reason


def find(endpoint: str, argument: str) -> Maker | None:
    """The maker for an argument of an endpoint."""
    area = endpoint.partition(".")[0].removeprefix("api_")
    return MAKERS.get(f"{area}:{argument}") or MAKERS.get(argument)


def is_free(endpoint: str, argument: str) -> bool:
    """Whether an argument was declared to name nothing of a tenant."""
    area = endpoint.partition(".")[0].removeprefix("api_")
    return argument in OF_NO_TENANT or f"{area}:{argument}" in OF_NO_TENANT


def load_all() -> Mapping[str, Maker]:
    """Import the makers of every plugin's tests."""
    for found in pkgutil.iter_modules(tests.plugins.__path__):
        name = f"tests.plugins.{found.name}.makers"
        if found.ispkg and importlib.util.find_spec(name):
            importlib.import_module(name)
    return MAKERS


of_no_tenant("fingerprint", "files of the console itself")
of_no_tenant("path", "files of the console itself")
of_no_tenant("styleguide:name", "parts of the style guide")
of_no_tenant("docs:operation_id", "the API's own operations")
of_no_tenant("jobs:name", "periodic work of the site")


@maker("tenant_id")
def _tenant(tenant_id: str) -> str:
    return tenant_id


@maker("workspace_id")
def _workspace(tenant_id: str) -> str:
    return factories.make_workspace(tenant_id).id


@maker("member_id")
def _member(tenant_id: str) -> str:
    return factories.make_member(tenant_id).id


@maker("group_id")
def _group(tenant_id: str) -> str:
    return factories.make_group(tenant_id).id


@maker("account_id")
def _account(tenant_id: str) -> str:
    return factories.make_service_account(tenant_id).id


@maker("key_id")
def _key(tenant_id: str) -> str:
    return factories.make_key(tenant_id, factories.make_service_account(tenant_id)).id


@maker("role_id")
def _role(tenant_id: str) -> str:
    return factories.make_role(tenant_id, ["iam.member.read"]).id


@maker("grant_id")
def _grant(tenant_id: str) -> str:
    return factories.make_grant(tenant_id, factories.make_member(tenant_id), "tenant-administrator").id


@maker("iam:client_id")
def _client(tenant_id: str) -> str:
    return factories.make_oidc_client(tenant_id).id


@maker("consent_id")
def _consent(tenant_id: str) -> str:
    row = Consent(
        id=new_id(),
        member_id=factories.make_member(tenant_id).id,
        client_id=factories.unique("c"),
        scopes=[],
        given_at=now(),
    )
    db.session.add(row)
    db.session.commit()
    return row.id


@maker("session_id")
def _session(tenant_id: str) -> str:
    return factories.make_session(factories.make_member(tenant_id), tenant_id)[0].id


@maker("job_id")
def _job(tenant_id: str) -> str:
    row = JobRun(
        tenant_id=tenant_id, kind="test", arguments={}, state="failed", due_at=now(), principal={}, trace_id="0" * 32
    )
    db.session.add(row)
    db.session.commit()
    return row.id


@maker("event_id")
def _event(tenant_id: str) -> str:
    who = {"operator_key": "test", "operator": "test", "login": "test", "source_ip": "192.0.2.1", "user_agent": ""}
    what = {
        "plugin": "core",
        "operation": "core.test.done",
        "title_en": "Test",
        "title_zh": "测试",
        "trace_id": "0" * 32,
    }
    on = {"resource_type": "test", "resource_id": "test", "resource_name": "test", "detail": {}, "result": "success"}
    row = AuditEvent(tenant_id=tenant_id, **who, **what, **on)
    db.session.add(row)
    db.session.commit()
    return row.id
