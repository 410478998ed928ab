"""Reader of HTML: what a browser would show becomes lines, stanzas and headings.

`<br>` ends a line; `<p>`, `<div>` and list items are blocks (training.texts.text_blocks); `<pre>`
keeps its spaces; `<hr>` becomes a line of three hyphens; cells of a table are parted by tabs.
Scripts, styles, menus, forms, what is hidden, and the numbers of pages, lines and notes are left
out. Nothing is fetched. Knows nothing of documents.
"""

import re
from collections import Counter
from typing import IO

from lxml import etree

from training.texts.file_reading import FileReading, Sources, read_whole
from training.texts.markup_encoding import decoded_markup
from training.texts.source_text import About, RefusedTextError
from training.texts.text_blocks import RULE, Block, text_of

# fmt: off
_DROPPED = frozenset({
    "script", "style", "template", "noscript", "svg", "math", "iframe", "object", "audio", "video",
    "canvas", "nav", "footer", "form", "button", "select", "textarea", "input", "head",
})
_BLOCKS = frozenset({
    "p", "div", "li", "dt", "dd", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote",
    "section", "article", "header", "main", "aside", "figure", "figcaption", "table", "ul", "ol",
    "dl", "body", "address", "center", "caption", "hr",
})
_APART = frozenset({
    "blockquote", "section", "article", "pre", "table", "ul", "ol", "dl", "figure", "hr",
})
# fmt: on
_HEADINGS = frozenset(["h1", "h2", "h3", "h4", "h5", "h6"])
_GROUP = re.compile(r"\b(stanza|poem|strophe|linegroup|line-group|lg|verse-group)\b", re.IGNORECASE)
# What stands in the margin or above the line; counted where it is left out.
_ASIDE = (
    (
        "page numbers",
        re.compile(r"\b(pagenum|page-?number|pageno|pagebreak|doc-pagebreak)\b", re.I),
    ),
    ("line numbers", re.compile(r"\b(linenum|line-?number|lineno|linenumber)\b", re.I)),
    ("marks of notes", re.compile(r"\b(noteref|doc-noteref|fnanchor|footnote-ref)\b", re.I)),
)
MAX_TAGS = 1_000_000  # an element takes some hundred bytes
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_PREFORMATTED = re.compile(r"white-space\s*:\s*(pre|break-spaces)", re.IGNORECASE)
_WHITE = re.compile("[ \t\r\n\f]+")
_AROUND_LINE_END = re.compile(" *\n *")
_HARD_SPACE = "\u00a0"
_LICENCES = re.compile(r"(dc\.|dcterms\.)?(rights|copyright|licen[cs]e)", re.IGNORECASE)
_AUTHORS = re.compile(r"(dc\.|dcterms\.)?(author|creator)", re.IGNORECASE)
_EPUB_TYPE = "{http://www.idpf.org/2007/ops}type"


def read(file: IO[bytes], reading: FileReading) -> Sources:
    """Read an open HTML file. Raises RefusedTextError where its encoding cannot be told."""
    encoding, text = decoded_markup(read_whole(file), reading.options.encoding)
    root = parsed_html(text)
    dropped: Counter[str] = Counter()
    blocks = html_blocks(root, dropped) if root is not None else []
    source = reading.source([text_of(blocks)], encoding=encoding, about=_about(root))
    source.dropped.update(dropped)
    yield source


def parsed_html(text: str) -> "etree._Element | None":
    """Parse HTML, however broken; None where it holds nothing.

    Raises RefusedTextError where elements are too many, or lie too deep in one another.
    """
    if text.count("<") > MAX_TAGS:
        raise RefusedTextError(f"has more than {MAX_TAGS:,} tags; part it")
    parser = etree.HTMLParser(
        encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=True
    )
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError:  # an empty document
        root = None
    if any(entry.message.startswith("Excessive depth") for entry in parser.error_log):
        raise RefusedTextError("its elements lie too deep in one another")
    return root


def html_blocks(root: "etree._Element", dropped: Counter[str]) -> list[Block]:
    """Collect the blocks of a parsed page; what is left out beside the text is counted."""
    collector = _BlockCollector()
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        if event == "end":
            collector.close(element)
            continue
        if (kind := _left_out(element)) is not None:
            if kind:
                dropped[kind] += 1
            walk.skip_subtree()
            collector.skipped.add(element)
        else:
            collector.open(element)
    collector.end_block()
    return collector.blocks


def _left_out(element: "etree._Element") -> str | None:
    """Tell what of the margin an element is, "" for what is not shown at all, None for text."""
    if element.tag in _DROPPED or "hidden" in element.attrib:
        return ""
    if not element.attrib:
        return None
    if _HIDDEN.search(element.get("style", "")):
        return ""
    names = (element.get(name, "") for name in ("class", "role", "epub:type", _EPUB_TYPE))
    marks = " ".join(names)
    return next((kind for kind, pattern in _ASIDE if pattern.search(marks)), None)


class _BlockCollector:
    """Collector of blocks from the elements of a page, as they open and close."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.skipped: set[etree._Element] = set()
        self._inline: list[str] = []
        self._gap = 0
        self._is_heading = False
        self._num_preformatted = 0

    def open(self, element: "etree._Element") -> None:
        tag = element.tag
        if tag == "br":
            self._inline.append("\n")
        elif tag in _BLOCKS:
            self.end_block()
            self._open_block(element)
        if _is_preformatted(element):
            self._num_preformatted += 1
        self._add(element.text)

    def _open_block(self, element: "etree._Element") -> None:
        if element.tag in _APART or _GROUP.search(element.get("class", "")):
            self._gap = 1
        self._is_heading = element.tag in _HEADINGS
        if element.tag == "hr":
            self._inline.append(RULE)

    def close(self, element: "etree._Element") -> None:
        if element in self.skipped:
            self.skipped.discard(element)
        else:
            if _is_preformatted(element):
                self._num_preformatted -= 1
            if element.tag in _BLOCKS:
                self.end_block()
                if element.tag in _APART or _GROUP.search(element.get("class", "")):
                    self._gap = 1
            elif element.tag in ("td", "th"):
                self._inline.append("\t")
        self._add(element.tail)

    def _add(self, text: str | None) -> None:
        if text:
            if self._num_preformatted:
                self._inline.append(text.replace(" ", _HARD_SPACE).replace("\t", _HARD_SPACE * 4))
            else:
                self._inline.append(_WHITE.sub(" ", text))

    def end_block(self) -> None:
        """End the block that is open, if it holds anything."""
        raw = _AROUND_LINE_END.sub("\n", re.sub(" +", " ", "".join(self._inline)))
        self._inline.clear()
        if not raw.strip(" \t"):
            return
        text = raw.strip(" \t").replace(_HARD_SPACE, " ")
        lines = [line.rstrip() for line in text.split("\n")]
        # The last <br> of a block shows nothing; a block of only that, or of hard spaces, is empty.
        if not lines[-1] and len(lines) > 1:
            lines.pop()
        if not any(lines):
            self.blocks += [Block("") for _ in lines]
            return
        self.blocks.append(Block("\n".join(lines), self._is_heading, self._gap))
        self._gap, self._is_heading = 0, False


def _is_preformatted(element: "etree._Element") -> bool:
    if element.tag in ("pre", "plaintext", "xmp", "listing"):
        return True
    return _PREFORMATTED.search(element.get("style", "")) is not None


def _about(root: "etree._Element | None") -> About:
    if root is None:
        return About()
    title = "".join(root.xpath("//head/title//text()"))
    return About(title or None, _meta(root, _AUTHORS), _meta(root, _LICENCES))


def _meta(root: "etree._Element", names: re.Pattern[str]) -> str | None:
    for element in root.iterfind(".//meta"):
        content = element.get("content", "").strip()
        if content and names.fullmatch(element.get("name", "")):
            return str(content)
    return None
