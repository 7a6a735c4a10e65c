"""The rules of delivery as pure functions: no web, no database, no network, no clock of their own."""
