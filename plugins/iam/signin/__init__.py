"""Signing in with name and password, and the session at the provider that follows."""
