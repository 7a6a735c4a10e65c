"""Documents that the tests of the delivery rules start from."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

from plugins.yunyou.documents import parsing
from plugins.yunyou.documents.solution import Solution

DATA = Path(__file__).parents[3] / "plugins" / "yunyou" / "samples"


@cache
def _text(name: str) -> str:
    return (DATA / f"{name}.json").read_text("utf-8")


def document(name: str = "voting-app") -> dict[str, Any]:
    """A fresh copy of a sample document."""
    loaded: dict[str, Any] = json.loads(_text(name))
    return loaded


def sample(name: str = "voting-app") -> Solution:
    """A checked sample."""
    return parsing.of(document(name))


def small(**product: Any) -> dict[str, Any]:
    """A document with one product SHOP that has one application, and what is given."""
    base: dict[str, Any] = {
        "code": "SHOP",
        "name": "Shop",
        "version": "1.0.0",
        "applications": [{"name": "web", "image": "registry.example/shop/web:1.0.0"}],
    }
    base.update(copy.deepcopy(product))
    return {"schema": "antstack.solution/v1", "name": "shop", "version": "1", "products": [base]}


def with_app(**app: Any) -> dict[str, Any]:
    """A document whose one application has the fields given."""
    return small(applications=[{"name": "web", "image": "registry.example/shop/web:1.0.0", **app}])


def large(applications: int) -> dict[str, Any]:
    """A document of that many applications, twenty in a product, shaped like real ones."""
    products = []
    for number in range((applications + 19) // 20):
        apps = [_app(number, at) for at in range(min(20, applications - number * 20))]
        needs = [{"product": f"P{number - 1}", "version": ">=1.0"}] if number % 10 else []
        values = [{"key": f"shared{at}", "value": f"${{global.domain}}/{at}"} for at in range(5)]
        products.append(
            {
                "code": f"P{number}",
                "name": f"Product {number}",
                "version": "1.0.0",
                "dependencies": needs,
                "parameters": values,
                "databases": [{"name": f"schema_{number}", "applications": [apps[0]["name"]]}],
                "applications": apps,
            }
        )
    globals_ = [{"key": "domain", "value": "example.test"}]
    return {
        "schema": "antstack.solution/v1",
        "name": "large",
        "version": "1",
        "parameters": globals_,
        "products": products,
    }


def _app(number: int, at: int) -> dict[str, Any]:
    values = [
        {"key": f"KEY_{key}", "value": f"http://${{product.P{number}.param.shared{key % 5}}}"} for key in range(8)
    ]
    return {
        "name": f"p{number}-app{at}",
        "image": f"registry.example/large/app{at}:1.{at}.0",
        "replicas": 3,
        "resources": {"cpu": "2", "memory": "4Gi", "cpuOversell": 2},
        "parameters": [*values, {"key": "DB_PASSWORD", "type": "secret", "value": f"${{db.schema_{number}.password}}"}],
        "ports": [{"port": 8080, "name": "http"}],
        "probes": {"readiness": {"type": "http", "port": 8080, "path": "/health"}},
        "storage": [{"name": "data", "mountPath": "/data", "size": "10Gi"}] if at % 4 == 0 else [],
        "dependsOn": [f"p{number}-app{at - 1}"] if at % 5 else [],
    }
