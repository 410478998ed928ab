"""Corpus zoo's pages: .html, .epub, Markdown and .pdf, clean and noisy."""

from collections.abc import Sequence
from html import escape

from zoo_poems import Poem, stanzas, zipped


# Pages.
def html_body(poems: list[Poem], noise: str = "") -> str:
    body = ""
    for title, verses in poems:
        body += f"{noise}<h2>{escape(title)}</h2>\n"
        for stanza in stanzas(verses):
            lines = (escape(line).replace("    ", "&nbsp;" * 4) for line in stanza)
            body += "<p>\n" + "<br>\n".join(lines) + f"{noise}\n</p>\n"
    return body


def html(poems: list[Poem]) -> bytes:
    head = (
        '<meta charset="utf-8"><title>Drafts</title><meta name="author" content="Ann Shore">'
        '<meta name="rights" content="CC0">'
    )
    return (
        f"<!DOCTYPE html><html><head>{head}</head><body>{html_body(poems)}</body></html>".encode()
    )


def noisy_html(poems: list[Poem]) -> bytes:
    """Scripts, menus, page numbers, comments, unclosed elements, and a wrong encoding."""
    noise = (
        "<!-- a comment --><script>var x = '<p>no</p>';</script><nav><a>Home</a></nav>"
        '<span class="pagenum">12</span><span style="display: none">hidden</span>'
    )
    head = "<meta charset=iso-8859-1><style>p {}</style>"
    page = f"<html><head>{head}</head><body>{html_body(poems, noise)}"
    return page.replace("</p>", "").encode("cp1252")


def xhtml(body: str) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/'
        'xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><head><title>A page</title></head>'
        f"<body>{body}</body></html>"
    )


OPF = "http://www.idpf.org/2007/opf"
CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OPS/book.opf"/></rootfiles></container>'
)


def epub(poems: list[Poem], noise: str = "", prolog: str = "", **more: str) -> bytes:
    """A page a poem, in the order of the spine and not of the names."""
    pages = {
        f"OPS/text {9 - at}.xhtml": xhtml(html_body([poem], noise)) for at, poem in enumerate(poems)
    }
    items = "".join(
        f'<item id="p{at}" href="text%20{9 - at}.xhtml" media-type="application/xhtml+xml"/>'
        for at in range(len(poems))
    )
    spine = "".join(f'<itemref idref="p{at}"/>' for at in range(len(poems)))
    package = (
        f'{prolog}<package xmlns="{OPF}"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<dc:title>Drafts</dc:title><dc:creator>Ann Shore</dc:creator><dc:rights>CC0</dc:rights>"
        f'</metadata><manifest><item id="nav" href="nav.xhtml" properties="nav" '
        f'media-type="application/xhtml+xml"/>{items}</manifest>'
        f'<spine><itemref idref="nav"/>{spine}</spine></package>'
    )
    members: dict[str, str | bytes] = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": CONTAINER,
        "OPS/book.opf": package,
        "OPS/nav.xhtml": xhtml("<nav>Contents</nav>"),
        **pages,
        **more,
    }
    return zipped(members, stored=["mimetype"])


def noisy_epub(poems: list[Poem]) -> bytes:
    return epub(poems, '<span epub:type="pagebreak">7</span><a epub:type="noteref">1</a>')


# Markdown.
def markdown(poems: list[Poem]) -> bytes:
    text = '---\ntitle: "Drafts"\nauthor: Ann Shore\nlicense: CC0\n---\n\n'
    for title, verses in poems:
        text += (
            f"# {title}\n\n"
            + verses.replace("<", "\\<").replace("\n", "  \n").replace("  \n  \n", "\n\n")
            + "\n\n"
        )
    return text.encode()


def noisy_markdown(poems: list[Poem]) -> bytes:
    """Emphasis, backslash breaks, plain breaks, a link, HTML, CRLF and a byte order mark."""
    text = ""
    for title, verses in poems:
        marked = verses.replace("<", "&lt;").replace("The", "*The*").replace("stone", "**stone**")
        text += f"## {title.replace('Wind', '[Wind](https://example.org)')} ##\n\n{marked}\n\n"
    return (
        ("\ufeff" + text.replace("\u201cold\u201d", "<b>\u201cold\u201d</b>"))
        .replace("\n", "\r\n")
        .encode()
    )


# Portable documents.
def pdf_string(text: str) -> bytes:
    raw = text.encode("cp1252")
    return b"(" + b"".join(b"\\%03o" % byte for byte in raw) + b")"


def pdf_document(
    contents: Sequence[bytes], trailer: bytes = b"", kids: bytes | None = None
) -> bytes:
    """A file of pages with these contents, all in Helvetica."""
    count = len(contents)
    listed = b" ".join(b"%d 0 R" % (5 + 2 * at) for at in range(count)) if kids is None else kids
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (listed, count),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Title (Drafts) /Author (Ann Shore) >>",
    ]
    for at, content in enumerate(contents):
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
            b"/Resources << /Font << /F 3 0 R >> >> >>" % (6 + 2 * at),
            b"<< /Length %d >> stream\n%s\nendstream" % (len(content), content),
        ]
    out = b"%PDF-1.4\n"
    places = []
    for number, each in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table_at = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer << /Size %d /Root 1 0 R /Info 4 0 R %s >>\n" % (len(objects) + 1, trailer)
    return out + b"startxref\n%d\n%%%%EOF\n" % table_at


def pdf(poems: list[Poem], leading: int = 14) -> bytes:
    """Headings in larger letters; a stanza's gap is a blank line, a poem's three."""
    content, y = b"BT ", 800
    for title, verses in poems:
        content += b"/F 18 Tf 1 0 0 1 72 %d Tm %s Tj " % (y, pdf_string(title))
        y -= 2 * leading
        for stanza in stanzas(verses):
            for line in stanza:
                indent = 72 + 6 * (len(line) - len(line.lstrip()))
                content += b"/F 12 Tf 1 0 0 1 %d %d Tm %s Tj " % (
                    indent,
                    y,
                    pdf_string(line.lstrip()),
                )
                y -= leading
            y -= leading
        y -= leading
    return pdf_document([content + b"ET"])
