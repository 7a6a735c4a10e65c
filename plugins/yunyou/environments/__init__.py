"""Environments: where products are delivered to."""
