"""Resources of environments, one module a kind."""
