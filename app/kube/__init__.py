"""Speaking to Kubernetes clusters: credentials, requests, errors, and the mirror that lists are answered from."""
