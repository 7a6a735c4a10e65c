"""Ending sessions at the provider: RP-initiated (RP-Initiated Logout 1.0) and told to clients (Back-Channel Logout
1.0).
"""

from __future__ import annotations

import secrets
from typing import Any

from authlib.oidc.rpinitiated import EndSessionEndpoint
from sqlalchemy import delete, select

from app import caller
from app.auth import sessions
from app.auth.oidc import LOGOUT_EVENT
from app.contracts.declarations import Job
from app.db import db, now
from app.jobs.queue import enqueue
from app.outgoing import door
from app.outgoing.session import Session
from app.words import _
from plugins.iam import permissions
from plugins.iam.models import PLATFORM_TENANT, Tenant
from plugins.iam.models.oidc import ProviderSession, SessionClient, Token
from plugins.iam.oidc import claims, clients, keys, tokens
from plugins.iam.oidc.keys import issuer

LOGOUT_TOKEN_LIVES = 120


class EndSession(EndSessionEndpoint):
    """Checks the request; the route ends the session, since it may have to ask first."""

    def get_server_jwks(self) -> Any:
        """The keys that signed ID tokens."""
        return keys.key_set()

    def get_algorithms(self) -> list[str]:
        """How they were signed."""
        return [keys.ALGORITHM]

    def end_session(self, end_session_request: Any) -> None:
        """Nothing: see the route."""


def end(session: ProviderSession) -> None:
    """End a session: its tokens die at once, this console's sessions too, and other clients are told by a job."""
    sid, member_id = session.id, session.member_id
    mine = select(SessionClient.client_id).where(SessionClient.session_id == sid)
    for client_id in db.session.scalars(mine).all():
        client = clients.find(client_id)
        if client is not None and not client.own and client.backchannel_uri:
            with caller.acting_as(_for_site(client.tenant_id)):
                enqueue(NOTIFY, client.name, session_id=sid, client_id=client_id, member_id=member_id)
    sessions.end_by_provider(sid)
    tokens.revoke(Token.session_id == sid)
    db.session.execute(delete(SessionClient).where(SessionClient.session_id == sid))
    db.session.delete(session)


def end_member(member_id: str) -> int:
    """End every session of a member, here and at the console: frozen, removed, password reset.

    :returns: how many there were at the provider
    """
    found = db.session.scalars(select(ProviderSession).where(ProviderSession.member_id == member_id)).all()
    for session in found:
        end(session)
    sessions.end_all(f"member:{member_id}")
    tokens.revoke_member(member_id)
    return len(found)


def _for_site(tenant_id: str | None) -> caller.Caller:
    tenant_id = tenant_id or db.session.scalar(select(Tenant.id).where(Tenant.code == PLATFORM_TENANT)) or ""
    return caller.system(tenant_id)


def notify(session_id: str, client_id: str, member_id: str) -> dict[str, int]:
    """Tell one client that a session ended, with a token made for this attempt. Safe to run twice.

    :raises OSError: it did not take it, so that the job is tried again
    """
    client = clients.find(client_id)
    if client is None or not client.backchannel_uri:
        return {}
    moment = claims.seconds(now())
    token = keys.sign(
        {
            "iss": issuer(),
            "aud": client_id,
            "iat": moment,
            "exp": moment + LOGOUT_TOKEN_LIVES,
            "jti": secrets.token_urlsafe(16),
            "sub": member_id,
            "sid": session_id,
            "events": {LOGOUT_EVENT: {}},
        },
        "logout+jwt",
    )
    answer = Session(door.of_site()).post(client.backchannel_uri, data={"logout_token": token})
    if answer.status_code not in (200, 204):
        raise OSError(f"{client.name} answered {answer.status_code}")
    return {"status": answer.status_code}


NOTIFY = Job(
    "iam.logout.notify",
    notify,
    _("Tell an application that a session ended"),
    permissions.CLIENT_EDIT,
    timeout=30,
    attempts=5,
)
