"""Whatever is wrong with what was sent, the form stays with what was typed, and the reason is in words (C-51, C-57)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from app.auth.models import ConsoleSession
from app.core.permissions import AUDIT_READ
from app.db import db
from plugins.captain import permissions as kube
from plugins.dns import permissions as dns
from plugins.dns.models import Zone
from plugins.iam import permissions as iam
from plugins.yunyou.permissions import ORDER_READ
from tests.plugins.dns.makers import zone_of

HTMX = {"HX-Request": "true", "Accept-Language": "en"}
HTML = {"Accept": "text/html", "Accept-Language": "en"}
RED = "err \x1b[31mred"


def toast_of(answer: Any) -> dict[str, str]:
    """The message that an answer shows over the page."""
    found: dict[str, str] = json.loads(answer.headers["HX-Trigger"])["toast"]
    return found


@pytest.mark.req("C-51")
@pytest.mark.parametrize("path", ["/iam/groups/new", "/dns/zones/new"])
def test_a_control_character_is_told_beside_its_field_in_the_dialog(
    as_holder_of: Callable[..., Any], path: str
) -> None:
    person = as_holder_of(iam.GROUP_READ, iam.GROUP_EDIT, dns.ZONE_READ, dns.ZONE_EDIT)

    answer = person.post(path, data={"name": RED}, headers=HTMX)

    assert answer.status_code == 422
    assert 'id="f-name-error"' in answer.text
    assert "characters that cannot be shown" in answer.text
    assert 'value="err \N{REPLACEMENT CHARACTER}[31mred"' in answer.text
    assert "\x1b" not in answer.text


@pytest.mark.req("C-51")
def test_a_control_character_is_told_beside_its_field_in_a_page(as_holder_of: Callable[..., Any], tenant: Any) -> None:
    zone = db.session.get(Zone, zone_of(tenant.id)[0]).name

    answer = as_holder_of(dns.ZONE_READ, dns.RECORD_EDIT).post(
        f"/dns/zones/{zone}/records", data={"name": "mail", "type": "TXT", "values": RED}, headers=HTML
    )

    assert answer.status_code == 422
    assert 'id="f-values-error"' in answer.text
    assert 'value="mail"' in answer.text


@pytest.mark.req("C-51", "C-30")
def test_a_form_for_what_is_not_there_is_told_so_and_recorded_whatever_is_in_it(
    as_holder_of: Callable[..., Any], audit_log: Callable[..., Any]
) -> None:
    """The view ends before it reads the form; what is recorded of it reads it first."""
    person = as_holder_of(dns.ZONE_READ, dns.RECORD_EDIT)

    answer = person.post("/dns/zones/none.example/records", data={"name": RED}, headers=HTMX)

    assert answer.status_code == 404
    assert [(row.result, row.error_code, row.resource_name) for row in audit_log(rows=True)] == [
        ("failed", "CORE/NOT_FOUND", "err \N{REPLACEMENT CHARACTER}[31mred")
    ]


@pytest.mark.req("C-51")
def test_a_view_that_does_not_look_is_refused_too(as_holder_of: Callable[..., Any], tenant: Any) -> None:
    zone = db.session.get(Zone, zone_of(tenant.id)[0]).name

    answer = as_holder_of(dns.ZONE_READ, dns.RECORD_EDIT).post(
        f"/dns/zones/{zone}/revert", data={"version": RED}, headers=HTMX
    )

    assert answer.status_code == 422
    assert "characters that cannot be shown" in toast_of(answer)["text"]


@pytest.mark.req("C-57")
def test_a_search_with_control_characters_is_refused_in_words(as_holder_of: Callable[..., Any]) -> None:
    answer = as_holder_of(AUDIT_READ).get("/audit", query_string={"q": RED}, headers=HTMX)

    assert answer.status_code == 422
    assert "characters that cannot be shown" in toast_of(answer)["text"]
    assert "marked" not in toast_of(answer)["text"]


@pytest.mark.req("C-57")
def test_whoever_is_signed_out_is_told_so_and_signs_in_beside_the_form(as_holder_of: Callable[..., Any]) -> None:
    person = as_holder_of(dns.ZONE_READ, dns.ZONE_EDIT)
    db.session.delete(db.session.get(ConsoleSession, person.session_id))
    db.session.commit()

    answer = person.post("/dns/zones/new", data={"name": "shop.example"}, headers=HTMX)
    page = person.post("/dns/zones/new", data={"name": "shop.example"}, headers=HTML)
    read = person.get("/dns/zones/new", headers=HTML)

    assert (answer.status_code, answer.text, page.status_code) == (401, "", 401)
    assert "HX-Redirect" not in answer.headers
    assert "not signed in" in toast_of(answer)["text"]
    assert toast_of(answer)["href"] == "/login"
    for part in ("CORE/SIGNED_OUT", "data-back", 'target="_blank"'):
        assert part in page.text
    assert (read.status_code, read.location) == (303, "/login?next=/dns/zones/new")


@pytest.mark.req("C-57")
def test_a_form_of_the_session_before_is_sent_with_the_token_of_the_new_one(as_holder_of: Callable[..., Any]) -> None:
    person = as_holder_of(dns.ZONE_READ, dns.ZONE_EDIT)
    stale = {**HTMX, "X-CSRF-Token": "1.of-the-session-before"}

    answer = person.post("/dns/zones/new", data={"name": "token.example"}, headers=stale)
    token = json.loads(answer.headers["HX-Trigger"])["csrf-token"]
    again = person.post("/dns/zones/new", data={"name": "token.example"}, headers={**HTMX, "X-CSRF-Token": token})

    assert answer.status_code == 403
    assert "once more" in toast_of(answer)["text"]
    assert again.status_code == 204


@pytest.mark.req("C-51")
def test_text_longer_than_its_column_is_refused_beside_its_field(as_holder_of: Callable[..., Any]) -> None:
    sent = {
        "name": "n" * 300,
        "redirect_uris": "https://wiki.example/back",
        "backchannel_uri": "https://192.0.2.7/" + "b" * 5000,
    }

    answer = as_holder_of(iam.CLIENT_READ, iam.CLIENT_EDIT).post("/iam/oidc-clients/new", data=sent, headers=HTMX)

    assert answer.status_code == 422
    assert "at most 255 characters; these are 300" in answer.text
    for name in ("name", "backchannel_uri"):
        assert f'id="f-{name}-error"' in answer.text


@pytest.mark.req("C-51")
def test_a_program_is_told_which_field_is_too_long(as_holder_of: Callable[..., Any], api: Callable[..., Any]) -> None:
    made = api(as_holder_of(iam.CLIENT_READ, iam.CLIENT_EDIT)).post(
        "/iam/oidc-clients",
        {
            "name": "Wiki",
            "redirectUris": ["https://wiki.example/back"],
            "backchannelUri": "https://192.0.2.7/" + "b" * 5000,
        },
    )

    assert made.status_code == 422
    assert [wrong["pointer"] for wrong in made.json["errors"]] == ["/backchannelUri"]


@pytest.mark.req("C-51")
def test_a_wrong_redirect_address_is_told_beside_its_field(as_holder_of: Callable[..., Any]) -> None:
    sent = {"name": "Wiki", "redirect_uris": "http://wiki.example/#top", "post_logout_uris": "ftp://wiki.example"}

    answer = as_holder_of(iam.CLIENT_READ, iam.CLIENT_EDIT).post("/iam/oidc-clients/new", data=sent, headers=HTMX)

    assert answer.status_code == 422
    for name in ("redirect_uris", "post_logout_uris"):
        assert f'href="#f-{name}"' in answer.text
        assert f'id="f-{name}-error"' in answer.text
    assert "write a whole address that begins with https://" in answer.text


@pytest.mark.req("C-51", "Q-20")
@pytest.mark.parametrize("number", ["\N{SUPERSCRIPT TWO}", "9" * 5_000, "1e3", "-1", "\N{ARABIC-INDIC DIGIT TWO}"])
def test_what_only_looks_like_a_number_is_refused_as_none(as_holder_of: Callable[..., Any], number: str) -> None:
    """``str.isdigit`` takes the first, ``int`` does not; nor does it take the second."""
    person = as_holder_of(ORDER_READ, iam.GRANT_EDIT)
    sent = {"principal": "member:x", "role": "observer", "validity": number, "replicas": number}

    for path in ("/iam/grants/new", "/yunyou/environments/x/products/y/applications/z/scale"):
        assert person.post(path, data=sent, headers=HTMX).status_code == 422, path


@pytest.mark.req("C-50")
@pytest.mark.parametrize("place", ["after", "before"])
def test_a_page_that_is_gone_gives_the_first_one_and_says_so(as_holder_of: Callable[..., Any], place: str) -> None:
    answer = as_holder_of(iam.GROUP_READ).get(f"/iam/groups?{place}=xyz&size=100", headers=HTML)

    assert answer.status_code == 200
    assert "That page is gone; this is the first one." in answer.text


@pytest.mark.req("C-50", "Q-20")
def test_a_list_of_no_column_that_it_has_is_shown_with_the_usual_ones(as_holder_of: Callable[..., Any]) -> None:
    """An address that somebody kept from before a column was renamed."""
    person = as_holder_of(iam.GROUP_READ, iam.GROUP_EDIT)
    person.post("/iam/groups/new", data={"name": "Columns"}, headers=HTMX)

    answer = person.get("/iam/groups?cols=renamed", headers=HTML)

    assert answer.status_code == 200
    assert "Columns" in answer.text


@pytest.mark.req("C-50")
def test_a_cell_without_text_has_nothing_to_copy(as_holder_of: Callable[..., Any]) -> None:
    person = as_holder_of(AUDIT_READ, iam.GROUP_READ, iam.GROUP_EDIT)
    person.post("/iam/groups/new", data={"name": "Copied"}, headers=HTMX)

    page = person.get("/audit?cols=resource&cols=key&cols=error", headers=HTML).text

    assert "Copied" in page
    assert 'aria-label="Copy' not in page


@pytest.mark.req("C-51")
def test_what_is_wrong_in_a_kubeconfig_is_told_in_words(as_holder_of: Callable[..., Any]) -> None:
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "a",
        "contexts": [{"name": "a", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "ftp://nowhere.example"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }

    answer = as_holder_of(kube.CLUSTER_READ, kube.CLUSTER_EDIT).post(
        "/captain/clusters/new", data={"name": "east", "kubeconfig": json.dumps(document)}, headers=HTMX
    )

    assert answer.status_code == 422
    assert "In the kubeconfig, cluster, server: The server must be an https:// address." in answer.text
    assert "/clusters/0" not in answer.text
