"""Clients that are somebody: a person at a browser, or a program."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from flask import Flask, has_app_context
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import caller, crypto
from app.auth import sessions
from app.auth.models import ConsoleSession
from app.db import db
from app.site import CATALOGUE
from app.web import openapi
from plugins.iam.models import Member, Tenant

VERBATIM = re.compile(r"(<textarea.*?</textarea>|<pre.*?</pre>)", re.S)
WRITES = ("POST", "PUT", "PATCH", "DELETE")


class Page(TestResponse):
    """An answer whose HTML reads as in one line: how its template is laid out is nobody's promise."""

    def get_data(self, as_text: bool = False) -> Any:
        """As ever; HTML without the white space that ends lines in tags and beside them."""
        data = super().get_data(as_text)  # type: ignore[call-overload]
        return in_one_line(data) if as_text and self.mimetype == "text/html" else data

    @property
    def text(self) -> str:
        """The same as text."""
        return str(self.get_data(as_text=True))


def in_one_line(markup: str) -> str:
    """HTML without the white space that ends lines inside of tags and beside them, but where it is shown."""
    return "".join(part if at % 2 else _in_one_line(part) for at, part in enumerate(VERBATIM.split(markup)))


def _in_one_line(markup: str) -> str:
    tags = re.sub(r"<[^<>]*>", lambda tag: re.sub(r"\s+", " ", tag[0]).replace(" >", ">"), markup)
    return re.sub(r"(?<=>)(?:\s*\n\s*|\s{2,})|(?:\s*\n\s*|\s{2,})(?=<)", "", tags)


class Person(FlaskClient):
    """A signed-in browser. Writes carry the CSRF header by themselves; pass ``csrf=False`` to leave it out."""

    member: Member
    tenant: Tenant
    session_id: str = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.response_wrapper = type("Page", (Page, self.response_wrapper), {})

    def sign_in(self, row: ConsoleSession, token: str) -> Person:
        """Take the cookie of a session."""
        self.set_cookie(sessions.COOKIE.name, token, domain="127.0.0.1")
        self.session_id = row.id
        return self

    def open(self, *args: Any, csrf: bool = True, **kwargs: Any) -> TestResponse:
        method = str(kwargs.get("method", "GET")).upper()
        if csrf and self.session_id and method in WRITES:
            headers = dict(kwargs.get("headers") or {})
            headers.setdefault("X-CSRF-Token", "1." + crypto.ring().sign("csrf", f"1.session/{self.session_id}"))
            kwargs["headers"] = headers
        kwargs.setdefault("base_url", "http://127.0.0.1:8080")
        return self._apart(*args, **kwargs)

    def _apart(self, *args: Any, **kwargs: Any) -> TestResponse:
        """The request in a context of its own: Flask would share the test's ``g`` and database session with it."""
        if not has_app_context():
            return super().open(*args, **kwargs)
        before = caller.current()
        db.session.commit()
        try:
            with self.application.app_context():
                return super().open(*args, **kwargs)
        finally:
            caller.become(before)
            db.session.expire_all()


def need_described(app: Flask, method: str, path: str, answer: TestResponse) -> None:
    """Fail where an answer has another status or shape than its operation declares."""
    endpoint, _ = app.url_map.bind("").match(path, method)
    declared = {
        f"api_{api.area}.{o.id.replace('.', '_')}": o for api in app.extensions[CATALOGUE].apis for o in api.operations
    }
    operation = declared[endpoint]
    assert answer.status_code == operation.status, (
        f"{operation.id} answered {answer.status_code}, not {operation.status}"
    )
    problems = []
    for shape in openapi.returned(operation):
        try:
            msgspec.json.decode(answer.get_data(), type=shape)
        except msgspec.ValidationError as error:
            problems.append(str(error))
    if not openapi.returned(operation):
        assert answer.get_data() == b"", f"{operation.id} answers no shape, but {answer.get_data()!r}"
        return
    assert len(problems) < len(openapi.returned(operation)), (
        f"{operation.id} answered what is none of its shapes: {problems}"
    )


class Api:
    """Calls ``/api/v1`` with JSON, as a person's browser or with a program's token."""

    def __init__(self, client: FlaskClient, token: str = "") -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def call(self, method: str, path: str, json: Any = None, **kwargs: Any) -> TestResponse:
        """One call; *path* is below ``/api/v1``, or whole."""
        kwargs["headers"] = {"Accept": "application/json", **self.headers, **(kwargs.get("headers") or {})}
        if json is not None:
            kwargs["json"] = json
        whole = path if path.startswith("/api/") else f"/api/v1{path}"
        answer = self.client.open(whole, method=method, **kwargs)
        if answer.is_json and answer.status_code < 300:
            need_described(self.client.application, method, whole.partition("?")[0], answer)
        return answer

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        """GET."""
        return self.call("GET", path, **kwargs)

    def post(self, path: str, json: Any = None, **kwargs: Any) -> TestResponse:
        """POST."""
        return self.call("POST", path, json, **kwargs)

    def put(self, path: str, json: Any = None, **kwargs: Any) -> TestResponse:
        """PUT."""
        return self.call("PUT", path, json, **kwargs)

    def patch(self, path: str, json: Any = None, **kwargs: Any) -> TestResponse:
        """PATCH."""
        return self.call("PATCH", path, json, **kwargs)

    def delete(self, path: str, **kwargs: Any) -> TestResponse:
        """DELETE."""
        return self.call("DELETE", path, **kwargs)
