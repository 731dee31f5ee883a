"""A run done again: under which conditions it can be, what came out, and how it is taken elsewhere."""
