"""Pure rules: how a solution differs from what runs, and what is to do about it."""
