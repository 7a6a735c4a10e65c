"""What IAM decides and changes. Pages and API call the same functions."""
