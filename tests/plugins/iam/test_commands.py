"""`antstack init` may be repeated."""

from __future__ import annotations

import pytest

from app.db import db
from plugins.iam import commands, passwords
from plugins.iam.models import Enterprise, Grant, Member
from tests import factories


@pytest.mark.req("I-1")
def test_init_makes_one_administrator_and_says_the_password_once(app_context):
    login = f"{factories.unique('boss')}@example.test"

    password = commands.begin(login, "Boss", "Company")

    member = db.session.query(Member).filter_by(login=login).one()
    assert passwords.matches(member.password_hash, password)
    assert member.must_reset
    assert commands.begin(login, "Boss", "Company") == ""
    assert db.session.query(Enterprise).count() == 1
    roles = {grant.role for grant in db.session.query(Grant).filter_by(principal_id=member.id)}
    assert roles == {"platform-administrator", "tenant-administrator"}
