"""Markdown that people write, as HTML that is safe to show: no scripts, no styles, no pictures from elsewhere."""

import re
from collections.abc import Iterator, Sequence
from functools import cache

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

LONGEST = 100_000  # characters: more is shown as it was written
_BLOCKS = {"p", "br", "hr", "pre", "blockquote", "ul", "ol", "li", "h3", "h4", "h5", "h6"}
TAGS = _BLOCKS | {"strong", "em", "s", "code", "a", "table", "thead", "tbody", "tr", "th", "td"}
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
SCHEMES = {"http", "https", "mailto"}
TOP_HEADING = 3  # the page has its own h1 and h2


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])


def as_html(text: str, strong: re.Pattern[str] | None = None) -> SafeString:
    """The text as HTML. What was HTML in it is shown as text; headings begin below those of the page.

    strong: what stands out wherever it is written outside of code and links, such as the names of people.
    """
    if len(text) > LONGEST:
        return SafeString(nh3.clean_text(text))
    tokens = _parser().parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1:]) + TOP_HEADING - 1)}"
        if strong is not None and token.children:
            token.children = list(_stressed(token.children, strong))
    made = _parser().renderer.render(tokens, _parser().options, {})
    clean = nh3.clean(made, tags=TAGS, attributes=ATTRIBUTES, url_schemes=SCHEMES, link_rel="noopener nofollow")
    return mark_safe(clean)  # noqa: S308 - cleaned in the line above


def plain_parts(text: str) -> list[str]:
    """What is written outside of code and links, piece by piece."""
    tokens = _parser().parse(text[:LONGEST])
    parts = [part for token in tokens for part in _with_links(token.children or ())]
    return [part.content for part, is_linked in parts if part.type == "text" and not is_linked]


def _stressed(children: Sequence[Token], strong: re.Pattern[str]) -> Iterator[Token]:
    for part, is_linked in _with_links(children):
        if is_linked or part.type != "text":
            yield part
            continue
        end = 0
        for hit in strong.finditer(part.content):
            yield _text(part.content[end : hit.start()])
            yield Token("strong_open", "strong", 1)
            yield _text(hit.group())
            yield Token("strong_close", "strong", -1)
            end = hit.end()
        yield _text(part.content[end:])


def _with_links(children: Sequence[Token]) -> Iterator[tuple[Token, bool]]:
    """The pieces of a line, and whether each stands in a link."""
    depth = 0
    for part in children:
        depth += part.nesting if part.type.startswith("link_") else 0
        yield part, depth > 0


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)
