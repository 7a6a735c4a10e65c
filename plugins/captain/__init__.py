"""Captain: the console of Kubernetes clusters."""
