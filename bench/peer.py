"""MLflow's own server in a virtual environment of its own, made when it is first wanted."""

import os
import subprocess
import sys
from pathlib import Path

VERSION = "3.17.2"


def peer_python() -> Path:
    """Its Python. Making the environment takes a minute or two, once; nothing of it comes into MLED's."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    place = cache / "mled-bench" / f"mlflow-{VERSION}"
    python = place / "bin" / "python"
    ready = place / "ready"
    if not ready.exists():
        print(f"Installing MLflow {VERSION} into {place} …", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(place)], check=True)
        wanted = [f"mlflow=={VERSION}", "psycopg2-binary"]
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *wanted], check=True)
        ready.touch()
    return python
