"""Nodes: their list, their details, and what is requested of them."""
