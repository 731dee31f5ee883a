"""The learning rate of a training, step by step."""


def rate(start: float, step: int, steps: int) -> float:
    """The same all the way."""
    return start
