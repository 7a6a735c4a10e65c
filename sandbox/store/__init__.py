"""The objects: one revision for all, selectors, watches and what is kept on disk."""
