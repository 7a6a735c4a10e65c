"""Pure rules of orders: sequence, groups, rollout, rollback, and why pods don't come up."""
