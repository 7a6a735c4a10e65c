"""Pages of Yunyou."""

from plugins.yunyou.pages import environments, orders, products, releases, rollbacks, solutions

BLUEPRINTS = (environments.bp, solutions.bp, releases.bp, orders.bp, products.bp, rollbacks.bp)

__all__ = ["BLUEPRINTS"]
