"""Derives ``protobuf.json``: the field numbers of the API's messages, so that requests in protobuf can be read.

    python -m sandbox.schema.derive_protobuf K8S.IO_API APIMACHINERY APIEXTENSIONS

The arguments are the folders of those Go modules (v0.37.2 when this was last run;
Apache-2.0): their ``generated.proto`` files give the numbers, and their Go types which
scalars are pointers, for which zero is a value. A message is a string of its fields in
the order of their numbers: ``-`` where a number is unused, ``name*`` for a pointer, and
``name:message`` where the JSON form has the fields of *message* in its place.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from sandbox.schema.types import definitions

_MESSAGE = re.compile(r"^message (\w+) \{(.*?)^\}", re.M | re.S)
_FIELD = re.compile(r"^\s*(?:optional|repeated|map<[^>]+>)?\s*([.\w<>, ]+?)\s+(\w+) = (\d+)", re.M)
_STRUCT = re.compile(r"^type (\w+) struct \{(.*?)^\}", re.M | re.S)
_POINTER = re.compile(r"^\s+\w+\s+\*(?:int32|int64|bool|string|[A-Z]\w*)\s+`json:\"(\w+)", re.M)
_SPACE = re.compile(r"package k8s\.io\.(?:api|apimachinery\.pkg\.apis|apiextensions_apiserver\.pkg\.apis)\.([\w.]+);")


def _pointers(folder: Path) -> set[tuple[str, str]]:
    found = set()
    for file in folder.glob("types*.go"):
        for name, body in _STRUCT.findall(file.read_text()):
            found |= {(name, field) for field in _POINTER.findall(body)}
    return found


def _read(file: Path) -> dict[str, str]:
    text = file.read_text()
    space = _SPACE.search(text)
    if not space:
        return {}
    pointers = _pointers(file.parent)
    made = {}
    for name, body in _MESSAGE.findall(text):
        full = f"{space[1]}.{name}"
        known = definitions().get(full, {}).get("f")
        fields: dict[int, str] = {}
        for kind, field, number in _FIELD.findall(re.sub(r"//.*", "", body)):
            word = field + ("*" if (name, field) in pointers else "")
            if known is not None and field not in known:
                target = kind.strip().rsplit(".", 1)[-1]
                word = f"{field}:{space[1]}.{target}"
            fields[int(number)] = word
        if fields:
            made[full] = " ".join(fields.get(number, "-") for number in range(1, max(fields) + 1))
    return made


def derive(folders: list[Path]) -> dict[str, str]:
    """The messages of the kinds that are served, and those that they hold in place."""
    everything: dict[str, str] = {}
    for folder in folders:
        for file in sorted(folder.rglob("generated.proto")):
            everything |= _read(file)
    wanted = [name for name in everything if name in definitions()]
    kept: dict[str, str] = {}
    while wanted:
        name = wanted.pop()
        if name not in kept and name in everything:
            kept[name] = everything[name]
            wanted += [word.split(":")[1] for word in everything[name].split() if ":" in word]
    return dict(sorted(kept.items()))


if __name__ == "__main__":
    target = Path(__file__).with_name("protobuf.json")
    source = "Kubernetes v1.37.2: generated.proto and types.go of k8s.io/api, apimachinery, apiextensions-apiserver"
    source += " (Apache-2.0)"
    body = json.dumps({"source": source, "messages": derive([Path(word) for word in sys.argv[1:]])}, indent=0)
    target.write_text(body + "\n")
    print(f"{target}: {target.stat().st_size} bytes")  # noqa: T201 - the one line that callers wait for
