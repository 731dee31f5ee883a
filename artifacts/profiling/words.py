"""What can be wrong with a file of data, in words."""


class Unreadable(Exception):
    """The file cannot be read as what its name says. Its text is shown to people."""


class NothingInIt(Unreadable):
    """There is no table: the file is empty."""


def cut(text: str, limit: int = 200) -> str:
    """A text in one line, and not longer than that; without a full stop, since it becomes part of a sentence."""
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= limit else line[: limit - 1] + "…"
