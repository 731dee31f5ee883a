"""PDF as pictures of its pages."""

import io
from typing import IO, Any, Final

import pypdfium2
import pypdfium2.raw

from artifacts.previews.decoding.refusing import CannotDecode

BYTES_MAX: Final = 128 * 1024**2
WIDTH: Final = 1_400  # pixels
SCALE_MAX: Final = 4.0
PIXELS_MAX: Final = 6_000_000


def decode(source: IO[bytes], options: dict[str, int]) -> tuple[dict[str, Any], bytes]:
    """One page as a PNG. options: page, from 1."""
    if source.seek(0, io.SEEK_END) > BYTES_MAX:
        raise CannotDecode(f"Only PDF files of up to {BYTES_MAX // 1024**2} MiB are shown. Download it instead.")
    source.seek(0)
    try:
        document = pypdfium2.PdfDocument(source)
        pages, number = len(document), options["page"]
        if not 1 <= number <= pages:
            raise CannotDecode(f"This document has {pages:,} pages; there is no page {number:,}.")
        picture, size = _drawn(document[number - 1])
    except pypdfium2.PdfiumError as error:
        raise CannotDecode(_words(error)) from error
    return {"pages": pages, "width": size[0], "height": size[1], "content_type": "image/png"}, picture


def _words(error: pypdfium2.PdfiumError) -> str:
    if getattr(error, "err_code", None) == pypdfium2.raw.FPDF_ERR_PASSWORD:
        return "This PDF is protected by a password. Download it to open it."
    return "This is no PDF that can be read: it is damaged, or something else."


def _drawn(page: pypdfium2.PdfPage) -> tuple[bytes, tuple[int, int]]:
    width, height = page.get_size()
    if width < 1 or height < 1:
        raise CannotDecode("This page has no size.")
    scale = min(WIDTH / width, SCALE_MAX, (PIXELS_MAX / (width * height)) ** 0.5)
    image = page.render(scale=scale, may_draw_forms=False).to_pil()
    made = io.BytesIO()
    image.save(made, "PNG", compress_level=6)
    return made.getvalue(), image.size
