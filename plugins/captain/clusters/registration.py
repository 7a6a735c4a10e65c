"""Registering clusters from a form or a JSON body: a kubeconfig, or a server with its CA and a token (K-1)."""

from __future__ import annotations

from typing import Annotated, Any

from app.contracts.shapes import Description, Name, doc
from app.errors import ConsoleError, FieldError, invalid
from app.kube import clusters, kubeconfig
from app.kube.errors import BAD_KUBECONFIG
from app.kube.models import Cluster
from app.web.api import In
from app.words import _

KUBECONFIG, TOKEN = "kubeconfig", "token"
NEITHER = _("Give a kubeconfig, or a server and a token.")
PLACED = _("In the kubeconfig, {place}: {problem}")


class NewCluster(In):
    """A cluster to register."""

    name: Name
    description: Description = ""
    kubeconfig: Annotated[
        str, doc("A kubeconfig in YAML whose current context is taken; or give `server`, `ca` and `token`.")
    ] = ""
    server: Annotated[str, doc("Address of the API server.")] = ""
    ca: Annotated[str, doc("Certificates that the server's is checked against, in PEM.")] = ""
    token: Annotated[str, doc("Bearer token of a service account in the cluster.")] = ""


class ChangedCluster(In):
    """What is changed of a cluster; what is left out stays."""

    name: Annotated[str | None, doc("Name that people see.")] = None
    description: Annotated[str | None, doc("What it is for, in a sentence.")] = None
    kubeconfig: Annotated[str, doc("A new kubeconfig in YAML; left out, the credentials stay.")] = ""
    server: Annotated[str, doc("Address of the API server.")] = ""
    ca: Annotated[str, doc("Certificates that the server's is checked against, in PEM.")] = ""
    token: Annotated[str, doc("Bearer token of a service account in the cluster.")] = ""


def register(new: NewCluster) -> Cluster:
    """Check, try and keep a cluster.

    :raises ConsoleError: KUBE/… with every reason beside its field
    """
    document = _document(new)
    if document is None:
        raise invalid({"kubeconfig": NEITHER})
    return clusters.add(new.name, document, new.description)


def change(cluster: Cluster, changed: ChangedCluster) -> Cluster:
    """Change name, description or credentials; new credentials are tried at once.

    :raises ConsoleError: KUBE/…
    """
    document = _document(changed)
    name = cluster.name if changed.name is None else changed.name
    description = cluster.description if changed.description is None else changed.description
    clusters.rename(cluster, name, description)
    if document is not None:
        clusters.change_credentials(cluster, document)
    return cluster


def _document(given: NewCluster | ChangedCluster) -> dict[str, Any] | None:
    if given.kubeconfig.strip():
        try:
            return kubeconfig.checked(given.kubeconfig)
        except ConsoleError as error:
            raise BAD_KUBECONFIG(errors=[_beside("kubeconfig", problem) for problem in error.errors]) from error
    if given.server.strip() or given.token.strip() or given.ca.strip():
        return kubeconfig.of_token(given.server, given.ca, given.token)
    return None


def _beside(field: str, problem: FieldError) -> FieldError:
    """The problem beside the form's field, with where in the file it is: ``/clusters/0/cluster/server`` is its
    cluster's server.
    """
    *above, last = problem.pointer.split("/")
    if not last:
        return FieldError(f"/{field}", problem.message)
    holder = above[-1] if len(above) > 1 and not above[-1].isdigit() else ""
    place = _("{holder}, {last}").format(holder=holder, last=last) if holder else last
    return FieldError(f"/{field}", PLACED.format(place=place, problem=problem.message))
