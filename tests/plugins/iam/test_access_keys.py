"""AccessKeys of programs and people (I-20)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from app.db import db
from plugins.iam.models import MEMBER, AccessKey
from tests import factories
from tests.people import Api, Person

ADMIN, PLATFORM = "tenant-administrator", "platform-administrator"


@pytest.fixture
def admin(as_role: Callable[..., Any], api: Callable[..., Any]) -> Any:
    """An administrator of the tenant."""
    return api(as_role("tenant-administrator"))


def test_a_key_of_a_stronger_program_is_not_revealed_to_the_weaker(as_holder_of, api, tenant):
    from plugins.iam.permissions import KEY_EDIT

    key = factories.make_key(tenant, factories.make_service_account(tenant, roles=[ADMIN]))

    assert api(as_holder_of(KEY_EDIT)).post(f"/iam/access-keys/{key.id}/reveal").status_code == 403


def test_a_disabled_key_is_refused_at_once(as_role, api, tenant):
    account = factories.make_service_account(tenant, roles=[ADMIN])
    key = factories.make_key(tenant, account)
    program = api(key)
    assert program.get("/iam/members").status_code == 200

    admin = api(as_role(ADMIN))
    assert admin.delete(f"/iam/access-keys/{key.id}").json["code"] == "IAM/KEY_STILL_ENABLED"
    assert admin.post(f"/iam/access-keys/{key.id}/disable").status_code == 200

    assert program.get("/iam/members").status_code == 401
    assert admin.delete(f"/iam/access-keys/{key.id}").status_code == 204


def test_two_keys_at_most(as_role, api):
    admin = api(as_role(ADMIN))

    assert [admin.post("/iam/access-keys", {}).status_code for _ in range(3)] == [201, 201, 409]


@pytest.mark.req("I-20")
def test_of_many_keys_asked_for_at_once_two_are_made(app_context: Any, admin: Any, tenant: Any) -> None:
    person: Person = admin.client
    cookie, told = person.get_cookie("antstack", domain="127.0.0.1"), []

    def ask() -> None:
        browser = Person(app_context, app_context.response_class)
        browser.set_cookie("antstack", cookie.value, domain="127.0.0.1")
        browser.session_id = person.session_id
        told.append(Api(browser).post("/iam/access-keys", {}).status_code)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(told) == [201, 201, 409, 409, 409, 409]
    held = (
        select(func.count())
        .select_from(AccessKey)
        .where(AccessKey.owner_type == MEMBER, AccessKey.owner_id == person.member.id)
    )
    assert db.session.scalar(held) == 2
