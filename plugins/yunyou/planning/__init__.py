"""Planning: a solution is imported, what it needs is decided and confirmed, and what is to do is computed."""
