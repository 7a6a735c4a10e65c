"""Mutations: whether the tests nearest to a module notice that a line of it is wrong. ``make mutants`` runs them."""
