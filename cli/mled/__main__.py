"""`python -m mled` is `mled`."""

from mled.main import run

if __name__ == "__main__":
    run()
