"""Fields that several shapes of Yunyou have, each described once."""

from __future__ import annotations

from typing import Annotated

from app.contracts.shapes import doc

EnvironmentId = Annotated[str, doc("Identifier of the environment.")]
SolutionId = Annotated[str, doc("Identifier of the solution.")]
OrderId = Annotated[str, doc("Identifier of the order.")]
NodeId = Annotated[str, doc("Identifier of the node in the order's tree.")]
ProductCode = Annotated[str, doc("Code of the product.")]
ApplicationName = Annotated[str, doc("Name of the application.")]
ApplicationKey = Annotated[str, doc("Application, as `PRODUCT/app`.")]
Progress = Annotated[float, doc("How far it is, from 0 to 1.")]
GlobalDomain = Annotated[str, doc("Domain that names of applications end with.")]
AccessAddress = Annotated[str, doc("Address that people reach the environment by.")]
Base = Annotated[str, doc("What the environment stands on: `alibaba` or `third-party`.")]
Prefix = Annotated[str, doc("Beginning of the names of what is made in the environment.")]
Region = Annotated[str, doc("Region that the environment is in.")]
Zone = Annotated[str, doc("Availability zone that the environment is in.")]
Registry = Annotated[str, doc("Registry that images are taken from; empty for the one in their name.")]
RegistryInsecure = Annotated[bool, doc("Whether the registry is asked without TLS.")]
NoServiceImage = Annotated[str, doc("Image that applications run while they are offline.")]
SolutionState = Annotated[str, doc("`planning`, `deploying`, `completed`, `discarded` or `superseded`.")]
OrderState = Annotated[
    str,
    doc("`queued`, `running`, `waiting`, `paused`, `failed`, `cancelling`, `cancelled`, `succeeded` or `rolled-back`."),
]
OrderType = Annotated[str, doc("`release`, `operation` or `test`.")]
Network = Annotated[str, doc("`internal` or `public`.")]
Beta = Annotated[bool, doc("Whether a person looks at the first group before the next one goes on.")]
OrderName = Annotated[str, doc("What people call it; made from what it does where it is left out.")]
Seen = Annotated[str, doc("The `preview` that was seen: the order is refused where its plan has changed since.")]
