"""How often, how much: small counts in every run, those that prove something at scale under `make test-full`."""

import os


def sized(small: int, full: int) -> int:
    return full if os.environ.get("MLED_TEST_FULL") else small
