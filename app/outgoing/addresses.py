"""Addresses that nobody outside may send this site to: itself, its link, and where clouds hand out credentials
(Q-30).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

REFUSED: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",  # this host (RFC 1122, 3.2.1.3)
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, and the metadata of most clouds
        "192.0.0.192/32",  # Oracle Cloud, older metadata
        "100.100.100.200/32",  # Alibaba Cloud metadata
        "168.63.129.16/32",  # Azure WireServer
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "::/128",
        "::1/128",
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local, of old
        "ff00::/8",  # multicast
        "fd00:ec2::/32",  # Amazon: metadata, time, credentials of pods
        "fd20:ce::254/128",  # Google Cloud metadata
        "fd00:c1::a9fe:a9fe/128",  # Oracle Cloud metadata
        "fd00:42::42/128",  # Scaleway metadata
    )
)
# Prefixes whose last 32 bits are an IPv4 address: mapped and compatible (RFC 4291), translated (RFC 2765), NAT64 (RFC
# 6052).
LAST_32 = (
    ipaddress.IPv6Network("::ffff:0:0/96"),
    ipaddress.IPv6Network("::/96"),
    ipaddress.IPv6Network("::ffff:0:0:0/96"),
    ipaddress.IPv6Network("64:ff9b::/96"),
)
LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")
TEREDO = ipaddress.IPv6Network("2001::/32")
SIX_TO_FOUR = ipaddress.IPv6Network("2002::/16")
ISATAP = (0x00005EFE, 0x02005EFE)


def is_refused(address: Address) -> bool:
    """Whether an address, or an IPv4 address that it carries, is one of :data:`REFUSED`."""
    return any(found in network for found in (address, *carried(address)) for network in REFUSED)


def carried(address: Address) -> Iterator[ipaddress.IPv4Address]:
    """The IPv4 addresses to which a router or this host may translate an IPv6 address."""
    if isinstance(address, ipaddress.IPv4Address):
        return
    bits = int(address)
    if any(address in network for network in LAST_32) or (bits >> 32) & 0xFFFFFFFF in ISATAP:
        yield ipaddress.IPv4Address(bits & 0xFFFFFFFF)
    if address in SIX_TO_FOUR:
        yield ipaddress.IPv4Address((bits >> 80) & 0xFFFFFFFF)
    if address in TEREDO:  # RFC 4380, 4: the server, and the client with its bits turned over
        yield ipaddress.IPv4Address((bits >> 64) & 0xFFFFFFFF)
        yield ipaddress.IPv4Address(~bits & 0xFFFFFFFF)
    if address in LOCAL_NAT64:
        yield from _translated(bits)


def _translated(bits: int) -> Iterator[ipaddress.IPv4Address]:
    """Where prefixes of 48, 56, 64 and 96 bits keep the IPv4 address; bits 64 to 71 are left out (RFC 6052, 2.2)."""
    without_u = (bits >> 64 << 56) | (bits & ((1 << 56) - 1))
    for prefix in (48, 56, 64):
        yield ipaddress.IPv4Address((without_u >> (88 - prefix)) & 0xFFFFFFFF)
    yield ipaddress.IPv4Address(bits & 0xFFFFFFFF)
