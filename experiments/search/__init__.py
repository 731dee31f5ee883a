"""Search: text -> tree (grammar), tree -> SQL (compile), order and pages (ordering), the data of a page (rundata)."""
