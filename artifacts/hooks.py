"""What upper rooms add to this one."""

from collections.abc import Callable

from accounts.scoping import ProjectScoped

# By kind of root: the run or model with that id, for rights that rest on it (a grant on its experiment).
owners: dict[str, Callable[[str], ProjectScoped | None]] = {}
