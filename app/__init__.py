"""AntStack Console: the pluggable core."""
