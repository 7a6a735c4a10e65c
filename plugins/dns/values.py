"""Values of records: read as master files write them (RFC 1035 5.1), kept in one form, refused in words, held to
what an answer carries.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from dns.rdtypes.ANY.TXT import TXT

from app.words import Text, _

TYPES = ("A", "AAAA", "CNAME", "TXT", "MX", "SRV", "NS", "PTR", "CAA")
LONGEST_STRING = 255  # octets of one character string (RFC 1035 3.3)
LONGEST = 65_535  # octets of one value's data, and of one answer over TCP (RFC 1035 3.2.1, 4.2.2)
MOST_VALUES = LONGEST // 12  # each has a name of two octets and ten of type, class, TTL and length before its data
LONGEST_NAME = 255  # octets (RFC 1035 2.3.4)
LOOKS = {
    "A": _("an IPv4 address such as 192.0.2.1"),
    "AAAA": _("an IPv6 address such as 2001:db8::1"),
    "CNAME": _("a domain name such as www.shop.example."),
    "TXT": _('text, or strings of at most 255 octets in quotation marks, such as "a" "b"'),
    "MX": _("a preference and a mail server, such as 10 mail.shop.example."),
    "SRV": _("priority, weight, port and server, such as 0 5 443 www.shop.example."),
    "NS": _("the name of a server, such as ns1.shop.example."),
    "PTR": _("a domain name such as www.shop.example."),
    "CAA": _('flags, a tag and a quoted value, such as 0 issue "ca.example"'),
}
NONE = _("Give at least one value.")
TOO_LONG = _("This is longer than the {longest} octets that a value holds.").format(longest=LONGEST)
TOO_MANY = _("Together these are longer than the {longest} octets that an answer carries.").format(longest=LONGEST)
Problem = tuple[str, Text]


def problem(kind: str, values: Any, name: str, zone: str) -> Problem | None:
    """What is wrong with the values of a record set, and where: at ``values``, or at ``values/1``; or None.

    :param name: absolute, of the records
    :param zone: what names in the values are relative to
    """
    if not isinstance(values, list) or not values:
        return "values", NONE
    if len(values) > MOST_VALUES:
        return "values", TOO_MANY
    found = []
    for at, value in enumerate(values):
        try:
            found.append(_read(kind, str(value), zone))
        except (dns.exception.DNSException, ValueError):
            looks = LOOKS[kind]
            return f"values/{at}", _("A value of {kind} is {looks}").format(kind=kind, looks=looks)
        if not _fits(name, found[-1:]):
            return f"values/{at}", TOO_LONG
    return None if _fits(name, found) else ("values", TOO_MANY)


def canonical(kind: str, values: Sequence[Any], zone: str) -> tuple[str, ...]:
    """Correct values in the form in which they are kept, each once."""
    return tuple(dict.fromkeys(_read(kind, str(value), zone).to_text() for value in values))


def _read(kind: str, value: str, zone: str) -> dns.rdata.Rdata:
    if kind == "TXT" and not value.startswith('"'):
        octets = value.encode()
        pieces = [octets[at : at + LONGEST_STRING] for at in range(0, len(octets), LONGEST_STRING)] or [b""]
        return TXT(dns.rdataclass.IN, dns.rdatatype.TXT, pieces)
    origin = dns.name.from_text(zone + ".")
    return dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(kind), value, origin, False)


def _fits(name: str, values: Sequence[dns.rdata.Rdata]) -> bool:
    """Whether the answer to a question with EDNS for these records fits into one message."""
    answer = dns.message.make_query(dns.name.from_text(name + "."), values[0].rdtype, use_edns=0)
    answer.flags |= dns.flags.QR
    longest = (
        LONGEST_NAME - len(name) - 2 if name.startswith("*") else 0
    )  # what a question that a wildcard answers adds
    answer.answer.append(dns.rrset.from_rdata_list(dns.name.from_text(name + "."), 0, values))
    try:
        answer.to_wire(max_size=LONGEST - longest)
    except (dns.exception.DNSException, ValueError, OverflowError):
        return False
    return True
