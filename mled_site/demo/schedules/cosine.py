"""The learning rate of a training, step by step."""

import math

LOWEST = 0.02  # of where it starts


def rate(start: float, step: int, steps: int) -> float:
    """From the start down along half a cosine."""
    share = step / max(steps - 1, 1)
    return start * (LOWEST + (1 - LOWEST) * (1 + math.cos(math.pi * share)) / 2)
