"""Speaking HTTP: pages and fragments, lists, forms, the JSON API, errors."""
