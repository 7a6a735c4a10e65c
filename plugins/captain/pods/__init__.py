"""Pods: their list and details, logs, shells, and their end."""
