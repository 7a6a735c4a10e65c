"""The provider's endpoints: discovery, keys, authorization, tokens, userinfo, introspection, revocation, logout."""

from __future__ import annotations

from urllib.parse import urlencode

from authlib.oauth2 import OAuth2Error
from flask import Blueprint, Response, g, jsonify, make_response, redirect, request, url_for

from app import audit, caller
from app.contracts.identity import API
from app.errors import SIGNED_OUT
from app.guard import public
from app.web.render import render
from plugins.iam import permissions
from plugins.iam.models import MEMBER
from plugins.iam.oidc import access, claims, clients, keys, logout
from plugins.iam.oidc import authorize as authorization
from plugins.iam.oidc import session as sessions
from plugins.iam.oidc.keys import issuer
from plugins.iam.oidc.server import provider
from plugins.iam.principals import home_tenant

bp = Blueprint("iam_oidc", __name__)
PROGRAM = "client credentials or a token prove it"


@bp.errorhandler(OAuth2Error)
def _refused(error: OAuth2Error) -> Response:
    """What Authlib refuses before it has read the request."""
    answer: Response = provider().handle_error_response(None, error)
    return answer


@bp.get("/.well-known/openid-configuration")
@public("what the provider can do (OpenID Connect Discovery 1.0)", csrf=False)
def discovery() -> Response:
    url = issuer()
    return jsonify(
        issuer=url,
        authorization_endpoint=f"{url}/oauth/authorize",
        token_endpoint=f"{url}/oauth/token",
        userinfo_endpoint=f"{url}/oauth/userinfo",
        jwks_uri=f"{url}/oauth/jwks",
        introspection_endpoint=f"{url}/oauth/introspect",
        revocation_endpoint=f"{url}/oauth/revoke",
        end_session_endpoint=f"{url}/oauth/logout",
        antstack_snapshot_endpoint=f"{url}/oauth/site/snapshot",
        antstack_signature_endpoint=f"{url}/oauth/site/signature",
        scopes_supported=[*clients.SCOPES, *clients.API_SCOPES[API]],
        response_types_supported=["code"],
        response_modes_supported=["query"],
        grant_types_supported=[clients.CODE, clients.REFRESH, clients.CLIENT],
        subject_types_supported=["public"],
        id_token_signing_alg_values_supported=[keys.ALGORITHM],
        token_endpoint_auth_methods_supported=["client_secret_basic", "client_secret_post", "none"],
        introspection_endpoint_auth_methods_supported=["client_secret_basic", "client_secret_post"],
        revocation_endpoint_auth_methods_supported=["client_secret_basic", "client_secret_post", "none"],
        code_challenge_methods_supported=["S256"],
        claims_supported=[
            "iss",
            "aud",
            "sub",
            "exp",
            "iat",
            "auth_time",
            "nonce",
            "amr",
            "sid",
            "name",
            "preferred_username",
            "nickname",
            "email",
            "email_verified",
            "tenant",
            "workspace",
            "groups",
            "roles",
        ],
        prompt_values_supported=["none", "login", "consent", "select_account"],
        ui_locales_supported=["zh-CN", "en"],
        claims_parameter_supported=False,
        request_parameter_supported=False,
        request_uri_parameter_supported=False,
        require_request_uri_registration=False,
        authorization_response_iss_parameter_supported=True,
        backchannel_logout_supported=True,
        backchannel_logout_session_supported=True,
    )


@bp.get("/oauth/jwks")
@public("public keys", csrf=False)
def jwks() -> Response:
    response = jsonify(keys=keys.public_keys())
    response.headers["Cache-Control"] = f"public, max-age={keys.JWKS_MAX_AGE}"
    return response


@bp.get("/oauth/authorize")
@public("the provider's front door: the session at the provider decides")
def authorize() -> Response:
    return authorization.authorize()


@bp.post("/oauth/authorize")
@public("sends the browser to the same request with GET, where its session counts", csrf=False)
def authorize_by_post() -> Response:
    query = urlencode(list(request.values.items(multi=True)))
    return make_response(redirect(f"/oauth/authorize?{query}", 303))


@bp.post("/oauth/consent")
@public("the person at the provider's session answers for themselves", audit=permissions.CONSENTED)
def consent() -> Response:
    session = sessions.find()
    client = clients.find(request.form.get("client", ""))
    if session is None or client is None:
        raise SIGNED_OUT()
    allowed = request.form.get("answer") == "allow"
    member = claims.live_member(session.member_id)
    audit.note("client", client.client_id, client.name, allowed=allowed, login=member.login if member else "")
    g.audit_note["tenant"] = home_tenant(member)
    if allowed:
        authorization.give_consent(session, client.client_id, request.form.getlist("scope"))
    query = request.form.get("allow" if allowed else "deny", "")
    return make_response(redirect(f"/oauth/authorize?{query}", 303))


@bp.post("/oauth/token")
@public(PROGRAM, audit=permissions.TOKEN_ISSUED, csrf=False)
def token() -> Response:
    answer: Response = provider().create_token_response()
    return answer


def _of_endpoint(name: str) -> Response:
    answer: Response = provider().create_endpoint_response(name)
    return answer


@bp.post("/oauth/introspect")
@public(PROGRAM, csrf=False)
def introspect() -> Response:
    return _of_endpoint("introspection")


@bp.post("/oauth/revoke")
@public(PROGRAM, audit=permissions.TOKEN_REVOKED, csrf=False)
def revoke() -> Response:
    return _of_endpoint("revocation")


@bp.route("/oauth/userinfo", methods=["GET", "POST"])
@public(PROGRAM, csrf=False)
def userinfo() -> Response:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        given = request.form.get("access_token", "") if request.method == "POST" else ""
    found = access.find(given.strip()) if given else None
    if found is None or found.row.principal_type != MEMBER:
        return _challenge('error="invalid_token"' if given else "", 401)
    row = found.row
    if "openid" not in found.scopes:
        return _challenge('error="insufficient_scope", scope="openid"', 403)
    member = claims.live_member(row.principal_id)
    if member is None:
        return _challenge('error="invalid_token"', 401)
    return jsonify(claims.about(member, row.scope, row.tenant_id))


def _challenge(detail: str, status: int) -> Response:
    response = make_response({"error": detail.partition('"')[2].partition('"')[0] or "invalid_request"}, status)
    response.headers["WWW-Authenticate"] = f"Bearer {detail}".strip()
    return response


@bp.route("/oauth/logout", methods=["GET", "POST"])
@public("an ID token of this site says whose session ends; without one the person is asked", csrf=False)
def log_out() -> Response:
    try:
        asked = provider().validate_endpoint_request("end_session")
    except OAuth2Error as error:
        refused = authorization.REFUSED(detail=error.description or error.error)
        return render("core/problem_plain.html", error=refused, trace_id=caller.current().trace_id, status=400)
    session = sessions.find()
    hinted = (asked.id_token_claims or {}).get("sub")
    if session is not None and hinted != session.member_id:
        return render("iam/log_out.html", target=asked.redirect_uri or "")
    return _ended(asked.redirect_uri or "")


@bp.post("/iam/sign-out")
@public("ends the browser's own session at the provider", audit=permissions.SIGNED_OUT)
def sign_out() -> Response:
    return _ended("")


def _ended(target: str) -> Response:
    session = sessions.find()
    if session is not None:
        member = claims.live_member(session.member_id)
        audit.note("member", session.member_id, member.login if member else "", login=member.login if member else "")
        g.audit_note["tenant"] = home_tenant(member)
        if request.endpoint == f"{bp.name}.log_out":
            audit.record(
                permissions.SIGNED_OUT,
                resource=("member", session.member_id, member.login if member else ""),
                detail={"login": member.login if member else ""},
                tenant_id=home_tenant(member),
            )
        logout.end(session)
    return sessions.COOKIE.take(make_response(redirect(target or url_for("auth.signed_out"), 302)))
