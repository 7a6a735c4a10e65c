"""Pure rules of the baseline: how it changes, leaves and returns, and where the cluster drifted from it."""
