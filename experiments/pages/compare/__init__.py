"""Two to a hundred runs side by side: what differs, by how much, and which is best. All of it is in the address."""
