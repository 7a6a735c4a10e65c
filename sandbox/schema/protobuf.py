"""Reads requests in Kubernetes' protobuf form; answers are always JSON.

After the Kubernetes docs' "API Concepts", section "Kubernetes Protobuf encoding".
"""

from __future__ import annotations

import base64
import json
import struct
from functools import lru_cache
from pathlib import Path
from typing import Any

from sandbox import times
from sandbox.schema.types import Node, root_of

MAGIC = b"k8s\x00"
MEDIA = "application/vnd.kubernetes.protobuf"


@lru_cache(maxsize=1)
def _messages() -> dict[str, list[str]]:
    loaded = json.loads(Path(__file__).with_name("protobuf.json").read_text())["messages"]
    return {name: fields.split(" ") for name, fields in loaded.items()}


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _wire(data: bytes) -> list[tuple[int, Any]]:
    """The fields of a message: number and raw value.

    :raises ValueError: it is no message
    """
    found: list[tuple[int, Any]] = []
    at = 0
    try:
        while at < len(data):
            tag, at = _varint(data, at)
            kind = tag & 7
            if kind == 0:
                value, at = _varint(data, at)
                found.append((tag >> 3, value))
            elif kind == 2:
                size, at = _varint(data, at)
                found.append((tag >> 3, data[at : at + size]))
                at += size
            elif kind == 1:
                found.append((tag >> 3, struct.unpack("<d", data[at : at + 8])[0]))
                at += 8
            else:
                raise ValueError(f"wire type {kind}")
    except (IndexError, struct.error) as exc:
        raise ValueError("the message is cut off") from exc
    return found


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _scalar(raw: Any, code: str) -> Any:
    if code in ("i", "l"):
        return _signed(raw)
    if code == "b":
        return bool(raw)
    if code == "s":
        return raw.decode()
    if code == "y":
        return base64.b64encode(raw).decode()
    if code == "d":
        return raw
    parts = dict(_wire(raw))
    if code == "q":
        return parts.get(1, b"0").decode()
    if code == "I":
        return parts.get(3, b"").decode() if parts.get(1) else _signed(parts.get(2, 0))
    if code == "t":
        return times.at(_signed(parts[1])) if parts.get(1) else None
    return json.loads(parts[1]) if parts.get(1) else None


def _value(raw: Any, node: Node) -> Any:
    kind = node.kind
    if kind == "object" or (kind == "free" and node.code[0] == "@"):
        return _message(raw, node.code[1:], node)
    if kind == "list":  # the value of a map whose values are lists
        return [_value(item, node.item) for _, item in _wire(raw)]
    return _scalar(raw, node.code)


def _message(data: bytes, name: str, node: Node) -> dict[str, Any]:
    fields = _messages().get(name, [])
    made: dict[str, Any] = {}
    for number, raw in _wire(data):
        word = fields[number - 1] if number <= len(fields) else "-"
        if ":" in word:
            made |= _message(raw, word.split(":")[1], node)
            continue
        key = word.rstrip("*")
        child = node.fields.get(key)
        if child is None:
            continue
        if child.kind == "list":
            made.setdefault(key, []).append(_value(raw, child.item))
        elif child.kind == "map":
            entry = dict(_wire(raw))
            item = _value(entry[2], child.item) if 2 in entry else ("" if child.item.code in "sqy" else {})
            made.setdefault(key, {})[entry.get(1, b"").decode()] = item
        else:
            value = _value(raw, child)
            empty = value is None or (child.kind == "scalar" and child.code != "I" and not value)
            if not empty or (word.endswith("*") and value is not None):
                made[key] = value
    return made


def decode(data: bytes) -> Any:
    """The object in a request's body.

    :raises ValueError: it is none that can be read
    """
    if not data.startswith(MAGIC):
        raise ValueError("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    envelope = dict(_wire(data[len(MAGIC) :]))
    type_meta = dict(_wire(envelope.get(1, b"")))
    api_version, kind = type_meta.get(1, b"").decode(), type_meta.get(2, b"").decode()
    group, _, version = api_version.rpartition("/")
    if kind == "DeleteOptions":
        group, version = "meta.k8s.io", "v1"
    node = _delete_options() if kind == "DeleteOptions" else root_of(group, version, kind)
    if node.code[0] != "@":
        raise ValueError(f'no kind "{kind}" is registered for version "{api_version}"')
    return {"apiVersion": api_version, "kind": kind, **_message(envelope.get(2, b""), node.code[1:], node)}


def _delete_options() -> Node:
    return Node("@meta.v1.DeleteOptions")
