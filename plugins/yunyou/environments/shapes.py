"""What the API takes and answers of environments."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from app.contracts.shapes import CreatedAt, Id, Name, Version, doc
from app.web.api import In, ListQuery, Out
from plugins.yunyou import fields

GlobalDomain = Annotated[str, doc("Domain that names of applications end with.")]
AccessAddress = Annotated[str, doc("Address that people reach the environment by.")]
Base = Annotated[str, doc("What the environment stands on: `alibaba` or `third-party`.")]
Prefix = Annotated[str, doc("Beginning of the names of what is made in the environment.")]
Region = Annotated[str, doc("Region that the environment is in.")]
Zone = Annotated[str, doc("Availability zone that the environment is in.")]
Registry = Annotated[str, doc("Registry that images are taken from; empty for the one in their name.")]
RegistryInsecure = Annotated[bool, doc("Whether the registry is asked without TLS.")]
NoServiceImage = Annotated[str, doc("Image that applications run while they are offline.")]
LABEL = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"


class NewEnvironment(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """What a new environment needs: a cluster that is known, or the kubeconfig of a new one."""

    name: Annotated[str, Meta(min_length=1, max_length=64), doc("Name that people see; unique in the tenant.")]
    prefix: Annotated[str, Meta(pattern=LABEL), doc("Beginning of the names of what is made in the environment.")]
    cluster: Annotated[str, doc("Identifier of a registered cluster; or give `kubeconfig`.")] = ""
    kubeconfig: Annotated[str, doc("Kubeconfig in YAML of a cluster that is registered with it.")] = ""
    namespace: Annotated[
        str, doc("Namespace that everything is delivered to; made from the prefix where it is left out.")
    ] = ""
    global_domain: GlobalDomain = ""
    access_address: AccessAddress = ""
    base: Base = "third-party"
    region: Region = ""
    zone: Zone = ""
    registry_host: Registry = msgspec.field(default="", name="registry")
    registry_insecure: RegistryInsecure = False
    no_service_image: NoServiceImage = "acloud/containerdefaultimage:1.3"


class EnvironmentEdits(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """What of an environment can be edited in place."""

    name: Annotated[
        Annotated[str, Meta(min_length=1, max_length=64)] | None, doc("Name that people see; unique in the tenant.")
    ] = None
    global_domain: Annotated[str | None, doc("Domain that names of applications end with.")] = None
    access_address: Annotated[str | None, doc("Address that people reach the environment by.")] = None
    region: Annotated[str | None, doc("Region that the environment is in.")] = None
    zone: Annotated[str | None, doc("Availability zone that the environment is in.")] = None
    registry_host: Annotated[
        str | None, doc("Registry that images are taken from; empty for the one in their name.")
    ] = msgspec.field(default=None, name="registry")
    registry_insecure: Annotated[bool | None, doc("Whether the registry is asked without TLS.")] = None
    no_service_image: Annotated[str | None, doc("Image that applications run while they are offline.")] = None


class EnvironmentOut(Out):
    """An environment."""

    id: Id
    name: Name
    cluster_id: Annotated[str, doc("Identifier of the cluster.")] = msgspec.field(name="cluster")
    namespace: Annotated[str, doc("Namespace that everything is delivered to.")]
    prefix: Prefix
    global_domain: GlobalDomain
    access_address: AccessAddress
    base: Base
    region: Region
    zone: Zone
    registry_host: Registry = msgspec.field(name="registry")
    registry_insecure: RegistryInsecure
    no_service_image: NoServiceImage
    created_at: CreatedAt
    version: Version


IN_ENVIRONMENT = doc("Identifier of the environment; without it, all of them.")


class OfEnvironment(In):
    """The environment that something is for."""

    environment: fields.EnvironmentId


class EnvironmentQuery(ListQuery):
    """Filters of lists of what is in environments."""

    environment: Annotated[str, IN_ENVIRONMENT] = ""
