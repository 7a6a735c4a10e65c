"""The record of every operation: written with the change, chained by a sealer, never altered."""

from app.audit.record import note, record, seen_resource

__all__ = ["note", "record", "seen_resource"]
