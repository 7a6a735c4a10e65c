"""Products and applications that run: the baseline, live objects, drift, and records of releases."""
