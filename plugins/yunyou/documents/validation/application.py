"""What one application must keep beyond its shape, mostly because Kubernetes would refuse it later."""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.contracts.json import Json
from app.errors import FieldError
from app.words import _
from plugins.yunyou.documents import images
from plugins.yunyou.documents.json_file import pointer
from plugins.yunyou.documents.schema import shown
from plugins.yunyou.documents.validation import parameters
from plugins.yunyou.documents.validation.untyped import objects, part, text, texts, whole

Path = tuple[str | int, ...]

MAX_REPLICAS = 10_000
PORT_NAME = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?")
_SECRET = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_LABEL_KEY = re.compile(r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_PORT = _("A port is a number from 1 to 65535.")


def check(app: Json, path: Path, everyone: set[str]) -> Iterator[FieldError]:
    """The rules that *app*, which stands at *path*, breaks.

    :param everyone: names of all applications of the solution and of the environment
    """
    yield from parameters.check(app, (*path, "parameters"))
    yield from _image(app, path)
    yield from _kind(app, path)
    yield from _dns(app, path)
    yield from _ports(app, path)
    yield from _probes(app, path)
    yield from _mounts(app, path)
    yield from _nodes(app, path)
    yield from _neighbours(app, path, everyone)


def _image(app: Json, path: Path) -> Iterator[FieldError]:
    image = text(app, "image")
    if image and images.parse(image) is None:
        words = _("“{image}” is not an image reference such as host/name:tag.")
        yield FieldError(pointer(*path, "image"), words.format(image=shown(image)))


def _kind(app: Json, path: Path) -> Iterator[FieldError]:
    role, workload = text(app, "role", "standard"), text(app, "workload")
    if workload and role in ("task", "test") and workload != "Job":
        words = _("A {role} application runs as a Job, not as a {kind}.")
        yield FieldError(pointer(*path, "workload"), words.format(role=role, kind=shown(workload)))
    if workload == "Job" and role == "standard":
        words = _("A Job has the role task or test.")
        yield FieldError(pointer(*path, "workload"), words)
    if whole(app, "replicas", 1) > MAX_REPLICAS:
        words = _("There can be at most {most} replicas.")
        yield FieldError(pointer(*path, "replicas"), words.format(most=MAX_REPLICAS))
    if role == "test" and whole(part(app, "test"), "timeoutSeconds", 1) < 1:
        words = _("A time limit is at least one second.")
        yield FieldError(pointer(*path, "test", "timeoutSeconds"), words)


def _dns(app: Json, path: Path) -> Iterator[FieldError]:
    if text(app, "dnsPolicy") == "None" and not part(app, "dnsConfig").get("nameservers"):
        words = _("The DNS policy None needs name servers in dnsConfig.")
        yield FieldError(pointer(*path, "dnsConfig"), words)


def _ports(app: Json, path: Path) -> Iterator[FieldError]:
    numbers: set[tuple[int, str]] = set()
    names: set[str] = set()
    for at, port in objects(app, "ports"):
        number = (whole(port, "port", -at), text(port, "protocol", "TCP"))
        if number in numbers:
            words = _("The port {port} stands here twice.").format(port=number[0])
            yield FieldError(pointer(*path, "ports", at, "port"), words)
        numbers.add(number)
        name = text(port, "name")
        if name and not PORT_NAME.fullmatch(name):
            words = _(
                "A port's name has 1 to 15 lower-case letters, digits or single hyphens, and at least one letter."
            )
            yield FieldError(pointer(*path, "ports", at, "name"), words)
        if name and name in names:
            words = _("The port name {name} stands here twice.").format(name=shown(name))
            yield FieldError(pointer(*path, "ports", at, "name"), words)
        names.add(name)


def _probes(app: Json, path: Path) -> Iterator[FieldError]:
    has_ports = any(True for __ in objects(app, "ports"))
    for kind in ("liveness", "readiness"):
        probe = part(part(app, "probes"), kind)
        if text(probe, "type") not in ("tcp", "http"):
            continue
        if "port" not in probe and not has_ports:
            words = _("The probe needs a port: the application has none.")
            yield FieldError(pointer(*path, "probes", kind, "port"), words)
        elif not 1 <= whole(probe, "port", 1) <= 65535:
            yield FieldError(pointer(*path, "probes", kind, "port"), _PORT)
        if text(probe, "path", "/")[:1] != "/":
            words = _("The path of a probe begins with /.")
            yield FieldError(pointer(*path, "probes", kind, "path"), words)


def _mounts(app: Json, path: Path) -> Iterator[FieldError]:
    names: set[str] = set()
    places: set[str] = set()
    for at, volume in objects(app, "storage"):
        name = text(volume, "name")
        if name and name in names:
            words = _("The volume {name} stands here twice.").format(name=shown(name))
            yield FieldError(pointer(*path, "storage", at, "name"), words)
        names.add(name)
        yield from _place(volume, (*path, "storage", at), places)
        yield from _access(app, volume, (*path, "storage", at))
    for at, certificate in objects(app, "certificates"):
        yield from _place(certificate, (*path, "certificates", at), places)
        if not _SECRET.fullmatch(text(certificate, "secret", "x")):
            words = _("This is not the name of a Secret.")
            yield FieldError(pointer(*path, "certificates", at, "secret"), words)


def _place(mount: Json, path: Path, places: set[str]) -> Iterator[FieldError]:
    where = text(mount, "mountPath")
    if not where:
        return
    if not where.startswith("/") or ":" in where or "\n" in where or ".." in where.split("/"):
        words = _("A mount path is absolute and holds neither ':' nor '..'.")
        yield FieldError(pointer(*path, "mountPath"), words)
    plain = where.rstrip("/")
    if plain in places:
        words = _("Two things are mounted at {path}.").format(path=shown(where))
        yield FieldError(pointer(*path, "mountPath"), words)
    places.add(plain)


def _access(app: Json, volume: Json, path: Path) -> Iterator[FieldError]:
    shared = text(app, "workload") in ("Deployment", "DaemonSet") and not volume.get("anonymous")
    several = text(app, "workload") == "DaemonSet" or whole(app, "replicas", 1) > 1
    if shared and several and text(volume, "accessMode") == "ReadWriteOncePod":
        words = _("All pods of a {kind} share this volume, but ReadWriteOncePod allows one pod.")
        yield FieldError(pointer(*path, "accessMode"), words.format(kind=text(app, "workload")))


def _nodes(app: Json, path: Path) -> Iterator[FieldError]:
    key_words = _("This is not the key of a node label.")
    for at, rule in objects(app, "nodeAffinity"):
        if not _LABEL_KEY.fullmatch(text(rule, "key", "x")):
            yield FieldError(pointer(*path, "nodeAffinity", at, "key"), key_words)
        if rule.get("values") == []:
            words = _("At least one value is needed.")
            yield FieldError(pointer(*path, "nodeAffinity", at, "values"), words)
    for at, spread in objects(app, "topologySpread"):
        if not _LABEL_KEY.fullmatch(text(spread, "topologyKey", "x")):
            yield FieldError(pointer(*path, "topologySpread", at, "topologyKey"), key_words)
    for at, toleration in objects(app, "tolerations"):
        operator = text(toleration, "operator", "Equal")
        if operator == "Exists" and text(toleration, "value"):
            words = _("With the operator Exists there is no value.")
            yield FieldError(pointer(*path, "tolerations", at, "value"), words)
        if operator == "Equal" and not text(toleration, "key"):
            words = _("With the operator Equal there must be a key.")
            yield FieldError(pointer(*path, "tolerations", at, "key"), words)


def _neighbours(app: Json, path: Path, everyone: set[str]) -> Iterator[FieldError]:
    bound: dict[str, set[str]] = {"affinity": set(), "antiAffinity": set()}
    for kind, forced in bound.items():
        for at, rule in objects(app, kind):
            for index, name in texts(rule, "applications"):
                if name not in everyone:
                    words = _("There is no application {name} here.").format(name=shown(name))
                    yield FieldError(pointer(*path, kind, at, "applications", index), words)
                if text(rule, "policy") == "required":
                    forced.add(name)
    for name in sorted(bound["affinity"] & bound["antiAffinity"]):
        words = _("{name} must be both near and apart.").format(name=shown(name))
        yield FieldError(pointer(*path, "antiAffinity"), words)
