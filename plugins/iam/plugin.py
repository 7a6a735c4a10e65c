"""Identity and access."""
