"""The pod template of an application: its container, volumes, probes and where it may be scheduled (guide 2.7.5)."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec import UNSET, UnsetType

from app.contracts.json import Json
from plugins.yunyou.documents.application import Application, Neighbours, Probe, Storage
from plugins.yunyou.documents.images import located
from plugins.yunyou.documents.quantities import canonical, cpu_request, memory_request, whole_gib
from plugins.yunyou.documents.rendering import Rendering, Resolver
from plugins.yunyou.documents.solution import Cell, Product
from plugins.yunyou.manifests.labels import NAME, ONLINE, PARAMETERS, Place, labels, selector, workload_name

HOST = "kubernetes.io/hostname"
KEY_HARDENING = "ANTSTACK_KEY_HARDENING"
_DOLLAR = re.compile(r"\$(?=[$(])")


@dataclass(frozen=True, slots=True)
class EnvValue:
    """One start-up parameter as the container gets it."""

    key: str
    text: str = field(repr=False)
    secret: bool = False


def env_of(
    product: str, application: Application, rendered: Mapping[str, Rendering], resolver: Resolver | None = None
) -> tuple[EnvValue, ...]:
    """The start-up parameters of an application; those without a value are left out.

    :param resolver: gives what only the execution knows; without it such references stay as ``${…}``, for a preview
    :raises ConsoleError: ``YUNYOU/PARAMETER_UNRESOLVED``
    """
    made = []
    for parameter in application.parameters:
        name = f"{product}/{application.name}.{parameter.key}"
        rendering = rendered[name]
        text = rendering.resolved(resolver or _as_reference, name)
        if text is not None:
            made.append(EnvValue(parameter.key, text, rendering.secret))
    return tuple(made)


def _as_reference(name: str) -> str:
    return "${" + name + "}"


def parameters_secret(workload: str) -> str:
    """The name of the Secret that holds the secret parameters of a workload."""
    return f"{workload}-parameters"


def checksum(values: Iterable[EnvValue], place: Place) -> str:
    """A keyed checksum of the secret values: pods roll when one changes, and nothing can be guessed from it."""
    text = json.dumps([[value.key, value.text] for value in values if value.secret])
    return hmac.new(place.checksum_key, text.encode(), hashlib.sha256).hexdigest()[:32]


def template(
    product: Product,
    app: Application,
    place: Place,
    values: Sequence[EnvValue],
    cell: Cell | None,
    claims: Mapping[str, str],
) -> Json:
    """The pod template; *claims* gives the claim of each volume that is not made by a StatefulSet itself."""
    metadata: Json = {"labels": {**labels(product, app.name, place, cell), ONLINE: "true"}}
    if any(value.secret for value in values):
        metadata["annotations"] = {PARAMETERS: checksum(values, place)}
    owned = [volume for volume in app.storage if volume.owner_uid is not UNSET]
    spec = {
        "containers": [_container(app, place, values, workload_name(app.name, cell))],
        "initContainers": [_owner(volume, at, place) for at, volume in enumerate(owned)],
        "volumes": [*_volumes(app, claims), *_certificates(app)],
        "imagePullSecrets": [{"name": name} for name in place.pull_secrets],
        "hostNetwork": app.host_network,
        "dnsPolicy": app.dns_policy,
        "dnsConfig": _filled(
            {"nameservers": list(app.dns_config.nameservers), "searches": list(app.dns_config.searches)}
        ),
        "affinity": _affinity(app),
        "tolerations": [_toleration(app, at) for at in range(len(app.tolerations))],
        "topologySpreadConstraints": _spread(product, app, place, cell),
    }
    return {"metadata": metadata, "spec": _filled(spec)}


def _filled(fields: Json) -> Json:
    return {key: value for key, value in fields.items() if value not in ("", [], {}, None, False)}


def _container(app: Application, place: Place, values: Sequence[EnvValue], workload: str) -> Json:
    env = [_env(value, parameters_secret(workload)) for value in values]
    if app.key_hardening:
        env.append({"name": KEY_HARDENING, "value": "true"})
    mounts: list[Json] = [{"name": volume.name, "mountPath": volume.mount_path} for volume in app.storage]
    for at, certificate in enumerate(app.certificates):
        mounts.append({"name": _certificate_volume(at), "mountPath": certificate.mount_path, "readOnly": True})
    fields = {
        "name": app.name,
        "image": located(app.image, place.registry),
        "command": list(app.command),
        "args": list(app.args),
        "env": env,
        "ports": [
            {"name": port_name(app, at), "containerPort": port.port, "protocol": port.protocol}
            for at, port in enumerate(app.ports)
        ],
        "resources": resources(app, place),
        "volumeMounts": mounts,
        "livenessProbe": _probe(app, app.probes.liveness),
        "readinessProbe": _probe(app, app.probes.readiness),
    }
    return _filled(fields)


def _env(value: EnvValue, secret: str) -> Json:
    if value.secret:
        return {"name": value.key, "valueFrom": {"secretKeyRef": {"name": secret, "key": value.key}}}
    return {"name": value.key, "value": literal(value.text)}


def literal(text: str) -> str:
    """*text* so that the kubelet gives the container exactly that, where it would expand ``$(NAME)`` and ``$$``."""
    return _DOLLAR.sub("$$", text)


def port_name(app: Application, at: int) -> str:
    """The name of a port: its own, or one made of protocol and number."""
    port = app.ports[at]
    return port.name or f"{port.protocol.lower()}-{port.port}"


def resources(app: Application, place: Place) -> Json:
    """Limits as planned and requests as limit ÷ oversell ratio, in canonical quantities."""
    size = app.resources
    limits: Json = {}
    requests: Json = {}
    if size.cpu:
        limits["cpu"], requests["cpu"] = canonical(size.cpu), cpu_request(size.cpu, size.cpu_oversell)
    if size.memory:
        limits["memory"] = canonical(size.memory)
        requests["memory"] = memory_request(size.memory, size.memory_oversell)
    if size.gpu_memory:
        limits[place.gpu_resource] = requests[place.gpu_resource] = whole_gib(size.gpu_memory)
    return _filled({"limits": limits, "requests": requests})


def _probe(app: Application, probe: Probe | UnsetType) -> Json | None:
    if not isinstance(probe, Probe) or probe.type == "none":
        return None
    port = probe.port or app.ports[0].port
    act = (
        {"tcpSocket": {"port": port}} if probe.type == "tcp" else {"httpGet": {"path": probe.path or "/", "port": port}}
    )
    return {**act, "periodSeconds": probe.period_seconds, "failureThreshold": probe.failure_threshold}


def _owner(volume: Storage, at: int, place: Place) -> Json:
    return {
        "name": f"chown-{at}",
        "image": located(place.owner_image, place.registry),
        "command": ["chown", "-R", f"{volume.owner_uid}:{volume.owner_uid}", volume.mount_path],
        "securityContext": {"runAsUser": 0},
        "volumeMounts": [{"name": volume.name, "mountPath": volume.mount_path}],
    }


def _volumes(app: Application, claims: Mapping[str, str]) -> list[Json]:
    made: list[Json] = []
    for volume in app.storage:
        if volume.anonymous:
            made.append({"name": volume.name, "emptyDir": {}})
        elif app.kind != "StatefulSet":
            made.append({"name": volume.name, "persistentVolumeClaim": {"claimName": claims[volume.name]}})
    return made


def _certificate_volume(at: int) -> str:
    return f"antstack-certificate-{at}"


def _certificates(app: Application) -> list[Json]:
    return [
        {"name": _certificate_volume(at), "secret": {"secretName": certificate.secret}}
        for at, certificate in enumerate(app.certificates)
    ]


def _toleration(app: Application, at: int) -> Json:
    toleration = app.tolerations[at]
    return {
        "operator": toleration.operator,
        **_filled({"key": toleration.key, "value": toleration.value, "effect": toleration.effect}),
    }


def _spread(product: Product, app: Application, place: Place, cell: Cell | None) -> list[Json]:
    return [
        {
            "maxSkew": rule.max_skew,
            "topologyKey": rule.topology_key,
            "whenUnsatisfiable": rule.when_unsatisfiable,
            "labelSelector": {"matchLabels": selector(product.code, app.name, place, cell)},
        }
        for rule in app.topology_spread
    ]


def _affinity(app: Application) -> Json:
    nodes: Json = {}
    if app.node_affinity:
        rules = [{"key": r.key, "operator": r.operator, "values": list(r.values)} for r in app.node_affinity]
        nodes = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": rules}]}}
    return _filled(
        {"nodeAffinity": nodes, "podAffinity": _near(app.affinity), "podAntiAffinity": _near(app.anti_affinity)}
    )


def _near(rules: Iterable[Neighbours]) -> Json:
    required: list[Json] = []
    preferred: list[Json] = []
    for rule in rules:
        for name in rule.applications:  # one term each: near (or apart from) every one of them, not any
            term = {"labelSelector": {"matchLabels": {NAME: name}}, "topologyKey": HOST}
            if rule.policy == "required":
                required.append(term)
            else:
                preferred.append({"weight": 100, "podAffinityTerm": term})
    return _filled(
        {
            "requiredDuringSchedulingIgnoredDuringExecution": required,
            "preferredDuringSchedulingIgnoredDuringExecution": preferred,
        }
    )
