"""Pages of Yunyou."""

from plugins.yunyou.pages import environments, order_pods, orders, products, releases, rollbacks, solutions

BLUEPRINTS = (environments.bp, solutions.bp, releases.bp, orders.bp, order_pods.bp, products.bp, rollbacks.bp)

__all__ = ["BLUEPRINTS"]
