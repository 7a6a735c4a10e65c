"""A small Kubernetes API server of our own, for the demo and for fast tests.

It is a process of its own behind HTTPS with a kubeconfig (``python -m sandbox``), so
that the product knows no difference. It imports neither ``app`` nor ``plugins``.
"""
