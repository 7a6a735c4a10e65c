"""What one application must keep beyond its shape, mostly because Kubernetes would refuse it later."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from app.contracts.text import Text
from app.errors import FieldError
from plugins.yunyou.domain import images, rules_parameters
from plugins.yunyou.domain.lenient import objects, part, text, texts, whole
from plugins.yunyou.domain.reading import pointer
from plugins.yunyou.domain.shape import shown

Path = tuple[str | int, ...]

MAX_REPLICAS = 10_000
PORT_NAME = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?")
_SECRET = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_LABEL_KEY = re.compile(r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_PORT = Text("A port is a number from 1 to 65535.", "端口须为 1 至 65535。")


def check(app: dict[str, Any], path: Path, everyone: set[str]) -> Iterator[FieldError]:
    """The rules that *app*, which stands at *path*, breaks.

    :param everyone: names of all applications of the solution and of the environment
    """
    yield from rules_parameters.check(app, (*path, "parameters"))
    yield from _image(app, path)
    yield from _kind(app, path)
    yield from _dns(app, path)
    yield from _ports(app, path)
    yield from _probes(app, path)
    yield from _mounts(app, path)
    yield from _nodes(app, path)
    yield from _neighbours(app, path, everyone)


def _image(app: dict[str, Any], path: Path) -> Iterator[FieldError]:
    image = text(app, "image")
    if image and images.parse(image) is None:
        words = Text(
            "“{image}” is not an image reference such as host/name:tag.",
            "“{image}”不是合法的镜像地址，例如 host/name:tag。",
        )
        yield FieldError(pointer(*path, "image"), words.format(image=shown(image)))


def _kind(app: dict[str, Any], path: Path) -> Iterator[FieldError]:
    role, workload = text(app, "role", "standard"), text(app, "workload")
    if workload and role in ("task", "test") and workload != "Job":
        words = Text("A {role} application runs as a Job, not as a {kind}.", "{role} 应用以 Job 运行，不能是 {kind}。")
        yield FieldError(pointer(*path, "workload"), words.format(role=role, kind=shown(workload)))
    if workload == "Job" and role == "standard":
        words = Text("A Job has the role task or test.", "Job 的角色须为 task 或 test。")
        yield FieldError(pointer(*path, "workload"), words)
    if whole(app, "replicas", 1) > MAX_REPLICAS:
        words = Text("There can be at most {most} replicas.", "副本数最多为 {most}。")
        yield FieldError(pointer(*path, "replicas"), words.format(most=MAX_REPLICAS))
    if role == "test" and whole(part(app, "test"), "timeoutSeconds", 1) < 1:
        words = Text("A time limit is at least one second.", "时限至少为 1 秒。")
        yield FieldError(pointer(*path, "test", "timeoutSeconds"), words)


def _dns(app: dict[str, Any], path: Path) -> Iterator[FieldError]:
    if text(app, "dnsPolicy") == "None" and not part(app, "dnsConfig").get("nameservers"):
        words = Text(
            "The DNS policy None needs name servers in dnsConfig.",
            "DNS 策略为 None 时须在 dnsConfig 中给出域名服务器。",
        )
        yield FieldError(pointer(*path, "dnsConfig"), words)


def _ports(app: dict[str, Any], path: Path) -> Iterator[FieldError]:
    numbers: set[tuple[int, str]] = set()
    names: set[str] = set()
    for at, port in objects(app, "ports"):
        number = (whole(port, "port", -at), text(port, "protocol", "TCP"))
        if number in numbers:
            words = Text("The port {port} stands here twice.", "端口 {port} 重复。").format(port=number[0])
            yield FieldError(pointer(*path, "ports", at, "port"), words)
        numbers.add(number)
        name = text(port, "name")
        if name and not PORT_NAME.fullmatch(name):
            words = Text(
                "A port's name has 1 to 15 lower-case letters, digits or single hyphens, and at least one letter.",
                "端口名为 1 至 15 个小写字母、数字或单个连字符，且至少含一个字母。",
            )
            yield FieldError(pointer(*path, "ports", at, "name"), words)
        if name and name in names:
            words = Text("The port name {name} stands here twice.", "端口名 {name} 重复。").format(name=shown(name))
            yield FieldError(pointer(*path, "ports", at, "name"), words)
        names.add(name)


def _probes(app: dict[str, Any], path: Path) -> Iterator[FieldError]:
    has_ports = any(True for _ in objects(app, "ports"))
    for kind in ("liveness", "readiness"):
        probe = part(part(app, "probes"), kind)
        if text(probe, "type") not in ("tcp", "http"):
            continue
        if "port" not in probe and not has_ports:
            words = Text("The probe needs a port: the application has none.", "探针需要端口，而该应用没有端口。")
            yield FieldError(pointer(*path, "probes", kind, "port"), words)
        elif not 1 <= whole(probe, "port", 1) <= 65535:
            yield FieldError(pointer(*path, "probes", kind, "port"), _PORT)
        if text(probe, "path", "/")[:1] != "/":
            words = Text("The path of a probe begins with /.", "探针路径须以 / 开头。")
            yield FieldError(pointer(*path, "probes", kind, "path"), words)


def _mounts(app: dict[str, Any], path: Path) -> Iterator[FieldError]:
    names: set[str] = set()
    places: set[str] = set()
    for at, volume in objects(app, "storage"):
        name = text(volume, "name")
        if name and name in names:
            words = Text("The volume {name} stands here twice.", "存储 {name} 重复。").format(name=shown(name))
            yield FieldError(pointer(*path, "storage", at, "name"), words)
        names.add(name)
        yield from _place(volume, (*path, "storage", at), places)
        yield from _access(app, volume, (*path, "storage", at))
    for at, certificate in objects(app, "certificates"):
        yield from _place(certificate, (*path, "certificates", at), places)
        if not _SECRET.fullmatch(text(certificate, "secret", "x")):
            words = Text("This is not the name of a Secret.", "此处不是合法的 Secret 名称。")
            yield FieldError(pointer(*path, "certificates", at, "secret"), words)


def _place(mount: dict[str, Any], path: Path, places: set[str]) -> Iterator[FieldError]:
    where = text(mount, "mountPath")
    if not where:
        return
    if not where.startswith("/") or ":" in where or "\n" in where or ".." in where.split("/"):
        words = Text(
            "A mount path is absolute and holds neither ':' nor '..'.", "挂载路径须为绝对路径，且不含“:”与“..”。"
        )
        yield FieldError(pointer(*path, "mountPath"), words)
    plain = where.rstrip("/")
    if plain in places:
        words = Text("Two things are mounted at {path}.", "{path} 被重复挂载。").format(path=shown(where))
        yield FieldError(pointer(*path, "mountPath"), words)
    places.add(plain)


def _access(app: dict[str, Any], volume: dict[str, Any], path: Path) -> Iterator[FieldError]:
    shared = text(app, "workload") in ("Deployment", "DaemonSet") and not volume.get("anonymous")
    several = text(app, "workload") == "DaemonSet" or whole(app, "replicas", 1) > 1
    if shared and several and text(volume, "accessMode") == "ReadWriteOncePod":
        words = Text(
            "All pods of a {kind} share this volume, but ReadWriteOncePod allows one pod.",
            "{kind} 的所有 Pod 共用该卷，而 ReadWriteOncePod 只允许一个 Pod。",
        )
        yield FieldError(pointer(*path, "accessMode"), words.format(kind=text(app, "workload")))


def _nodes(app: dict[str, Any], path: Path) -> Iterator[FieldError]:
    key_words = Text("This is not the key of a node label.", "此处不是合法的节点标签键。")
    for at, rule in objects(app, "nodeAffinity"):
        if not _LABEL_KEY.fullmatch(text(rule, "key", "x")):
            yield FieldError(pointer(*path, "nodeAffinity", at, "key"), key_words)
        if rule.get("values") == []:
            words = Text("At least one value is needed.", "至少需要一个值。")
            yield FieldError(pointer(*path, "nodeAffinity", at, "values"), words)
    for at, spread in objects(app, "topologySpread"):
        if not _LABEL_KEY.fullmatch(text(spread, "topologyKey", "x")):
            yield FieldError(pointer(*path, "topologySpread", at, "topologyKey"), key_words)
    for at, toleration in objects(app, "tolerations"):
        operator = text(toleration, "operator", "Equal")
        if operator == "Exists" and text(toleration, "value"):
            words = Text("With the operator Exists there is no value.", "运算符为 Exists 时不能有值。")
            yield FieldError(pointer(*path, "tolerations", at, "value"), words)
        if operator == "Equal" and not text(toleration, "key"):
            words = Text("With the operator Equal there must be a key.", "运算符为 Equal 时必须有键。")
            yield FieldError(pointer(*path, "tolerations", at, "key"), words)


def _neighbours(app: dict[str, Any], path: Path, everyone: set[str]) -> Iterator[FieldError]:
    bound: dict[str, set[str]] = {"affinity": set(), "antiAffinity": set()}
    for kind, forced in bound.items():
        for at, rule in objects(app, kind):
            for index, name in texts(rule, "applications"):
                if name not in everyone:
                    words = Text("There is no application {name} here.", "没有应用 {name}。").format(name=shown(name))
                    yield FieldError(pointer(*path, kind, at, "applications", index), words)
                if text(rule, "policy") == "required":
                    forced.add(name)
    for name in sorted(bound["affinity"] & bound["antiAffinity"]):
        words = Text("{name} must be both near and apart.", "{name} 被同时要求亲和与反亲和。").format(name=shown(name))
        yield FieldError(pointer(*path, "antiAffinity"), words)
