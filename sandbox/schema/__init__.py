"""What the API's fields are called and how they merge, and what is derived from that."""
