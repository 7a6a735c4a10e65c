"""What a solution must keep beyond its shape."""
