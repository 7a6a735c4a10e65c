"""Zones, records and the embedded DNS server."""
