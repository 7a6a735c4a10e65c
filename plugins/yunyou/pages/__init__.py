"""Pages of Yunyou."""

from plugins.yunyou.pages import environments, orders, products, releases, solutions

BLUEPRINTS = (environments.bp, solutions.bp, releases.bp, orders.bp, products.bp)

__all__ = ["BLUEPRINTS"]
