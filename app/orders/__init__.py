"""The order engine: work in several steps against the outside world, recorded, resumable, fenced."""
