"""Pages and operations of the core itself, sliced like a plugin."""
