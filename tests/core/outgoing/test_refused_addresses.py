"""Which addresses nobody may send the site to: its own, its link's, where clouds keep secrets, however written
(Q-30).
"""

from __future__ import annotations

import ipaddress

import pytest

from app.outgoing.addresses import is_refused

pytestmark = pytest.mark.req("Q-30")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.0.9",
        "0.0.0.0",
        "0.1.2.3",
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",
        "fd00:c1::a9fe:a9fe",
        "fd00:42::42",
    ],
)
def test_loopback_link_local_and_metadata_are_refused(address: str) -> None:
    assert is_refused(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a9fe:a9fe",
        "64:ff9b:1:a9fe:a9:fe00::",
        "64:ff9b:1:a9:fe:a9fe::",
        "64:ff9b:1:0:a9:fea9:fe00:0",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2001:0:7f00:1::",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
        "2001:db8::5efe:7f00:1",
        "2001:db8::200:5efe:a9fe:a9fe",
    ],
)
def test_an_address_that_carries_a_refused_one_is_refused(address: str) -> None:
    assert is_refused(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "172.16.9.9",
        "192.168.1.1",
        "100.64.0.1",
        "100.100.100.201",
        "93.184.215.14",
        "fd12:3456::1",
        "2001:db8::1",
        "64:ff9b::a00:1",
        "2002:a00:1::1",
        "::ffff:10.0.0.1",
    ],
)
def test_private_and_public_addresses_are_not(address: str) -> None:
    assert not is_refused(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "::ffff:192.0.0.193",
        "64:ff9b::6464:64c9",
        "2002:6464:64c9::1",
        "2001:0:6464:64c9::f7f7:f7f7",
        "2001:0:808:808::9b9b:9b36",
        "64:ff9b:1:6464:64:c909:808:808",
        "64:ff9b:1:964:64:64c9:808:808",
        "64:ff9b:1:909:64:6464:c908:808",
        "64:ff9b:1:808:8:808:6464:64c9",
        "2001:db8::5eff:7f00:1",
    ],
)
def test_an_address_that_carries_the_neighbour_of_a_refused_one_is_not(address: str) -> None:
    assert not is_refused(ipaddress.ip_address(address))
