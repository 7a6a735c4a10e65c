"""Signing in, sessions and decisions."""
