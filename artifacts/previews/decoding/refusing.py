"""How a decoder says no."""


class CannotDecode(ValueError):
    """The file is broken or too large to be shown; the message is a sentence for its reader."""
