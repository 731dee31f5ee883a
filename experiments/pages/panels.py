"""What one panel shows, and the text that stands for it in an address: kind first, then name=value, ";" between.

    panel=scatter;x=params.lr;y=metrics.val/auroc.best;color=params.arch;log=x;trend=1
    panel=parallel;fields=params.lr,params.arch,metrics.loss.min;log=params.lr;brush=params.lr:0.001:0.01;w=2

"%", ";", "=", "," and ":" inside of names and values are percent-encoded (%25, %3B, %3D, %2C, %3A). What is unknown is
dropped. static/src/panels/spec.ts reads and writes the same; tests/pages/test_panels.py holds both together.
"""

import re
from dataclasses import dataclass
from typing import Final

ITEMS_MAX: Final = 40
TEXT_MAX: Final = 2_000
_KIND = re.compile(r"[a-z][a-z-]{0,29}")
_COUNT = re.compile(r"[1-9][0-9]?")
_GUARDED = re.compile(r"[%;=,:]")
_ENCODED = re.compile(r"%(25|3B|3D|2C|3A)", re.IGNORECASE)

Value = str | bool | int | list[str] | dict[str, list[str]]


class Panel(dict[str, Value]):
    """A panel as scripts have it: `kind`, and of FORMS what is said. See interface PanelSpec in spec.ts."""

    @property
    def kind(self) -> str:
        return str(self["kind"])


@dataclass(frozen=True, slots=True)
class _Form:
    """How a value is written: text, flag, count, list or map."""

    name: str

    def read(self, text: str) -> Value | None:
        """The value of a text; None where it says nothing."""
        items = [item for item in text.split(",") if item][:ITEMS_MAX]
        match self.name:
            case "flag":
                return text == "1" or None
            case "count":
                return int(text) if _COUNT.fullmatch(text) else None
            case "list":
                return [_plain(item) for item in items] or None
            case "map":
                parts = [[_plain(part) for part in item.split(":")] for item in items]
                return {name: said for name, *said in parts} or None
            case _:
                return _plain(text) or None

    def written(self, value: Value) -> str:
        """The text of a value."""
        if isinstance(value, dict):
            return ",".join(":".join(map(_guarded, (name, *said))) for name, said in value.items())
        if isinstance(value, list):
            return ",".join(map(_guarded, value))
        return "1" if value is True else _guarded(str(value))


_TEXT, _LIST, _FLAG, _COUNTED, _MAP = map(_Form, ("text", "list", "flag", "count", "map"))
FORMS: Final = {
    **dict.fromkeys(("x", "y", "color", "size", "title"), _TEXT),
    **dict.fromkeys(("fields", "metrics", "log", "flip"), _LIST),
    **dict.fromkeys(("trend", "pareto"), _FLAG),
    **dict.fromkeys(("goal", "brush"), _MAP),
    **dict.fromkeys(("w", "h"), _COUNTED),
    **dict.fromkeys(("group",), _LIST),
    **dict.fromkeys(("middle", "spread", "dash", "facet", "smooth", "method"), _TEXT),
    **dict.fromkeys(("logy", "logx", "outliers", "yrange"), _TEXT),
}


def parse_panel(text: str) -> Panel | None:
    """The panel of a text; None where its kind is no word."""
    kind, *parts = text[:TEXT_MAX].split(";")
    if not _KIND.fullmatch(kind):
        return None
    found = Panel(kind=kind)
    for part in parts:
        name, sign, said = part.partition("=")
        value = FORMS[name].read(said) if sign and name in FORMS else None
        if value is not None:
            found[name] = value
    return found


def panel_text(panel: Panel) -> str:
    """The text of a panel, its parts always in the same order."""
    said = [f"{name}={form.written(panel[name])}" for name, form in FORMS.items() if panel.get(name)]
    return ";".join([panel.kind, *said])


def _guarded(text: str) -> str:
    return _GUARDED.sub(lambda sign: f"%{ord(sign[0]):02X}", text)


def _plain(text: str) -> str:
    return _ENCODED.sub(lambda code: chr(int(code[1], 16)), text)
