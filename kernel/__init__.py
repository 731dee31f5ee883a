"""Plain Python that every room may use. A closed list: actor, clock, digests, errors, ids, paging, zips."""
