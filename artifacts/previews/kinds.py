"""What a file is taken for, by the ending of its name."""

from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """How a file is shown. TEXT stands for every other file, which is shown if it turns out to be text."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"
    TABLE = "table"
    LINES = "lines"  # JSON Lines
    PARQUET = "parquet"
    IMAGE = "image"
    PDF = "pdf"
    NOTEBOOK = "notebook"
    PAGE = "page"  # HTML or SVG: could run scripts
    OPAQUE = "opaque"


_ENDINGS: Final = {
    Kind.MARKDOWN: "md markdown",
    Kind.JSON: "json",
    Kind.TABLE: "csv tsv",
    Kind.LINES: "jsonl ndjson",
    Kind.PARQUET: "parquet",
    Kind.IMAGE: "png jpg jpeg gif webp bmp tif tiff",
    Kind.PDF: "pdf",
    Kind.NOTEBOOK: "ipynb",
    Kind.PAGE: "html htm svg",
    Kind.OPAQUE: "pkl pickle pt pth ckpt safetensors onnx joblib npy npz h5 hdf5 bin zip gz tar tgz xz zst 7z whl "
    "exe so dll mp4 mp3 wav avi mov tflite pb model ubj feather arrow xlsx docx pptx",
}
_BY_ENDING: Final = {ending: kind for kind, endings in _ENDINGS.items() for ending in endings.split()}


def ending_of(path: str) -> str:
    """The ending of a file's name in lower case, without the dot."""
    name = path.rsplit("/", 1)[-1]
    return name.rsplit(".", 1)[-1].lower() if "." in name else ""


def kind_of(path: str) -> Kind:
    """What to take a file for."""
    return _BY_ENDING.get(ending_of(path), Kind.TEXT)
