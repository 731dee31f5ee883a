"""Files as the libraries of the trade write them, and as somebody writes them who means harm."""

from __future__ import annotations

import base64
import io
import json
import struct
import zlib
from functools import cache

GPS = "48.2082 16.3738 at home"


@cache
def figure(kind: str) -> bytes:
    """A plot as matplotlib saves it: png, svg, pdf (of three pages)."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.backends.backend_pdf import PdfPages

    made = io.BytesIO()
    drawn, axes = pyplot.subplots(figsize=(5, 3.4))
    axes.plot([0, 1, 2, 3], [0.9, 0.6, 0.45, 0.41], label="val/loss")
    axes.set_title("Validation loss")
    axes.legend()
    if kind == "pdf":
        with PdfPages(made) as pages:
            for _ in range(3):
                pages.savefig(drawn)
    else:
        drawn.savefig(made, format=kind)
    pyplot.close(drawn)
    return made.getvalue()


@cache
def photograph() -> bytes:
    """A JPEG that tells where it was taken, and lies on its side."""
    from PIL import Image

    image = Image.new("RGB", (400, 200), (180, 60, 40))
    about = image.getexif()
    about[0x0112] = 6  # turn it by a quarter
    about[0x010E] = GPS
    made = io.BytesIO()
    image.save(made, "JPEG", exif=about)
    return made.getvalue()


def picture(format_: str, mode: str = "RGB", size: tuple[int, int] = (60, 40)) -> bytes:
    """A small picture in one of Pillow's formats and modes."""
    from PIL import Image

    made = io.BytesIO()
    Image.new(mode, size).save(made, format_)
    return made.getvalue()


def animation(frames: int = 12) -> bytes:
    """A GIF that moves."""
    from PIL import Image

    pictures = [Image.new("L", (32, 32), shade * 20) for shade in range(frames)]
    made = io.BytesIO()
    pictures[0].save(made, "GIF", save_all=True, append_images=pictures[1:])
    return made.getvalue()


def claimed_png(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it has so many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


@cache
def parquet(rows: int = 500) -> bytes:
    """A table as pandas writes it: numbers, texts, times, lists, bytes and missing values."""
    import pandas

    made = io.BytesIO()
    pandas.DataFrame(
        {
            "age": range(rows),
            "lactate": [1.5 if number % 3 else None for number in range(rows)],
            "ward": [f"ward {number % 4}" for number in range(rows)],
            "admitted": pandas.date_range("2026-01-01", periods=rows, freq="h"),
            "vitals": [[number, number + 1] for number in range(rows)],
            "raw": [b"\x00\x01"] * rows,
        }
    ).to_parquet(made)
    return made.getvalue()


def wide_parquet(columns: int) -> bytes:
    """A table with many columns and one row."""
    import pandas

    made = io.BytesIO()
    pandas.DataFrame({f"feature_{number}": [number] for number in range(columns)}).to_parquet(made)
    return made.getvalue()


def parquet_bomb(rows: int = 200, characters: int = 10_000_000) -> bytes:
    """A few kilobytes that unpack into gigabytes: every row refers to the same long text."""
    import pyarrow
    import pyarrow.parquet

    said = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * rows, pyarrow.int32()), ["x" * characters])
    made = io.BytesIO()
    pyarrow.parquet.write_table(
        pyarrow.table({"note": said}),
        made,
        compression="zstd",
        store_schema=False,
        dictionary_pagesize_limit=2 * characters,
    )
    return made.getvalue()


def notebook() -> bytes:
    """A notebook with every kind of cell and output."""
    evil = "<script>alert(1)</script>"
    return json.dumps(
        {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {"kernelspec": {"display_name": "Python 3 (ipykernel)", "name": "python3"}},
            "cells": [
                {"cell_type": "markdown", "metadata": {}, "source": ["# Sepsis early warning\n", f"**Data** {evil}\n"]},
                {
                    "cell_type": "code",
                    "execution_count": 7,
                    "metadata": {},
                    "source": ["import pandas as pd\n", "frame.plot()"],
                    "outputs": [
                        {"output_type": "stream", "name": "stdout", "text": ["epoch 1\n", "epoch 2\n"]},
                        {
                            "output_type": "display_data",
                            "metadata": {},
                            "data": {
                                "image/png": base64.b64encode(figure("png")).decode(),
                                "text/html": evil,
                                "text/plain": ["<Figure>"],
                            },
                        },
                        {"output_type": "execute_result", "metadata": {}, "data": {"text/html": evil}},
                        {
                            "output_type": "error",
                            "ename": "KeyError",
                            "evalue": "'ward'",
                            "traceback": ["\x1b[0;31mKeyError\x1b[0m: 'ward'"],
                        },
                    ],
                },
                {"cell_type": "raw", "metadata": {}, "source": "left as it is"},
            ],
        }
    ).encode()


PAGE = b"""<!doctype html><html><body><h1 id="title">Confusion matrix</h1>
<script>
document.getElementById("title").textContent = "scripts run";
try { document.title = "cookie:" + document.cookie; } catch (error) { document.title = "no cookie"; }
try { parent.document.title = "taken over"; } catch (error) { document.body.dataset.parent = "closed"; }
fetch("/me/").then(() => { document.body.dataset.fetched = "yes"; }, () => { document.body.dataset.fetched = "no"; });
</script></body></html>"""
