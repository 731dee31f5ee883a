"""Pictures, drawn anew: nothing of the file goes on but its colours."""

import io
import struct
from typing import IO, Any, Final, cast

from PIL import Image, ImageOps, UnidentifiedImageError

from artifacts.previews.decoding.refusing import CannotDecode

FORMATS: Final = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")
BYTES_MAX: Final = 64 * 1024**2
PIXELS_MAX: Final = 50_000_000
SIDE: Final = 2_000
HEAVY: Final = 4 * 1024**2  # bytes of a PNG above which a picture without transparency becomes a JPEG
_BROKEN: Final = (
    UnidentifiedImageError,
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    struct.error,
    IndexError,
    KeyError,
)


def decode(source: IO[bytes], options: dict[str, int]) -> tuple[dict[str, Any], bytes]:
    """A PNG or JPEG of at most 2,000 pixels a side, and what the picture was."""
    if source.seek(0, io.SEEK_END) > BYTES_MAX:
        raise CannotDecode(f"Only pictures of up to {BYTES_MAX // 1024**2} MiB are shown. Download it instead.")
    source.seek(0)
    return redrawn(source, side=SIDE, pixels_max=PIXELS_MAX)


def redrawn(source: IO[bytes], *, side: int, pixels_max: int) -> tuple[dict[str, Any], bytes]:
    """The first picture of a file within these limits. Raises CannotDecode."""
    Image.MAX_IMAGE_PIXELS = None  # checked below, before a pixel is decoded
    try:
        with Image.open(source, formats=FORMATS) as image:
            width, height = image.size
            if width * height > pixels_max:
                raise CannotDecode(
                    f"This picture has {width:,} × {height:,} pixels; at most {pixels_max // 10**6} million are shown."
                )
            facts = {"width": width, "height": height, "format": image.format or ""}
            facts["is_animated"] = bool(getattr(image, "is_animated", False))
            image.seek(0)
            return _saved(_drawn(image, side), facts, as_jpeg=image.format == "JPEG")
    except CannotDecode:
        raise
    except _BROKEN as error:
        raise CannotDecode(f"This is no picture that can be read: {_words(error)}.") from error


def _words(error: Exception) -> str:
    return (
        "its content is not of a kind that is known" if isinstance(error, UnidentifiedImageError) else str(error)[:120]
    )


def _drawn(image: Image.Image, side: int) -> Image.Image:
    image.draft("RGB", (side, side))  # a JPEG is decoded no larger than it is shown
    image.load()
    small = image.copy()
    if small.mode in ("I", "I;16", "I;16B", "F"):
        small = _stretched(small)
    has_alpha = small.mode in ("RGBA", "LA", "PA") or "transparency" in small.info
    small = ImageOps.exif_transpose(small)
    small = small.convert("L" if small.mode in ("1", "L") and not has_alpha else ("RGBA" if has_alpha else "RGB"))
    small.thumbnail((side, side))
    small.info.clear()
    return small


def _stretched(image: Image.Image) -> Image.Image:
    """Grey values of more than 8 bits, from the darkest to the brightest."""
    grey = image.convert("F")
    low, high = cast("tuple[float, float]", grey.getextrema())
    span = (high - low) or 1.0
    return grey.point(lambda value: value * (255.0 / span) + (-low * 255.0 / span)).convert("L")


def _saved(image: Image.Image, facts: dict[str, Any], *, as_jpeg: bool) -> tuple[dict[str, Any], bytes]:
    made = io.BytesIO()
    if not as_jpeg or image.mode == "RGBA":
        image.save(made, "PNG", compress_level=6)
        as_jpeg = made.tell() > HEAVY and image.mode != "RGBA"
        facts["content_type"] = "image/png"
    if as_jpeg:
        made = io.BytesIO()
        image.save(made, "JPEG", quality=88)
        facts["content_type"] = "image/jpeg"
    facts["shown_width"], facts["shown_height"] = image.size
    return facts, made.getvalue()
