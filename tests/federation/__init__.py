"""Sites that use the IAM of another one."""
