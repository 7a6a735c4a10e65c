"""A relying party for tests of the provider: asks, signs in, exchanges, as a browser and its application would."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet

from app import crypto
from app.db import db, new_id, now
from plugins.iam.models.oidc import OidcClient, ProviderSession
from plugins.iam.oidc import session
from tests.people import Person

CALLBACK = "https://app.example.test/callback"
VERIFIER = "a-verifier-that-is-long-enough-for-rfc-7636-to-accept-it"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


def begin_session(browser: Person, member: Any, age: float = 0.0) -> ProviderSession:
    """Sign a person in at the provider, *age* seconds ago."""
    from datetime import timedelta

    token, moment = new_id() + new_id(), now() - timedelta(seconds=age)
    row = ProviderSession(
        id=new_id(),
        member_id=member.id,
        token_digest=crypto.digest(token),
        auth_time=moment,
        amr=["pwd"],
        last_seen_at=now(),
        expires_at=now() + timedelta(hours=1),
    )
    db.session.add(row)
    db.session.commit()
    browser.set_cookie(session.COOKIE.name, token, domain="127.0.0.1")
    return row


def ask(browser: Person, client: OidcClient | str, **parameters: Any) -> Any:
    """GET the authorization endpoint."""
    asked = {
        "response_type": "code",
        "client_id": client if isinstance(client, str) else client.client_id,
        "redirect_uri": CALLBACK,
        "scope": "openid",
        "state": "the-state",
        "nonce": "the-nonce",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **parameters,
    }
    return browser.get("/oauth/authorize?" + urlencode({k: v for k, v in asked.items() if v is not None}))


def told(answer: Any) -> dict[str, str]:
    """The parameters that an answer of the authorization endpoint brings to the client."""
    assert answer.status_code in (302, 303), answer.text[:500]
    return {key: values[0] for key, values in parse_qs(urlsplit(answer.location).query).items()}


def code_of(answer: Any) -> str:
    """The code in an answer of the authorization endpoint."""
    parameters = told(answer)
    assert "code" in parameters, parameters
    return parameters["code"]


def exchange(
    browser: Person, client: OidcClient, code: str, secret: str | None = "client-secret", **parameters: Any
) -> Any:
    """Exchange a code at the token endpoint."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
        **parameters,
    }
    return token_call(browser, client, {k: v for k, v in form.items() if v is not None}, secret)


def refresh(browser: Person, client: OidcClient, token: str, **parameters: Any) -> Any:
    """Use a refresh token."""
    return token_call(browser, client, {"grant_type": "refresh_token", "refresh_token": token, **parameters})


def token_call(browser: Person, client: OidcClient, form: dict[str, str], secret: str | None = "client-secret") -> Any:
    """POST the token endpoint; without a secret, as a public client."""
    if secret is None:
        return browser.post("/oauth/token", data={**form, "client_id": client.client_id}, csrf=False)
    return browser.post("/oauth/token", data=form, headers=basic(client.client_id, secret), csrf=False)


def basic(name: str, secret: str) -> dict[str, str]:
    """The header of HTTP Basic."""
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    """The header of a bearer token."""
    return {"Authorization": f"Bearer {token}"}


def tokens_of(browser, app_client, **asked):
    """What a sign-in at *app_client* answers to its code."""
    answer = exchange(browser, app_client, code_of(ask(browser, app_client, **asked)))
    assert answer.status_code == 200, answer.text
    return answer.json


def claims_of(browser, token):
    """The claims of a JWT whose signature a published key proves."""
    published = browser.get("/oauth/jwks").json
    return jwt.decode(token, KeySet.import_key_set(published), algorithms=["RS256"]).claims
