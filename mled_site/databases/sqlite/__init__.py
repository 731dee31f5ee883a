"""SQLite whose writers take turns in the order in which they came (docs/adr/0046)."""
