"""Clusters: registered, listed with their state and use, summed up, and what the site begins with."""
