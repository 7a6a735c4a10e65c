"""Why somebody may do something or not: page, API and command line (C-22)."""

from __future__ import annotations

import pytest

from plugins.iam.permissions import CHECK, MEMBER_EDIT, MEMBER_READ
from tests import factories


@pytest.mark.req("C-22")
def test_check_tells_whether_and_why(as_holder_of, api, tenant):
    person = factories.make_member(tenant)
    role = factories.make_role(tenant, [MEMBER_READ])
    asked = {"principal": {"type": "member", "id": person.id}, "permission": "iam.member.read", "resource": {}}
    asker = api(as_holder_of(CHECK))

    before = asker.post("/iam/check", asked, headers={"Accept-Language": "en"}).json
    factories.make_grant(tenant, person, role)
    after = asker.post("/iam/check", asked, headers={"Accept-Language": "en"}).json

    assert before == {"allowed": False, "reason": "None of the roles held here contains iam.member.read."}
    assert after == {"allowed": True, "reason": f"Granted by the role {role.name} (direct)."}


@pytest.mark.req("C-22")
def test_the_command_line_tells_the_same(tenant, app_context):
    from app.auth.explain import explain

    person = factories.make_member(tenant)
    factories.make_grant(tenant, person, factories.make_role(tenant, [MEMBER_EDIT]), [{"kind": "mfa"}])
    with app_context.test_request_context():
        refused = explain(person.login, "iam.member.edit", {}, tenant.code)
        nobody = explain("nobody@example.test", "iam.member.edit")
        unknown = explain(person.login, "iam.member.bless")

    assert "second factor" in refused.reason.in_("en")
    assert "nobody@example.test" in nobody.reason.in_("en")
    assert "iam.member.bless" in unknown.reason.in_("en")
    assert not refused.allowed
    assert not nobody.allowed
    assert not unknown.allowed


@pytest.mark.req("C-22")
def test_the_page_tells_it_too(as_holder_of, tenant):
    person = factories.make_member(tenant)

    page = as_holder_of(CHECK).get("/iam/why", query_string={"user": person.login, "permission": "iam.member.read"})

    assert "iam.member.read" in page.text
    assert 'class="alert alert-bad"' in page.text
