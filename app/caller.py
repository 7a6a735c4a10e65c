"""The caller of the work under way: who, in which tenant, from where, under which trace."""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, replace

from app.contracts.identity import SYSTEM, Principal
from app.errors import SIGNED_OUT

TRACEPARENT = re.compile(r"^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$")


@dataclass(frozen=True, slots=True)
class Caller:
    """One caller: principal None means that nobody signed in.

    ``scopes`` are those of an access token, None where there is none; ``application`` is the client that acts for
    the person. With ``dry_run`` nothing may be changed anywhere.
    """

    principal: Principal | None = None
    workspace_id: str | None = None
    source_ip: str = ""
    user_agent: str = ""
    access_key_id: str | None = None
    trace_id: str = ""
    session_id: str | None = None
    mfa: bool = False
    scopes: frozenset[str] | None = None
    application: str = ""
    dry_run: bool = False

    @property
    def tenant_id(self) -> str:
        """The tenant that all work is for.

        :raises ConsoleError: CORE/SIGNED_OUT when nobody signed in
        """
        if self.principal is None:
            raise SIGNED_OUT()
        return self.principal.tenant_id

    @property
    def name(self) -> str:
        """Who it is, as records keep it; empty where nobody signed in."""
        return self.principal.name if self.principal else ""


_current: ContextVar[Caller] = ContextVar("caller", default=Caller())


def current() -> Caller:
    """The caller of this request or job."""
    return _current.get()


def become(caller: Caller) -> None:
    """Work in the name of *caller* from here on, in this context."""
    _current.set(caller)


@contextlib.contextmanager
def acting_as(caller: Caller) -> Iterator[Caller]:
    """Work in the name of *caller* inside the block."""
    token = _current.set(caller)
    try:
        yield caller
    finally:
        _current.reset(token)


def system(tenant_id: str, what: str = SYSTEM) -> Caller:
    """The site itself, at work in one tenant: periodic work, reconciliation."""
    return Caller(principal=Principal("system", what, what, what, tenant_id), trace_id=new_trace())


def in_tenant(caller: Caller, principal: Principal) -> Caller:
    """The same caller as another principal."""
    return replace(caller, principal=principal)


def new_trace() -> str:
    """A new W3C trace identifier."""
    return secrets.token_hex(16)


def trace_of(traceparent: str | None) -> str:
    """The trace identifier of a ``traceparent`` header, or a new one (W3C Trace Context)."""
    found = TRACEPARENT.match(traceparent or "")
    return found.group(1) if found and found.group(1) != "0" * 32 else new_trace()


def traceparent() -> str:
    """The header that passes this trace on."""
    return f"00-{current().trace_id or new_trace()}-{secrets.token_hex(8)}-01"
