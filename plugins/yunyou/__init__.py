"""Delivery and operation of products in an environment."""
