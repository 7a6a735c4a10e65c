"""Members are brought in from a file: shown row by row first, then all at once (I-20, C-60)."""

from __future__ import annotations

import io
import re

import pytest

from app.db import db
from app.web import imports, sheets
from plugins.iam import passwords
from plugins.iam.models import Grant, Member, Membership
from plugins.iam.permissions import MEMBER_EDIT, MEMBER_READ
from tests import factories
from tests.meanwhile import between
from tests.plugins.iam.test_signin import sign_in
from tests.statements import statements
from tests.workbooks import csv_of, xlsx

pytestmark = pytest.mark.req("I-20")
ADMIN, PLATFORM = "tenant-administrator", "platform-administrator"
HEADER = ["登录名", "昵称", "姓名", "手机号", "座机号", "工号"]
PATH = "/iam/members/import"


def login(word: str = "new") -> str:
    return f"{factories.unique(word)}@example.test"


def row(address: str, **other: str) -> list[str]:
    given = {"nickname": "nick", "name": "Name", "mobile": "13900000000", "landline": "", "staff": ""} | other
    return [address, given["nickname"], given["name"], given["mobile"], given["landline"], given["staff"]]


def send(client, raw: bytes, seen: str | None = None, name: str = "people.csv", join: bool = True, **headers: str):
    form = {"file": (io.BytesIO(raw), name)} | ({"join": "1"} if join else {}) | ({"seen": seen} if seen else {})
    return client.post(PATH, data=form, content_type="multipart/form-data", headers=headers)


def mark(answer) -> str:
    return re.search(r'name="seen" value="(\w+)"', answer.text)[1]


def call(api, raw: bytes, query: str = ""):
    return api.post(f"{PATH}{query}", data=raw, headers={"Content-Type": "text/csv"})


def member(name: str) -> Member | None:
    db.session.expire_all()
    return db.session.query(Member).filter_by(login=name).one_or_none()


@pytest.fixture
def admin(as_role):
    return as_role(ADMIN)


@pytest.mark.parametrize("make", [csv_of, xlsx])
def test_a_file_is_shown_row_by_row_and_nothing_is_written_before_it_is_confirmed(admin, make, audit_log):
    new, other = login(), login()
    raw = make([HEADER, row(new), row(other), row("not an address")])

    shown = send(admin, raw)

    assert shown.status_code == 200
    assert new in shown.text
    assert "not an address" in shown.text
    assert "CORE/INVALID_INPUT" in shown.text
    assert member(new) is None
    assert audit_log() == [("iam.member.imported", "", "tried")]

    done = send(admin, raw, mark(shown))

    assert done.status_code == 200
    assert (member(new).name, member(new).mobile) == ("Name", "13900000000")
    assert member(other) is not None


def test_an_import_leaves_one_row_for_itself_and_one_for_each_member_and_no_secret(admin, tenant, audit_log):
    known = factories.make_member(tenant)
    new = login()
    raw = csv_of([HEADER, row(new), row(known.login, name="Renamed")])

    done = send(admin, raw, mark(send(admin, raw)))

    rows = [one for one in audit_log(rows=True) if one.result == "success"]
    told = {(one.operation, one.resource_name) for one in rows}
    assert told == {("iam.member.imported", ""), ("iam.member.created", new), ("iam.member.changed", known.login)}
    assert len({one.trace_id for one in rows}) == 1
    imported = next(one for one in rows if one.operation == "iam.member.imported")
    assert {key: imported.detail[key] for key in ("file", "created", "overwritten", "refused")} == {
        "file": "people.csv",
        "created": 1,
        "overwritten": 1,
        "refused": 0,
    }
    password = re.search(r"[a-z]{6}-[a-z]{6}-[a-z]{6}-\d\d", done.text)[0]
    assert password not in " ".join(str(one.detail) for one in rows)


def test_somebody_new_joins_has_no_role_and_must_change_the_password_that_is_shown_once(admin, api, tenant, client):
    new = login()

    answer = call(api(admin), csv_of([HEADER, row(new)])).json

    password = answer["rows"][0]["password"]
    made = member(new)
    assert passwords.matches(made.password_hash, password)
    assert made.must_reset
    assert db.session.query(Membership).filter_by(member_id=made.id).one().tenant_id == tenant.id
    assert db.session.query(Grant).filter_by(principal_id=made.id).count() == 0
    assert "/iam/password/first" in sign_in(client, made.login, password).location


def test_without_joining_somebody_new_is_of_no_tenant(admin, api):
    new = login()

    call(api(admin), csv_of([HEADER, row(new)]), "?join=false")

    assert db.session.query(Membership).filter_by(member_id=member(new).id).count() == 0


def test_of_whoever_exists_the_columns_of_the_file_are_overwritten_and_the_rest_stays(admin, api, tenant):
    known = factories.make_member(tenant, name="Before", mobile="139", staff_number="7")
    kept = known.password_hash

    preview = call(api(admin), csv_of([["login", "name"], [known.login.upper(), "After"]]), "?dryRun=true").json
    answer = call(api(admin), csv_of([["login", "name"], [known.login.upper(), "After"]])).json

    assert preview["rows"] == answer["rows"]
    assert (answer["created"], answer["overwritten"]) == (0, 1)
    now = member(known.login)
    assert (now.name, now.mobile, now.staff_number, now.password_hash) == ("After", "139", "7", kept)
    assert answer["rows"][0]["password"] is None


def test_a_row_that_says_what_is_there_changes_nothing(admin, api, tenant, audit_log):
    known = factories.make_member(tenant, name="Same")
    version = known.version

    answer = call(api(admin), csv_of([["Login name", "Name"], [known.login, "Same"]])).json

    assert answer["unchanged"] == 1
    assert member(known.login).version == version
    assert [one for one in audit_log() if one[0] == "iam.member.changed"] == []


def test_the_page_shows_what_is_overwritten(admin, tenant):
    known = factories.make_member(tenant, name="Before")

    shown = send(admin, csv_of([["Login name", "Name"], [known.login, "After"]]))

    assert re.search(r"<del>Before</del>\s*After", shown.text)


def test_a_row_of_somebody_of_another_tenant_is_refused_and_said(admin, api, as_role, tenant):
    theirs = factories.make_member(factories.make_tenant(), name="Theirs", mobile="13800000000")
    both = factories.make_member(tenant, name="Both", mobile="13700000000")
    factories.make_membership(factories.make_tenant(), both)
    new = login()
    raw = csv_of([HEADER, row(theirs.login), row(both.login), row(new)])

    answer = call(api(admin), raw)
    page = send(admin, raw)

    rows = {one["name"]: one for one in answer.json["rows"]}
    for person, name in ((theirs, "Theirs"), (both, "Both")):
        problem = rows[person.login]["problems"][0]
        assert rows[person.login]["outcome"] == "refused"
        assert (problem["pointer"], problem["code"]) == ("/login", "IAM/MEMBER_OF_ANOTHER_TENANT")
        assert "platform administrator" in problem["remedy"]
        assert member(person.login).name == name
    assert rows[new]["outcome"] == "created"
    assert "13800000000" not in answer.text + page.text
    assert "13700000000" not in answer.text + page.text
    assert db.session.query(Membership).filter_by(member_id=theirs.id, tenant_id=tenant.id).count() == 0

    platform = call(api(as_role(PLATFORM)), raw).json

    assert {one["outcome"] for one in platform["rows"]} == {"overwritten", "unchanged"}
    assert member(theirs.login).name == "Name"
    assert db.session.query(Membership).filter_by(member_id=theirs.id, tenant_id=tenant.id).count() == 1


def test_nobody_overwrites_who_stands_above_them_directly_or_through_a_group(as_holder_of, api, tenant):
    above = factories.make_member(tenant, roles=[ADMIN], name="Above")
    through = factories.make_member(tenant, name="Through")
    factories.make_grant(tenant, factories.make_group(tenant, [through]), ADMIN)
    beside = factories.make_member(tenant, name="Beside")
    raw = csv_of([["login", "name"], *[[one.login, "Taken over"] for one in (above, through, beside)]])

    answer = call(api(as_holder_of(MEMBER_EDIT)), raw).json

    codes = [[problem["code"] for problem in one["problems"]] for one in answer["rows"]]
    assert codes == [["IAM/PERSON_ABOVE_YOU"], ["IAM/PERSON_ABOVE_YOU"], []]
    assert (member(above.login).name, member(through.login).name) == ("Above", "Through")
    assert member(beside.login).name == "Taken over"


def test_only_who_may_edit_members_sees_the_page_or_sends_a_file(as_holder_of, api):
    reader = as_holder_of(MEMBER_READ)
    raw = csv_of([HEADER, row(login())])

    assert reader.get(PATH).status_code == 403
    assert reader.get(f"{PATH}/template").status_code == 403
    assert send(reader, raw).status_code == 403
    assert call(api(reader), raw).status_code == 403


@pytest.mark.parametrize(
    ("cells", "pointer", "code"),
    [
        (row("no address"), "/login", "invalid"),
        (row("a@b.example", name=" "), "/name", "required"),
        (row("a@b.example", mobile="1" * 33), "/mobile", "invalid"),
        (row("a@b.example", mobile="1.39E+10"), "/mobile", "cell"),
        (row("a@b.example", name="x\x01y"), "/name", "cell"),
        (row("a@b.example", staff="7" * 65), "/staffNumber", "invalid"),
    ],
)
def test_what_is_wrong_with_a_row_stands_beside_its_field_with_code_and_remedy(admin, api, cells, pointer, code):
    good = login()

    answer = call(api(admin), csv_of([HEADER, cells, row(good)])).json

    assert [one["outcome"] for one in answer["rows"]] == ["refused", "created"]
    problem = answer["rows"][0]["problems"][0]
    assert (problem["pointer"], problem["code"]) == (pointer, code)
    assert problem["message"]
    assert problem["remedy"]


def test_a_login_name_that_stands_twice_is_taken_from_its_first_row(admin, api):
    new = login()

    answer = call(api(admin), csv_of([HEADER, row(new, name="First"), row(new.upper(), name="Second")])).json

    assert [one["outcome"] for one in answer["rows"]] == ["created", "refused"]
    assert answer["rows"][1]["problems"][0]["code"] == "twice"
    assert member(new).name == "First"


@pytest.mark.parametrize(
    ("header", "word"),
    [
        (["Login name", "Name", "Salary"], "Salary"),
        (["Login name", "Name", "姓名"], "Name"),
        (["Login name", "Mobile"], "Name"),
        (["Name"], "Login name"),
    ],
)
def test_unknown_repeated_and_missing_columns_are_named(admin, api, header, word):
    answer = call(api(admin), csv_of([header, ["x"] * len(header)]))

    assert answer.status_code == 422
    assert answer.json["code"] == "CORE/TABLE_UNREADABLE"
    assert word in answer.json["detail"]


def test_what_is_no_table_is_refused_on_the_page_in_words(admin):
    for raw in (b"\x00\xff junk", b"PK\x03\x04junk", b"", csv_of([HEADER])):
        answer = send(admin, raw, **{"HX-Request": "true"})
        assert answer.status_code == 422
        assert "CORE/TABLE_UNREADABLE" in answer.text
    assert admin.post(PATH, data={}).status_code == 422


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_template_is_filled_in_and_taken(admin, api, kind, language):
    admin.set_cookie("antstack-locale", language, domain="127.0.0.1")
    template = admin.get(f"{PATH}/template?format={kind}")
    header = list(sheets.read(template.get_data()).header)
    new = login()

    raw = (csv_of if kind == "csv" else xlsx)([header, row(new)])

    assert len(header) == len(HEADER)
    assert f"filename=members.{kind}" in template.headers["Content-Disposition"]
    assert call(api(admin), raw).json["created"] == 1
    assert member(new).nickname == "Name" if header[1] in ("Name", "姓名") else member(new).nickname == "nick"


def test_what_the_list_gives_as_csv_is_taken_back_and_changes_nothing(admin, api, tenant):
    known = factories.make_member(tenant, name="=1+1", nickname="@nick", mobile="+86 139")

    listed = admin.get("/iam/members?format=csv&columns=login,name,nickname,mobile,state,created")
    answer = call(api(admin), listed.get_data()).json

    assert "'=1+1" in listed.text
    assert {one["outcome"] for one in answer["rows"] if one["name"] == known.login} == {"unchanged"}
    assert answer["overwritten"] == 0
    assert "状态" in answer["passedOver"]
    assert member(known.login).name == "=1+1"


def test_what_changed_after_the_preview_is_said_and_nothing_is_done(admin, api, tenant):
    known = factories.make_member(tenant, name="Before")
    new = login()
    raw = csv_of([["login", "name"], [known.login, "After"], [new, "New"]])
    seen, told = mark(send(admin, raw)), call(api(admin), raw, "?dryRun=true").json["mark"]

    known.name = "Somebody was faster"
    db.session.commit()
    answer = send(admin, raw, seen)

    assert answer.status_code == 422
    assert "CORE/CHANGED_MEANWHILE" in answer.text
    assert "Somebody was faster" in answer.text
    assert call(api(admin), raw, f"?seen={told}").status_code == 412
    assert (member(known.login).name, member(new)) == ("Somebody was faster", None)

    assert send(admin, raw, mark(answer)).status_code == 200
    assert member(known.login).name == "After"


def test_another_file_than_the_one_that_was_previewed_is_not_imported(admin):
    seen = mark(send(admin, csv_of([HEADER, row(login())])))
    other = login()

    assert send(admin, csv_of([HEADER, row(other)]), seen).status_code == 422

    assert member(other) is None


@pytest.mark.req("C-45")
def test_of_two_who_create_the_same_person_at_once_one_is_told_and_does_nothing_half(admin, api):
    new, beside = login(), login()

    def rival(connection):
        connection.execute(Member.__table__.insert(), [_bare(new)])

    with between(rival) as done:
        answer = call(api(admin), csv_of([HEADER, row(beside), row(new)]))

    assert done
    assert answer.status_code == 409
    assert member(beside) is None


@pytest.mark.req("C-45")
def test_of_two_who_change_the_same_person_at_once_one_is_told_and_does_nothing_half(admin, api, tenant):
    known = factories.make_member(tenant, name="Before")
    identifier, beside = known.id, login()

    def rival(connection):
        table = Member.__table__
        connection.execute(table.update().where(table.c.id == identifier).values(name="Rival", version=99))

    with between(rival) as done:
        answer = call(api(admin), csv_of([["login", "name"], [beside, "x"], [known.login, "After"]]))

    assert done
    assert answer.status_code == 412
    assert (member(known.login).name, member(beside)) == ("Rival", None)


def _bare(name: str) -> dict[str, object]:
    from app.db import new_id, now

    held = {"id": new_id(), "created_at": now(), "login": name, "name": "Rival", "version": 1, "state": "active"}
    empty = dict.fromkeys(("nickname", "mobile", "landline", "staff_number", "password_hash", "last_login_ip"), "")
    return {**held, **empty, "must_reset": False, "failures": 0}


@pytest.mark.req("C-62")
def test_two_thousand_rows_ask_the_database_hardly_more_often_than_twenty(admin, api, tenant):
    def cost(many: int) -> int:
        known = [factories.make_member(tenant) for _ in range(20)]
        rows = [row(one.login) for one in known] + [row(login()) for _ in range(many - 20)]
        with statements() as seen:
            answer = call(api(admin), csv_of([HEADER, *rows]))
        assert (answer.json["created"], answer.json["overwritten"]) == (many - 20, 20)
        return len(seen)

    few, many = cost(40), cost(2_000)

    assert many <= few + 40


@pytest.mark.parametrize("alike", ["\uff41{}", "e\u0301{}", "\u200b{}", "{}\u202e"])
def test_a_login_name_that_only_looks_like_another_is_refused(admin, api, alike):
    name = alike.format(factories.unique("x")) + "@example.test"

    answer = call(api(admin), csv_of([HEADER, row(name)]), "?dryRun=true").json
    made = api(admin).post("/iam/members", {"login": name, "name": "Name"})

    assert [problem["pointer"] for problem in answer["rows"][0]["problems"]] == ["/login"]
    assert made.json["code"] == "CORE/INVALID_INPUT"


def test_a_login_name_with_accents_is_as_good_as_any(admin, api):
    answer = call(api(admin), csv_of([HEADER, row(login("\u00e9"))]), "?dryRun=true").json

    assert answer["created"] == 1


def test_of_the_name_of_a_file_no_more_is_recorded_than_a_name_has(admin, audit_log):
    send(admin, csv_of([HEADER, row(login())]), name="a\x07" + "b" * 100_000 + ".csv")

    (recorded,) = audit_log(rows=True)
    assert len(recorded.detail["file"]) == 255
    assert "\x07" not in recorded.detail["file"]


def test_one_import_at_a_time_keeps_room_for_everybody_else(admin, api):
    raw = csv_of([HEADER, row(login())])

    with imports.turn:
        refused, shown = call(api(admin), raw, "?dryRun=true"), send(admin, raw)

    assert (refused.status_code, refused.json["code"]) == (429, "CORE/IMPORT_UNDER_WAY")
    assert refused.headers["Retry-After"] == "5"
    assert "CORE/IMPORT_UNDER_WAY" in shown.text
    assert call(api(admin), raw, "?dryRun=true").status_code == 200
    assert call(api(admin), b"PK\x03\x04").status_code == 422
    assert call(api(admin), raw, "?dryRun=true").status_code == 200
