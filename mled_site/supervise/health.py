"""`python -m mled_site.supervise.health`: ends with 0 while the web server on this machine answers. For containers."""

import os
import sys
import urllib.request


def is_healthy(port: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=4) as answer:
            return bool(answer.status == 200)
    except OSError as error:
        print(error, file=sys.stderr)
        return False


if __name__ == "__main__":
    sys.exit(0 if is_healthy(os.environ.get("MLED_PORT", "8000")) else 1)
