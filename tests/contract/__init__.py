"""What a Kubernetes API must do for us: the same tests on the sandbox and on a real control plane."""
