"""The command of a recipe: one word each, where {name} stands for a parameter, and {{name}} for itself."""

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final

from kernel.errors import Invalid

WORDS_MAX: Final = 1000
WORD_MAX: Final = 10_000
_PLACE: Final = re.compile(r"\{\{([A-Za-z_][\w.-]*)\}\}|(?<![{$])\{([A-Za-z_][\w.-]*)\}(?!\})")
_NAME: Final = re.compile(r"\{([A-Za-z_][\w.-]*)\}")


def split(command: str, *, field: str = "command") -> list[str]:
    """A command as people type it, split into words as a shell would; nothing of it is carried out by one.

    Raises Invalid.
    """
    try:
        return shlex.split(command)
    except ValueError:
        raise Invalid("A quotation mark is left open in the command.", field=field) from None


def line_of(words: Sequence[str]) -> str:
    """The words as one line, which `split` reads again; a {name} needs no quotation marks for that."""
    return " ".join(
        word if shlex.quote(plain := _PLACE.sub("x", word)) == plain else shlex.quote(word) for word in words
    )


def checked(words: Any, *, field: str = "words") -> list[str]:
    """The words of a command. Raises Invalid."""
    if not isinstance(words, list | tuple) or any(not isinstance(one, str) for one in words):
        raise Invalid("The words of a command are texts, one each.", hint='["python", "train.py"]', field=field)
    if not words or not words[0].strip():
        raise Invalid("Say what to run.", hint="python train.py", field=field)
    if len(words) > WORDS_MAX or any(len(one) > WORD_MAX for one in words):
        raise Invalid(f"A command has at most {WORDS_MAX:,} words of {WORD_MAX:,} characters each.", field=field)
    if any("\0" in one for one in words):
        raise Invalid("A command holds no zero bytes.", field=field)
    return list(words)


def names_in(words: Sequence[str]) -> list[str]:
    """The parameters that a command speaks of, each once, in their order."""
    found = (place[2] for word in words for place in _PLACE.finditer(word))
    return list(dict.fromkeys(name for name in found if name))


def filled(words: Sequence[str], values: Mapping[str, Any]) -> list[str]:
    """The words with each {name} replaced by the parameter of that name; other braces stay as they are."""

    def value(place: re.Match[str]) -> str:
        if place[1]:
            return f"{{{place[1]}}}"
        return str(values[place[2]]) if place[2] in values else place[0]

    return [_PLACE.sub(value, word) for word in words]


def literal(word: str) -> str:
    """A word in which {name} stands for itself."""
    return _NAME.sub(r"{{\1}}", word)
