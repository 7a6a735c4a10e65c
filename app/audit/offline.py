"""Checks exports of the audit without the site: digests, chains, signed checkpoints. Standard library only, one file.

    python offline.py --checkpoints FILE [--keys FILE] EXPORT.jsonl ...

EXPORT.jsonl is what ``GET /api/v1/audit/events/export?format=jsonl`` or ``antstack audit export`` gave, FILE what
``antstack audit export-checkpoints`` gave or the site's own file of them. The public keys are those that the site
published at ``/.well-known/antstack-audit-keys.json``; kept on paper or in a repository, they need no trust in the
site.
The exit code is 0 when all holds, 1 when something does not, 2 when the files cannot be read.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

GENESIS = "0" * 64
OPEN = "started"
# An operation under way is sealed when it ended, at the latest after this time: its process died in the middle of it.
ABANDONED = timedelta(hours=1)
# How much later than it was dated a row may be stored: a long transaction, clocks that differ.
GRACE = timedelta(minutes=10)
SEALED = (
    "id",
    "created_at",
    "tenant_id",
    "workspace_id",
    "operator_key",
    "operator",
    "login",
    "source_ip",
    "access_key_id",
    "user_agent",
    "trace_id",
    "plugin",
    "operation",
    "title_en",
    "title_zh",
    "resource_type",
    "resource_id",
    "resource_name",
    "detail",
    "result",
    "error_code",
    "duration_ms",
    "seq",
    "previous",
    "sealed_after",
)
# DigestInfo of SHA-256 in front of the hash: RFC 8017, 9.2, note 1.
SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


class Unreadable(Exception):
    """A file is not what it should be; the message says which line."""


def text_of(detail: Any) -> str:
    """The detail of a row as the database keeps it and the digest takes it."""
    return json.dumps(detail, ensure_ascii=False, separators=(",", ":"))


def digest_of(row: Mapping[str, Any]) -> str:
    """SHA-256, in hexadecimal, over the JSON array of the columns of :data:`SEALED`.

    Times are RFC 3339 in UTC with six decimals, ``detail`` is its JSON text.
    """
    values = [text_of(row[name]) if name == "detail" else row[name] for name in SEALED]
    return hashlib.sha256(text_of(values).encode()).hexdigest()


def is_back_dated(created: str, duration_ms: int, result: str, sealed_after: str | None) -> bool:
    """Whether a row is dated before rows that were sealed before it, by more than its operation may have taken."""
    if sealed_after is None or created >= sealed_after:
        return False
    took = ABANDONED if result == OPEN else min(timedelta(milliseconds=duration_ms), ABANDONED)
    return datetime.fromisoformat(created) + took + GRACE < datetime.fromisoformat(sealed_after)


def decoded(part: str) -> bytes:
    """Base64url without padding (RFC 7515, appendix C)."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def is_signed(key: Mapping[str, Any], signed: bytes, signature: bytes) -> bool:
    """Whether the RSA key (a JWK) signed these bytes: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2.2)."""
    modulus = int.from_bytes(decoded(key["n"]), "big")
    size = (modulus.bit_length() + 7) // 8
    power = pow(int.from_bytes(signature, "big"), int.from_bytes(decoded(key["e"]), "big"), modulus)
    info = SHA256_INFO + hashlib.sha256(signed).digest()
    return power.to_bytes(size, "big") == b"\x00\x01" + b"\xff" * (size - len(info) - 3) + b"\x00" + info


def payload_of(
    statement: str,
    keys: Mapping[str, Mapping[str, Any]],
    is_signed: Callable[[Mapping[str, Any], bytes, bytes], bool] = is_signed,
) -> dict[str, Any] | None:
    """What a statement in JWS compact form says, or None when no key of *keys* (JWKs by ``kid``) signed it (RS256).

    :param is_signed: checks key, bytes and signature; a site has a library that is quicker
    """
    try:
        head, body, signature = statement.split(".")
        header = json.loads(decoded(head))
        if header["alg"] != "RS256" or not is_signed(
            keys[header["kid"]], f"{head}.{body}".encode(), decoded(signature)
        ):
            return None
        found: dict[str, Any] = json.loads(decoded(body))
        return found
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


@dataclass
class Told:
    """What the checkpoints told, one after the other: heads as they stand now, and every head that was ever told.

    A checkpoint tells the heads that changed since the one before, from time to time all of them (``full``).
    """

    number: int = 0
    hash: str = GENESIS
    heads: dict[str, tuple[int, str]] = field(default_factory=dict)
    claims: dict[str, dict[int, tuple[str, int]]] = field(default_factory=dict)
    through: str = ""

    def add(self, statement: str, payload: Mapping[str, Any] | None) -> Iterator[str]:
        """Take the next statement; what is wrong with it."""
        name = f"checkpoint {self.number + 1}"
        if payload is None or "previous" not in payload:
            yield (
                f"{name}: "
                f"{'no known key signed it' if payload is None else 'it is the statement between two checkpoints'}"
            )
            self.number, self.hash = self.number + 1, hashlib.sha256(statement.encode()).hexdigest()
            return
        if payload["number"] != self.number + 1:
            yield f"checkpoints {self.number + 1} to {payload['number'] - 1} are not there"
        elif payload["previous"] != self.hash:
            yield f"{name} does not follow the one before it"
        self.number, self.hash = payload["number"], hashlib.sha256(statement.encode()).hexdigest()
        self.through = payload["through"]
        for tenant, (seq, digest) in payload["heads"].items():
            if seq < self.heads.get(tenant, (0, ""))[0]:
                yield f"checkpoint {self.number}: the chain of tenant {tenant} became shorter"
            self.heads[tenant] = (seq, digest)
            self.claims.setdefault(tenant, {}).setdefault(seq, (digest, self.number))
        if sum(seq for seq, _ in self.heads.values()) != payload["rows"]:
            yield (
                f"checkpoint {self.number} counts {payload['rows']} rows; the heads that were told make another number"
            )


@dataclass
class Chains:
    """Rows as they come, in any order; links are kept only until their other end is seen."""

    claims: Mapping[str, Mapping[int, tuple[str, int]]]
    wanted: dict[tuple[str, int], str] = field(default_factory=dict)
    open_ends: dict[tuple[str, int], str] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    waiting: int = 0

    def add(self, row: Mapping[str, Any]) -> Iterator[str]:
        """Take a row; what is wrong with it."""
        if row["seq"] is None:
            self.waiting += 1
            return
        self.rows += 1
        place = f"tenant {row['tenant_id']} row {row['seq']} ({row['id']})"
        for problem in (*self._alone(row), *self._linked(row)):
            yield f"{place}: {problem}"
        self.last[row["tenant_id"]] = max(row["seq"], self.last.get(row["tenant_id"], 0))

    def _alone(self, row: Mapping[str, Any]) -> Iterator[str]:
        """What is wrong with a row by itself."""
        if digest_of(row) != row["digest"]:
            yield "it was altered after it was sealed"
        told = self.claims.get(row["tenant_id"], {}).get(row["seq"])
        if told and told[0] != row["digest"]:
            yield f"checkpoint {told[1]} tells another digest"
        if is_back_dated(row["created_at"], row["duration_ms"], row["result"], row["sealed_after"]):
            yield "it is dated before rows that were sealed before it"

    def _linked(self, row: Mapping[str, Any]) -> Iterator[str]:
        """Whether the rows on both sides, as far as they were seen, fit."""
        tenant, seq, digest = row["tenant_id"], row["seq"], row["digest"]
        if (tenant, seq) not in self.wanted:
            self.open_ends[tenant, seq] = digest
        elif self.wanted.pop((tenant, seq)) != digest:
            yield "the row after it does not follow it"
        if seq == 1:
            if row["previous"] != GENESIS:
                yield "it is not the first of its chain"
        elif (before := self.open_ends.pop((tenant, seq - 1), None)) is None:
            self.wanted[tenant, seq - 1] = row["previous"]
        elif before != row["previous"]:
            yield "it does not follow the row before it"

    def gaps(self, heads: Mapping[str, tuple[int, str]]) -> Iterator[str]:
        """Where rows are missing in the exports: before a row, and after the last one."""
        for tenant, seq in sorted(self.wanted):
            yield f"tenant {tenant}: row {seq} and perhaps more before it are not in the exports"
        for tenant, seq in sorted(self.last.items()):
            if seq < heads.get(tenant, (0, ""))[0]:
                yield f"tenant {tenant}: rows {seq + 1} to {heads[tenant][0]} are not in the exports"


def read_lines(path: str) -> Iterator[str]:
    """Lines of a file that hold something."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield line.strip()


def read_keys(lines: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """Keys by ``kid`` of the lines that are a JWK set."""
    found: dict[str, Mapping[str, Any]] = {}
    for line in lines:
        if line.startswith("{"):
            found |= {key["kid"]: key for key in json.loads(line).get("keys", [])}
    return found


def check(exports: Iterable[str], checkpoints: str, keys_file: str) -> tuple[list[str], list[str], Chains, Told]:
    """Problems, gaps, and what was read."""
    keys = read_keys([" ".join(read_lines(keys_file))] if keys_file else read_lines(checkpoints) if checkpoints else [])
    told = Told()
    problems: list[str] = []
    for line in read_lines(checkpoints) if checkpoints else ():
        if not line.startswith("{"):
            problems += told.add(line, payload_of(line, keys))
    chains = Chains(told.claims)
    for path in exports:
        for number, line in enumerate(read_lines(path), 1):
            try:
                problems += chains.add(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                raise Unreadable(f"{path}, line {number}: {error!r}") from error
    return problems, list(chains.gaps(told.heads)), chains, told


def main(arguments: list[str] | None = None) -> int:
    """Check the files that the command line names; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("exports", nargs="*", metavar="EXPORT.jsonl")
    parser.add_argument("--checkpoints", default="", help="signed checkpoints")
    parser.add_argument(
        "--keys", default="", help="public keys (JWK set); without it, those that the checkpoints carry"
    )
    parser.add_argument("--whole", action="store_true", help="rows that are not in the exports are a problem too")
    given = parser.parse_args(arguments)
    try:
        problems, gaps, chains, told = check(given.exports, given.checkpoints, given.keys)
    except (OSError, ValueError, Unreadable) as error:
        print(f"cannot be read: {error}", file=sys.stderr)  # noqa: T201
        return 2
    bad = [*problems, *(gaps if given.whole else ())]
    for line in [*problems, *gaps]:
        print(line)  # noqa: T201
    if given.checkpoints and not given.keys:
        print("the keys were taken from the checkpoints themselves: compare them with those that you kept")  # noqa: T201
    print(  # noqa: T201
        f"{chains.rows} sealed rows, {chains.waiting} not sealed yet, {told.number} checkpoints: "
        + ("all hold" if not bad else f"{len(bad)} problem(s)")
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
