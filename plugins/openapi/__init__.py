"""The signed door of the API."""
