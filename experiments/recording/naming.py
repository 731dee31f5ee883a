"""What a text names in the catalogue: a dataset, and the number behind its name."""


def name_and_number(text: str) -> tuple[str, int | None]:
    """'icu-vitals v7', 'icu-vitals@7' or 'icu-vitals 7' as its two parts; the text alone where no number stands behind.

    Read once from its end: as long as the text, never longer.
    """
    text = text.strip()
    words = text.replace("@", " ").rsplit(None, 1)
    number = words[-1].removeprefix("v") if len(words) == 2 else ""
    if not (number.isascii() and number.isdigit() and len(number) <= 9) or number[0] == "0":
        return text, None
    return text[: -len(words[-1]) - 1].rstrip(), int(number)
