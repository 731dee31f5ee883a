"""A notebook is executed as the script that its code cells make, one after the other, without Jupyter."""

import json
import os
import re
from pathlib import Path
from typing import Any, Final

from kernel.errors import Invalid

SUFFIX: Final = ".ipynb"
SIZE_MAX: Final = 100 * 1024 * 1024
_MAGIC: Final = re.compile(r"^\s*(%{1,2}\w|!|\?|\w[\w.]*\?{1,2}\s*$)")
_ASSIGNED: Final = re.compile(r"^\s*[\w, ]+=\s*([!%])")


def script_of(notebook: Path) -> Path:
    """Write the script beside the notebook; gives its place. Raises Invalid for what is no notebook, and for magics.

    What is there already, also a link that leads nowhere, is neither followed nor written over.
    """
    text = _text_of(notebook)
    for script in (notebook.with_suffix(".py"), notebook.with_name(f"{notebook.stem}_notebook.py")):
        try:
            descriptor = os.open(script, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        except FileExistsError:
            continue
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        return script
    raise Invalid(
        f"There is no room for the script of '{notebook.name}': '{script.name}' is there already.",
        hint="Take that file out, or run it in place of the notebook.",
        field="code",
    )


def _text_of(notebook: Path) -> str:
    if notebook.stat().st_size > SIZE_MAX:
        raise Invalid(f"'{notebook.name}' is larger than {SIZE_MAX // 1024**2} MB.", hint="Clear its outputs.")
    try:
        cells = _cells(json.loads(notebook.read_bytes()), notebook.name)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"'{notebook.name}' is no notebook: {error}.", field="code") from error
    parts = [f"# Made of the code cells of {notebook.name}."]
    for number, source in enumerate(cells, start=1):
        _refuse_magic(source, number, notebook.name)
        parts.append(f"# %% cell {number}\n{source.rstrip()}")
    return "\n\n".join(parts) + "\n"


def _cells(content: Any, name: str) -> list[str]:
    """The source of each code cell, in notebooks of format 4."""
    cells = content.get("cells") if isinstance(content, dict) else None
    if not isinstance(cells, list):
        raise Invalid(
            f"'{name}' is no notebook of format 4.", hint="Open and save it in a newer Jupyter.", field="code"
        )
    if (language := _language(content)) not in ("", "python"):
        raise Invalid(f"'{name}' is written in {language[:40]}; only Python is executed.", field="code")
    return [_source(one) for one in cells if isinstance(one, dict) and one.get("cell_type") == "code"]


def _language(content: dict[str, Any]) -> str:
    about = content.get("metadata")
    kernel = about.get("kernelspec") if isinstance(about, dict) else None
    return str(kernel.get("language", "")).lower() if isinstance(kernel, dict) else ""


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    return "".join(str(line) for line in source) if isinstance(source, list) else str(source)


def _refuse_magic(source: str, number: int, name: str) -> None:
    """Commands of Jupyter mean nothing to Python, and some would install what no record knows of."""
    if _compiles(source):
        return
    for line in source.splitlines():
        if _MAGIC.match(line) or _ASSIGNED.match(line):
            raise Invalid(
                f"Code cell {number} of '{name}' has a command of Jupyter: {line.strip()[:80]}",
                hint="Take it out: packages belong into the environment, programs into the command.",
                field="code",
            )


def _compiles(source: str) -> bool:
    try:
        compile(source, "cell", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
