"""Login name and password: same answer for everybody, slowed down, locked, reset, ended (I-10)."""

from __future__ import annotations

import re
import threading

import pytest
from redis.exceptions import ConnectionError

from app.db import db
from app.jobs.queue import connection
from plugins.iam import passwords
from plugins.iam.models import Member
from plugins.iam.models.oidc import ProviderSession
from plugins.iam.signin import device, throttle
from tests import factories
from tests.factories import PASSWORD
from tests.people import Person

pytestmark = pytest.mark.req("I-10")


def sign_in(browser, login, password=PASSWORD, next_="/account"):
    page = browser.get("/iam/login")
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]
    return browser.post(
        "/iam/login", data={"csrf_token": token, "login": login, "password": password, "next": next_}, csrf=False
    )


@pytest.fixture(autouse=True)
def _fresh_address(app_context):
    """Many failures from one address lock it; each test begins anew."""
    for key in connection().scan_iter("iam:tries-from:*"):
        connection().delete(key)
    throttle._here._held.clear()


@pytest.fixture
def member(tenant):
    return factories.make_member(tenant)


def test_the_right_password_begins_a_session_at_the_provider(client, member, audit_log):
    answer = sign_in(client, member.login)

    assert answer.status_code == 303
    assert answer.location == "/account"
    assert db.session.query(ProviderSession).filter_by(member_id=member.id).count() == 1
    assert ("iam.sign-in.done", member.login, "success") in audit_log()


def test_the_cookie_is_out_of_reach_of_scripts_and_its_token_is_not_stored(client, member):
    cookie = sign_in(client, member.login).headers["Set-Cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    token = re.search(r"antstack-iam=([^;]+)", cookie)[1]
    assert db.session.query(ProviderSession).filter_by(token_digest=token).count() == 0


def test_login_names_do_not_care_for_case(client, member):
    assert sign_in(client, member.login.upper()).status_code == 303


def test_unknown_name_and_wrong_password_get_the_same_answer(client, member, audit_log):
    wrong, unknown = (
        sign_in(client, member.login, "no"),
        sign_in(client, factories.unique("nobody") + "@example.test", "no"),
    )

    def bare(answer):
        return re.sub(r"[0-9a-f]{16,64}|value=\"[^\"]*\"", "", answer.text)

    assert wrong.status_code == unknown.status_code == 401
    assert bare(wrong) == bare(unknown)
    assert [(operation, result) for operation, _, result in audit_log()] == [("iam.sign-in.done", "denied")] * 2


def test_unknown_name_and_wrong_password_cost_the_same_work(client, member, monkeypatch):
    verified = []

    class Counting:
        def __init__(self, real):
            self.hash, self._real = real.hash, real

        def verify(self, stored, password):
            verified.append(stored)
            return self._real.verify(stored, password)

        def check_needs_rehash(self, stored):
            return self._real.check_needs_rehash(stored)

    monkeypatch.setattr(passwords, "_hasher", Counting(passwords._hasher))
    cost = "$argon2id$v=19$m=19456,t=2,p=1$"

    sign_in(client, member.login, "no")
    sign_in(client, factories.unique("nobody") + "@example.test", "no")

    assert [stored.startswith(cost) for stored in verified] == [True, True]
    assert verified[0] == member.password_hash != verified[1]

    member.password_hash = passwords.hashed_random("bazolu-fekiti-nodopa-07")
    db.session.commit()
    verified.clear()
    sign_in(client, member.login, "no")

    assert [stored.startswith(cost) for stored in verified] == [True, False]


def test_passwords_are_argon2id_at_the_agreed_cost(member):
    assert member.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_repeated_failures_lock_with_the_time_left_and_even_the_right_password_waits(client, member):
    answers = [sign_in(client, member.login, "wrong").status_code for _ in range(5)]
    assert answers == [401, 401, 401, 401, 429]

    answer = sign_in(client, member.login)

    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    assert "IAM/SIGN_IN_LOCKED" in answer.text


def test_unknown_names_lock_the_same_way(client):
    login = factories.unique("nobody") + "@example.test"

    assert [sign_in(client, login, "wrong").status_code for _ in range(5)] == [401, 401, 401, 401, 429]


def test_each_failure_beyond_doubles_the_wait(app_context):
    login, waits = factories.unique("double"), []
    for _ in range(8):
        assert throttle.attempt(login, "192.0.2.77").seconds == 0
        waits.append(throttle.locked(login))
        connection().delete(throttle._locked(login))

    assert waits == [0, 0, 0, 0, 5, 10, 20, 40]


@pytest.mark.parametrize("redis", ["there", "away"])
def test_of_many_guesses_at_once_no_more_are_tried_than_one_after_the_other(app_context, monkeypatch, redis):
    if redis == "away":
        monkeypatch.setattr(throttle, "connection", _away)
    login, tried, gate = factories.unique("many"), [], threading.Barrier(32)

    def guess():
        gate.wait()
        with app_context.app_context():
            try_once()

    def try_once():
        if throttle.attempt(login, "192.0.2.90").seconds == 0:
            tried.append(1)

    threads = [threading.Thread(target=guess) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(tried) == throttle.FREE_TRIES
    assert throttle.locked(login) > 0


def test_the_right_password_gives_back_the_free_tries(client, member):
    for _ in range(3):
        for _ in range(4):
            assert sign_in(client, member.login, "wrong").status_code == 401
        assert sign_in(client, member.login).status_code == 303
        client.delete_cookie(device.PLAIN, domain="127.0.0.1")  # else a known browser's own tries were counted


def test_a_stranger_cannot_lock_somebody_out_of_a_browser_that_is_known(client, member, app_context):
    assert sign_in(client, member.login).status_code == 303
    stranger = Person(app_context, app_context.response_class)
    for _ in range(6):
        locked = sign_in(stranger, member.login, "wrong").status_code

    assert locked == 429
    assert sign_in(stranger, member.login).status_code == 429
    assert sign_in(client, member.login).status_code == 303


def test_a_known_browser_is_slowed_down_by_its_own_guesses_and_for_its_own_account_only(client, member, tenant):
    other = factories.make_member(tenant)
    sign_in(client, member.login)

    mine = [sign_in(client, member.login, "wrong").status_code for _ in range(5)]
    theirs = [sign_in(client, other.login, "wrong").status_code for _ in range(5)]

    assert mine == theirs == [401, 401, 401, 401, 429]
    db.session.expire_all()
    assert db.session.get(Member, member.id).locked_until is None, "others' browsers are not locked by it"
    assert db.session.get(Member, other.id).locked_until is not None


def test_wrong_passwords_of_ones_own_are_slowed_down_too(as_role):
    person = as_role("tenant-administrator")
    fields = {"old": "wrong", "new": "quiet-river-stone-42", "again": "quiet-river-stone-42"}

    for _ in range(5):
        assert "登录已锁定" not in person.post("/account/password", data=fields).text
    right = person.post("/account/password", data={**fields, "old": PASSWORD})

    assert right.status_code == 422
    assert "登录已锁定" in right.text


def test_one_address_that_tries_many_names_is_slowed_down(app_context):
    for _ in range(throttle.ADDRESS_TRIES):
        throttle.attempt(factories.unique("spray"), "192.0.2.78")

    assert throttle.wait("somebody-else", "192.0.2.78").by_address
    assert throttle.wait("somebody-else", "192.0.2.79").seconds == 0


def _away():
    raise ConnectionError


def test_the_throttle_holds_without_redis(app_context, monkeypatch):
    monkeypatch.setattr(throttle, "connection", _away)
    login = factories.unique("away")
    for _ in range(5):
        throttle.attempt(login, "192.0.2.80")

    assert throttle.wait(login, "192.0.2.81").seconds > 0


def test_a_lock_survives_a_redis_that_lost_everything(client, member):
    for _ in range(5):
        sign_in(client, member.login, "wrong")
    throttle.forget(member.login)

    assert sign_in(client, member.login).status_code == 429


def test_a_frozen_person_is_told_only_after_the_right_password(client, member):
    member.state = "frozen"
    db.session.commit()

    assert "IAM/WRONG_NAME_OR_PASSWORD" in sign_in(client, member.login, "wrong").text
    answer = sign_in(client, member.login)
    assert answer.status_code == 403
    assert "IAM/MEMBER_FROZEN" in answer.text


def test_somebody_of_no_tenant_is_told_only_after_the_right_password(client, app_context):
    member = factories.make_member()

    assert "IAM/WRONG_NAME_OR_PASSWORD" in sign_in(client, member.login, "wrong").text
    assert "IAM/NO_TENANT" in sign_in(client, member.login).text


def test_the_first_sign_in_asks_for_a_password_of_ones_own(client, tenant):
    member = factories.make_member(tenant, must_reset=True)
    answer = sign_in(client, member.login)
    assert answer.location.startswith("/iam/password/first")
    assert db.session.query(ProviderSession).filter_by(member_id=member.id).count() == 0

    page = client.get(answer.location)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]
    for new, status in (("short", 422), ("aaaaaaaaaaaa", 422), (PASSWORD, 422), ("quiet-river-stone-41", 303)):
        answer = client.post(
            "/iam/password/first", data={"csrf_token": token, "new": new, "again": new, "next": "/"}, csrf=False
        )
        assert answer.status_code == status, (new, answer.text[:300])

    db.session.expire_all()
    member = db.session.get(Member, member.id)
    assert not member.must_reset
    assert passwords.matches(member.password_hash, "quiet-river-stone-41")


def test_the_first_password_page_is_only_for_whoever_gave_the_right_password(client, tenant):
    factories.make_member(tenant, must_reset=True)

    assert client.get("/iam/password/first").status_code == 401


def test_changing_the_own_password_ends_every_session(as_role, client):
    person = as_role("tenant-administrator")
    fields = {"old": PASSWORD, "new": "quiet-river-stone-42", "again": "quiet-river-stone-42"}

    assert person.post("/account/password", data={**fields, "old": "wrong"}).status_code == 422
    assert person.post("/account/password", data=fields).status_code == 303

    assert person.get("/account").status_code == 303, "signed out"
    assert sign_in(client, person.member.login, "quiet-river-stone-42").status_code == 303


def test_the_page_does_not_lead_to_other_sites(client, member):
    assert sign_in(client, member.login, next_="https://evil.example.test/").location == "/"
    assert sign_in(client, member.login, next_="//evil.example.test/").location == "/"


def test_a_sign_in_without_the_form_is_refused(client, member):
    answer = client.post("/iam/login", data={"login": member.login, "password": PASSWORD}, csrf=False)

    assert answer.status_code == 403


def test_a_second_sign_in_gives_another_token(client, member):
    first = sign_in(client, member.login).headers["Set-Cookie"]
    second = sign_in(client, member.login).headers["Set-Cookie"]

    assert first.split(";")[0] != second.split(";")[0]


def test_demo_passwords_are_the_same_for_the_same_secret():
    first = passwords.derived("secret", "a@example.test")

    assert first == passwords.derived("secret", "a@example.test")
    assert first != passwords.derived("secret", "b@example.test")
    assert len(first) >= 14
    assert passwords.problem(first, "a@example.test") is None
