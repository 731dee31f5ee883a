"""Secrets that an installation makes for itself at its first start."""

import os
import secrets
from pathlib import Path


def kept_secret(path: Path, *, random_bytes: int = 48) -> str:
    """The secret in the file, made at first use with mode 0600. Two processes that race get the same one."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(random_bytes))
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass  # another process was first; its secret counts
        finally:
            fresh.unlink()
        return path.read_text().strip()
