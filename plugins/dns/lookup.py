"""What the server of this site answers: asked as a resolver would ask it."""

from __future__ import annotations

import time
from typing import Annotated

import dns.exception
import dns.message
import dns.query
import dns.rdatatype
from flask import Response, request
from msgspec import UNSET, UnsetType

from app import site
from app.contracts.shapes import doc
from app.errors import invalid
from app.guard import guard
from app.web.api import In, Out
from app.web.language import t
from app.web.render import render
from app.words import _
from plugins.dns.names import normal
from plugins.dns.permissions import ZONE_READ
from plugins.dns.settings import DnsSettings
from plugins.dns.values import TYPES
from plugins.dns.web import api, bp

SILENT = _("It did not answer within two seconds.")
UNREACHED = _("It cannot be reached, or answers what is no DNS.")


class LookupAnswer(Out):
    """What the embedded server answered."""

    server: Annotated[str, doc("Address and port of the server.")]
    rcode: Annotated[str, doc("Response code (RFC 1035), such as `NOERROR`; empty where it did not answer.")]
    answers: Annotated[list[str], doc("Values of the answer section.")]
    error: Annotated[str | None, doc("Why there is no answer, in the caller's language; null where there is one.")]
    ms: Annotated[float | None, doc("How long it took, in milliseconds; null where it did not answer.")]
    text: Annotated[str | UnsetType, doc("The whole answer, in the notation of `dig`.")] = UNSET


def ask(name: str, kind: str) -> LookupAnswer:
    """Ask the embedded server, and tell its whole answer and how long it took."""
    settings = site.settings_of(DnsSettings)
    server = f"{settings.host}:{settings.port}"
    query = dns.message.make_query(name, dns.rdatatype.from_text(kind))
    started = time.perf_counter()
    try:
        answer = dns.query.udp(query, settings.host, timeout=2, port=settings.port)
    except (dns.exception.DNSException, OSError) as error:
        return LookupAnswer(server, "", [], t(SILENT if isinstance(error, dns.exception.Timeout) else UNREACHED), None)
    took = (time.perf_counter() - started) * 1000
    values = [item.to_text() for rrset in answer.answer for item in rrset]
    rcode = answer.rcode().name if hasattr(answer.rcode(), "name") else str(answer.rcode())
    return LookupAnswer(server, rcode, values, None, round(took, 2), answer.to_text())


class Lookup(In):
    """What to ask the server."""

    name: Annotated[str, doc("Name that is asked for.")]
    type: Annotated[str, doc("Type of the records, such as `A` or `CNAME`.")] = "A"


@api.operation(
    "GET",
    "/dns/lookup",
    "dns.lookup",
    _("Ask the server"),
    ZONE_READ,
    query=Lookup,
    returns=LookupAnswer,
)
def lookup(query: Lookup) -> LookupAnswer:
    try:
        dns.rdatatype.from_text(query.type)
    except (dns.rdatatype.UnknownRdatatype, ValueError) as error:
        raise invalid({"type": _("There is no such type.")}) from error
    return ask(normal(query.name), query.type)


@bp.get("/dns/lookup", endpoint="lookup")
@guard(ZONE_READ)
def lookup_page() -> Response:
    name, kind = request.args.get("name", "").strip(), request.args.get("type", "A")
    answer = ask(normal(name), kind) if name and kind in (*TYPES, "SOA", "ANY") else None
    return render(
        "dns/lookup.html", fragment="answer", name=name, kind=kind, answer=answer, types=(*TYPES, "SOA", "ANY")
    )
