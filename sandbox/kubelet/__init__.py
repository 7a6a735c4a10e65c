"""What runs pods: containers that only look as if they ran."""
