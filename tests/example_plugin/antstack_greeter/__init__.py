"""Greets: an example of a plugin that is installed from elsewhere."""
