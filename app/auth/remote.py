"""The directory of a site without people of its own: another site's IAM, by its snapshot and by asking it (C-1,
C-10).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from app import site
from app.auth import oidc, snapshot
from app.auth.federation import ACCESS, SIGNATURE, HeldRole, Introspected, SignatureAsked
from app.contracts.identity import Directory, Principal, RoleGrant, Signer, TenantRef, TokenRef, WorkspaceRef
from app.db import now
from app.words import plain


class RemoteDirectory(Directory):
    """Answers from the snapshot; tokens and signatures are asked for each time. Built-in roles mean what this site's
    plugins say.
    """

    def tenants_of(self, principal_key: str) -> Sequence[TenantRef]:
        book = snapshot.current().book
        return [tenant for tenant in book.tenants.values() if (principal_key, tenant.id) in book.principals]

    def workspaces_of(self, tenant_id: str) -> Sequence[WorkspaceRef]:
        return [space for space in snapshot.current().book.workspaces if space.tenant_id == tenant_id]

    def principal(self, principal_key: str, tenant_id: str) -> Principal | None:
        return snapshot.current().book.principals.get((principal_key, tenant_id))

    def epoch(self, tenant_id: str) -> int:
        return int(snapshot.current().digest[:15], 16)

    def grants(self, principal: Principal) -> Sequence[RoleGrant]:
        book, moment = snapshot.current().book, now()
        held = book.roles_of(principal.key, principal.tenant_id)
        found = (_grant(book, grant) for grant in held if grant.expires_at is None or grant.expires_at > moment)
        return [grant for grant in found if grant is not None]

    def signer(self, key_id: str, text: str, signature: str, source_ip: str) -> Signer:
        body = msgspec.json.encode(SignatureAsked(key_id, text, signature, source_ip))
        found = oidc.ask(SIGNATURE, Signer, data=body)
        if found.principal is None:
            return found
        principal = self.principal(found.principal.key, found.principal.tenant_id)
        return Signer("right", principal) if principal else Signer("owner-not-active")

    def token(self, bearer: str) -> TokenRef | None:
        told = oidc.ask("introspection_endpoint", Introspected, data={"token": bearer})
        if not told.active or told.token_use != ACCESS:
            return None
        principal = self.principal(f"{told.principal_type}:{told.sub}", told.tenant or "")
        if principal is None:
            return None
        scopes = frozenset(told.scope.split())
        return TokenRef(principal, told.client_id, frozenset(told.aud), scopes, told.delegated, "mfa" in told.amr)

    def key_of(self, login: str) -> str:
        return snapshot.current().book.keys.get(login.strip(), "")


def _grant(book: snapshot.Book, held: HeldRole) -> RoleGrant | None:
    """The role as it is here. A tenant's own one goes first, so that it never grows by a site that has one of the
    same code.
    """
    own = book.roles.get((held.tenant_id, held.role))
    built_in = site.catalogue().roles.get(held.role)
    if own is not None:
        name, permissions = plain(own.name), own.permissions
    elif built_in is not None:
        name, permissions = built_in.title, list(built_in.permissions)
    else:
        return None
    return RoleGrant(held.role, name, frozenset(permissions), held.source, held.expires_at, held.conditions)
