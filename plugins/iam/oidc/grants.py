"""The three grants of the token endpoint, with what Authlib 1.9 leaves open closed (RFC 6749, RFC 7636, RFC 9700)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from authlib.oauth2.rfc6749 import grants
from authlib.oauth2.rfc6749.errors import InvalidGrantError, InvalidRequestError
from authlib.oauth2.rfc6749.grants import AuthorizationEndpointMixin
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import OpenIDCode, OpenIDToken
from authlib.oidc.core.util import create_half_hash
from flask import g
from sqlalchemy import select, update

from app import audit, caller, crypto
from app.db import affected, db, now
from plugins.iam.models import MEMBER
from plugins.iam.models.oidc import AuthorizationCode, SessionClient, Token
from plugins.iam.oidc import claims, keys, tokens
from plugins.iam.oidc.keys import issuer
from plugins.iam.principals import note_use

CODE_LIVES = timedelta(seconds=60)
METHODS = ["client_secret_basic", "client_secret_post", "none"]


class CodeGrant(grants.AuthorizationCodeGrant):
    """Authorization code. A code is claimed by one conditional update; a second use takes its tokens back."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    @staticmethod
    def validate_authorization_redirect_uri(request: Any, client: Any) -> str:
        """As Authlib does, but for quoting an address that may hold what an error must not (RFC 6749, 4.1.2.1)."""
        if request.payload.redirect_uri and not client.check_redirect_uri(request.payload.redirect_uri):
            raise InvalidRequestError("The redirect_uri is not one of this client.")
        return str(AuthorizationEndpointMixin.validate_authorization_redirect_uri(request, client))

    def save_authorization_code(self, code: str, request: Any) -> None:
        """Keep the code's digest with what it stands for, and that the client takes part in the session."""
        asked, session = request.payload.data, request.user
        row = AuthorizationCode(
            code_digest=crypto.digest(code),
            client_id=request.client.client_id,
            member_id=session.member_id,
            tenant_id=claims.tenant_for(session.member_id, request.client.tenant_id),
            session_id=session.id,
            redirect_uri=request.payload.redirect_uri or "",
            scope=request.scope or "",
            nonce=asked.get("nonce", ""),
            code_challenge=asked.get("code_challenge", ""),
            code_challenge_method="S256" if asked.get("code_challenge") else "",
            auth_time=session.auth_time,
            amr=session.amr,
            expires_at=now() + CODE_LIVES,
        )
        db.session.add(row)
        if db.session.get(SessionClient, (session.id, row.client_id)) is None:
            db.session.add(SessionClient(session_id=session.id, client_id=row.client_id))

    def query_authorization_code(self, code: str, client: Any) -> AuthorizationCode | None:
        """The code of this client; of another client it is as if it did not exist."""
        query = select(AuthorizationCode).where(AuthorizationCode.code_digest == crypto.digest(code))
        row = db.session.scalar(query.where(AuthorizationCode.client_id == client.client_id))
        if row is not None and row.used_at is not None:
            self._replayed(row.id)
        return row if row is not None and row.expires_at > now() else None

    def delete_authorization_code(self, authorization_code: AuthorizationCode) -> None:
        """Nothing: it was claimed before the tokens were made, and stays known so that a replay is noticed."""

    def authenticate_user(self, authorization_code: AuthorizationCode) -> Any:
        """Claim the code, then name its owner: the last step before tokens are made."""
        code_id = authorization_code.id
        change = update(AuthorizationCode).where(AuthorizationCode.id == code_id, AuthorizationCode.used_at.is_(None))
        if not affected(change.values(used_at=now())):
            self._replayed(code_id)
        if not tokens.session_lives(authorization_code.session_id):
            raise InvalidGrantError("The session has ended.")
        return claims.live_member(authorization_code.member_id)

    def _replayed(self, code_id: str) -> None:
        """Take back what the first use of the code gave, and keep that though the answer is an error (RFC 6749,
        4.1.2).
        """
        family = select(Token.family).where(Token.code_id == code_id).scalar_subquery()
        revoked = tokens.revoke(Token.family.in_(family))
        db.session.commit()
        audit.note("authorization-code", code_id, "", replayed=True, revoked=revoked)
        raise InvalidGrantError("The code was used before.")


class RefreshGrant(grants.RefreshTokenGrant):
    """Refresh tokens: each works once; a second use ends its whole family (RFC 9700, 4.14.2)."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> Token | None:
        """The live token, else nothing; a used one ends its family."""
        row = tokens.find_refresh(refresh_token)
        if row is None or not row.check_client(self.request.client):
            return None
        if row.rotated_at is not None:
            self._reused(row.family)
        expired = row.refresh_expires_at is None or row.refresh_expires_at <= now()
        return None if expired or row.is_revoked() or not tokens.session_lives(row.session_id) else row

    def authenticate_user(self, refresh_token: Token) -> Any:
        """Use the token up, then name its owner."""
        family = refresh_token.family
        if not tokens.claim_refresh(refresh_token):
            self._reused(family)
        return claims.live_member(refresh_token.principal_id)

    def revoke_old_credential(self, refresh_token: Token) -> None:
        """Nothing: it was used up before the new one was made."""

    def _reused(self, family: str) -> None:
        revoked = tokens.revoke(Token.family == family)
        db.session.commit()
        audit.note("token", family, "", reused=True, revoked=revoked)
        raise InvalidGrantError("The refresh token was used before.")


class KeyGrant(grants.ClientCredentialsGrant):
    """Client credentials: an AccessKey is client ID and secret; the token belongs to its owner in its tenant."""

    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]

    def validate_token_request(self) -> None:
        """As Authlib does; then the key counts as used."""
        super().validate_token_request()
        note_use(self.request.client.client_id, caller.current().source_ip)


class S256(CodeChallenge):
    """PKCE: only S256, and who may not do without it is refused where the flow begins, not at its end (RFC 9700,
    2.1.1).
    """

    DEFAULT_CODE_CHALLENGE_METHOD = "S256"
    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        """Refuse ``plain``, whether named or by leaving the method out."""
        asked = grant.request.payload.data
        if asked.get("code_challenge") and asked.get("code_challenge_method") != "S256":
            raise InvalidRequestError("The code_challenge_method must be S256.")
        if not asked.get("code_challenge") and not grant.request.client.without_pkce:
            raise InvalidRequestError("This client must use PKCE: code_challenge is missing.")
        super().validate_code_challenge(grant, redirect_uri)


class _IdTokens:
    """How ID tokens are made: the active key with its ``kid``, one audience, the time of the sign-in itself."""

    def encode_id_token(self, token: dict[str, Any], request: Any) -> str:
        """The ID token that goes with *token*. Profile claims stay with userinfo but for who and where."""
        source = request.authorization_code or request.refresh_token
        moment = claims.seconds(now())
        content: dict[str, object] = {
            "iss": issuer(),
            "aud": request.client.client_id,
            "iat": moment,
            "exp": moment + int(token["expires_in"]),
            "auth_time": claims.seconds(source.auth_time),
            "amr": list(source.amr),
            "sid": source.session_id,
            "at_hash": _half_hash(token["access_token"]),
        }
        if getattr(source, "nonce", ""):
            content["nonce"] = source.nonce
        told = claims.about(request.user, token.get("scope", ""), source.tenant_id)
        content |= told if request.client.reads_id_token else {"sub": told["sub"]}
        return keys.sign(content)


class IdToken(_IdTokens, OpenIDToken):
    """With a refresh token: ``auth_time`` stays that of the sign-in (OpenID Connect Core 1.0, 12.2)."""


class IdCode(_IdTokens, OpenIDCode):
    """With an authorization code."""

    def exists_nonce(self, nonce: str, request: Any) -> bool:
        """Never refused: a nonce binds the answer for the client, who checks it."""
        return False


def _half_hash(access_token: str) -> str:
    return str(create_half_hash(access_token, keys.ALGORITHM).decode())


def keep(token: dict[str, Any], request: Any) -> None:
    """Store a token that a grant made."""
    client = request.client
    if client.principal is not None:
        owner = client.principal
        row = tokens.store(
            token, client_id=client.client_id, principal=(owner.type, owner.id), tenant_id=owner.tenant_id
        )
    elif request.refresh_token is not None:
        old = request.refresh_token
        row = tokens.store(
            token,
            client_id=client.client_id,
            principal=(MEMBER, old.principal_id),
            tenant_id=old.tenant_id,
            family=old.family,
            code_id=old.code_id,
            session_id=old.session_id,
            auth_time=old.auth_time,
            amr=old.amr,
            refresh_until=old.refresh_expires_at,
        )
    else:
        code = request.authorization_code
        row = tokens.store(
            token,
            client_id=client.client_id,
            principal=(MEMBER, code.member_id),
            tenant_id=code.tenant_id,
            code_id=code.id,
            session_id=code.session_id,
            auth_time=code.auth_time,
            amr=code.amr,
        )
    audit.note("token", row.id, client.name, client=client.client_id, scope=row.scope, tenant=row.tenant_id)
    _in_tenant(row.tenant_id)


def _in_tenant(tenant_id: str | None) -> None:
    if tenant_id:
        g.audit_note["tenant"] = tenant_id
