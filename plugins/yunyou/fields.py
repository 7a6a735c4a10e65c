"""Fields that shapes of several subjects have, each described once."""

from __future__ import annotations

from typing import Annotated

from app.contracts.shapes import doc

EnvironmentId = Annotated[str, doc("Identifier of the environment.")]
SolutionId = Annotated[str, doc("Identifier of the solution.")]
ProductCode = Annotated[str, doc("Code of the product.")]
ApplicationName = Annotated[str, doc("Name of the application.")]
ApplicationKey = Annotated[str, doc("Application, as `PRODUCT/app`.")]
SolutionState = Annotated[str, doc("`planning`, `deploying`, `completed`, `discarded` or `superseded`.")]
Network = Annotated[str, doc("`internal` or `public`.")]
OrderId = Annotated[str, doc("Identifier of the order.")]
