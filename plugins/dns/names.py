"""Names of zones and records, as the RFCs allow them."""

from __future__ import annotations

import re

import dns.exception
import dns.name

from app.errors import ConsoleError, invalid
from app.words import Text, _

# RFC 952, RFC 1123 2.1: letters, digits and inner hyphens; RFC 8552: labels of records may begin with an underscore.
HOST_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
RECORD_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?")
WHOLE_TREES = ("in-addr.arpa", "ip6.arpa")  # RFC 1035 3.5, RFC 3596 2.5: nobody here has all addresses
A_LABEL = "xn--"  # RFC 5890 2.3.2.1: what follows is Punycode of another alphabet
NUMBER = _("The last label of a name is no number (RFC 1123 2.1); an address's reverse zone ends in in-addr.arpa.")
WORDS = _("Letters, digits and hyphens between dots, as in shop.example.")
TWO_LABELS = _("A zone needs at least two labels, as in shop.example.")
TOO_WIDE = _("Name the part of the tree that is yours.")
RECORD_WORDS = _(
    "Letters, digits, hyphens and underscores between dots; * only as the whole first label (RFC 4592 2.1.1)."
)
NO_NAME = _("This is no domain name; it looks like www.shop.example.")
WRONG = (
    (dns.name.LabelTooLong, _("A part between two dots has at most 63 octets.")),
    (dns.name.NameTooLong, _("A domain name has at most 255 octets.")),
    (dns.name.EmptyLabel, _("Two dots follow each other, or the name begins with one.")),
)
UNNAMED = _("Write a name; @ is the zone itself.")


def normal(name: str) -> str:
    """A domain name as it is kept: absolute, lower case, IDNA, no last dot.

    :raises ConsoleError: CORE/INVALID_INPUT (RFC 1035 2.3.4: labels of 63, names of 255 octets)
    """
    try:
        parsed = dns.name.from_text(name.strip().removesuffix(".") + ".", idna_codec=dns.name.IDNA_2008_Practical)
    except (dns.exception.DNSException, UnicodeError) as error:
        raise invalid({"name": next((words for kind, words in WRONG if isinstance(error, kind)), NO_NAME)}) from error
    return parsed.to_text(omit_final_dot=True).lower()


def zone_name(name: str) -> str:
    """The name of a zone to be, as :func:`normal`: two labels or more, each of letters, digits and inner hyphens.

    The last one is no number, and those of other alphabets can be decoded.

    :raises ConsoleError: CORE/INVALID_INPUT
    """
    kept = normal(name)
    labels = kept.split(".")
    if not all(HOST_LABEL.fullmatch(label) for label in labels):
        raise invalid({"name": WORDS})
    if len(labels) < 2:
        raise invalid({"name": TWO_LABELS})
    if kept in WHOLE_TREES:
        raise invalid({"name": TOO_WIDE})
    if labels[-1].isdigit():
        raise invalid({"name": NUMBER})
    for label in labels:
        if label.startswith(A_LABEL):
            _need_decodable(label)
    return kept


def _need_decodable(label: str) -> None:
    try:
        dns.name.IDNA_2008_Strict.decode(label.encode())
    except dns.exception.DNSException as error:
        why = _("{label} is no name in another alphabet (RFC 5891 5.4).").format(label=label)
        raise invalid({"name": why}) from error


def inside(zone: str, name: str) -> str | Text:
    """The absolute name of a record in *zone*, or what is wrong with it.

    :param name: relative to the zone, absolute (with a last dot, or ending in the zone), or ``@`` for the zone itself
    """
    if not name.strip():
        return UNNAMED
    if name.strip() == "@":
        return zone
    try:
        kept = normal(name)
        if not _is_of(zone, kept) and not name.strip().endswith("."):
            kept = normal(f"{name.strip()}.{zone}")
    except ConsoleError as error:
        return error.errors[0].message
    if not _is_of(zone, kept):
        return _("This is not below {zone}.").format(zone=zone)
    labels = kept.split(".")
    rest = labels[1:] if labels[0] == "*" else labels
    return kept if all(RECORD_LABEL.fullmatch(label) for label in rest) else RECORD_WORDS


def above(name: str) -> list[str]:
    """*name* and every name above it but the root, longest first."""
    labels = name.split(".")
    return [".".join(labels[at:]) for at in range(len(labels))]


def readable(name: str) -> str:
    """A name in the alphabet of its readers: labels in Punycode decoded, where they can be (RFC 5891)."""
    try:
        return dns.name.from_text(name + ".").to_unicode(omit_final_dot=True, idna_codec=dns.name.IDNA_2008_Strict)
    except (dns.exception.DNSException, UnicodeError):
        return name


def domain_of(name: str) -> str:
    """The last two labels of a name."""
    return ".".join(name.split(".")[-2:])


def parent_of(name: str) -> str:
    """The zone that is made for a name which no zone holds: what follows its first label."""
    labels = normal(name).split(".")
    return ".".join(labels[1:]) if len(labels) > 2 else ".".join(labels)


def _is_of(zone: str, name: str) -> bool:
    return name == zone or name.endswith(f".{zone}")
