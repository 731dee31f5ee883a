"""Pages about people and their rights: projects, members, tokens, the first set-up."""
