"""The record of every operation: written with the change, chained by a sealer, never altered."""

from app.audit.record import complete, note, record, recording

__all__ = ["complete", "note", "record", "recording"]
