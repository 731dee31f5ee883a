"""How the figures of a column are written: by themselves, or as its reader likes them."""

import math
from typing import Final

from accounts.templatetags.mled import number

DIGITS_MAX = 6
# By the word in a setting: what it is called, and what stands on its button.
FORMATS: Final = {
    "auto": ("Automatic", "Auto"),
    **{
        f"fixed{digits}": (f"{digits} decimal{'' if digits == 1 else 's'}", f".{'0' * digits}" if digits else "0")
        for digits in range(DIGITS_MAX + 1)
    },
    "significant3": ("3 significant digits", "3 sig"),
    "significant5": ("5 significant digits", "5 sig"),
    "scientific": ("Scientific", "1e3"),
    "percent": ("Per cent", "%"),
}


def written(value: float, form: str) -> str:
    """A figure in a format of FORMATS. NaN, infinities and unknown formats as everywhere."""
    if form == "auto" or form not in FORMATS or not math.isfinite(value):
        return number(value)
    if form.startswith("fixed"):
        return f"{value:z,.{int(form[-1])}f}"
    if form.startswith("significant"):
        return _significant(value, int(form[-1]))
    if form == "percent":
        return f"{100 * value:z,.2f} %"
    return f"{value:.3e}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")


def _significant(value: float, digits: int) -> str:
    """Significant digits with zeros at the end kept, so that figures of a column are read with the same care."""
    text = f"{value:#.{digits}g}"
    if "e" in text:
        mantissa, _, exponent = text.partition("e")
        return f"{mantissa.rstrip('.')}e{int(exponent)}"
    whole, point, rest = text.partition(".")
    return f"{int(whole):,}{point}{rest}".rstrip(".") if abs(value) >= 1 else text
