"""Corpus files of our own verse in every format, clean and noisy; how they are damaged and hostile.

`FORMATS` makes the same poems in each: from a list of poems to the bytes of a file.
"""

import bz2
import csv
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from html import escape

import zstandard_frames

Poem = tuple[str, str]  # title and verses

TIDE = """The tide goes out, the tide comes in,
and every shell is listening.

I\u2019ve heard the \u201cold\u201d sea \u2014 fine and low,
caf\u00e9 lights glistening."""
STONE = """A stone is slow. It does not know
    the word for snow.

It keeps the cold the way I keep
    a letter that I could not read."""
WIND = """The wind has nothing in its hands
and gives it all away < today >."""
CLOCK = """Three o\u2019clock, the clock is three,
no one but the clock and me.

Three."""
POEMS: list[Poem] = [
    ("Tide", TIDE),
    ("Stone", STONE),
    ("Wind & Sand", WIND),
    ("Three O'Clock", CLOCK),
]
DOCUMENTS = [f"{title}\n\n{verses}" for title, verses in POEMS]
TEXT = "\n\n\n".join(DOCUMENTS)


def stanzas(verses: str) -> list[list[str]]:
    return [stanza.split("\n") for stanza in verses.split("\n\n")]


def zipped(members: dict[str, str | bytes], *, stored: Sequence[str] = ()) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            kind = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            archive.writestr(name, content, kind)
    return out.getvalue()


def tarred(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


# Word.
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
MC = "http://schemas.openxmlformats.org/markup-compatibility/2006"


def docx_run(text: str) -> str:
    return f'<w:r><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def docx_paragraph(content: str, style: str = "") -> str:
    properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{properties}{content}</w:p>"


def docx_package(body: str, prolog: str = "") -> bytes:
    document = (
        f'{prolog}<w:document xmlns:w="{W}" xmlns:mc="{MC}"><w:body>{body}</w:body></w:document>'
    )
    core = (
        '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/'
        'core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<dc:title>Drafts</dc:title><dc:creator>Ann Shore</dc:creator></cp:coreProperties>"
    )
    styles = (
        f'<w:styles xmlns:w="{W}"><w:style w:type="paragraph" w:styleId="Rubrik1"><w:name '
        'w:val="heading 1"/></w:style><w:style w:type="paragraph" w:styleId="Mine"><w:basedOn '
        'w:val="Rubrik1"/></w:style></w:styles>'
    )
    place = "http://schemas.openxmlformats.org"
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml"
    types = (
        f'<Types xmlns="{place}/package/2006/content-types"><Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/><Override PartName='
        f'"/word/document.xml" ContentType="{kind}.document.main+xml"/><Override PartName='
        f'"/word/styles.xml" ContentType="{kind}.styles+xml"/></Types>'
    )
    relations = f'<Relationships xmlns="{place}/package/2006/relationships">'
    office = f"{place}/officeDocument/2006/relationships"
    relation = '<Relationship Id="r1" Type="{}" Target="{}"/></Relationships>'
    return zipped(
        {
            "[Content_Types].xml": types,
            "_rels/.rels": relations
            + relation.format(f"{office}/officeDocument", "word/document.xml"),
            "word/_rels/document.xml.rels": relations
            + relation.format(f"{office}/styles", "styles.xml"),
            "word/document.xml": document,
            "word/styles.xml": styles,
            "docProps/core.xml": core,
        }
    )


def docx(poems: list[Poem]) -> bytes:
    """Stanzas are paragraphs with line breaks."""
    body = ""
    for title, verses in poems:
        body += docx_paragraph(docx_run(title), "Mine")
        for stanza in stanzas(verses):
            body += docx_paragraph("<w:r><w:br/></w:r>".join(map(docx_run, stanza)))
    return docx_package(body)


def docx_of_lines(poems: list[Poem]) -> bytes:
    """Lines are paragraphs; empty ones part stanzas, and two together poems: as people type."""
    lines = "\n\n\n".join(f"{title}\n\n{verses}" for title, verses in poems).split("\n")
    return docx_package("".join(docx_paragraph(docx_run(line) if line else "") for line in lines))


def noisy_docx(poems: list[Poem]) -> bytes:
    """Recorded changes, hidden text, fields, notes, text boxes for two programs, soft hyphens."""
    noise = (
        "<w:del><w:r><w:delText>gone</w:delText></w:r></w:del>"
        "<w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r>"
        "<w:r><w:fldChar/><w:instrText>PAGE</w:instrText></w:r>"
        '<w:r><w:footnoteReference w:id="1"/><w:softHyphen/></w:r>'
        "<mc:AlternateContent><mc:Fallback><w:r><w:t>twice</w:t></w:r></mc:Fallback>"
        "</mc:AlternateContent>"
    )
    body = ""
    for title, verses in poems:
        body += docx_paragraph(noise + f"<w:ins>{docx_run(title)}</w:ins>", "Title")
        for stanza in stanzas(verses):
            runs = [
                "".join(docx_run(c) for c in (line[:3], "\u00ad" + line[3:])) for line in stanza
            ]
            body += docx_paragraph("<w:r><w:br/></w:r>".join(runs) + noise)
    return docx_package(body)


# OpenDocument.
MANIFEST = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
ODF = {
    "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
    "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
    "dc": "http://purl.org/dc/elements/1.1/",
}


def odt_line(line: str) -> str:
    indent = len(line) - len(line.lstrip(" "))
    spaces = f'<text:s text:c="{indent}"/>' if indent else ""
    return spaces + escape(line.lstrip(" "))


def odt_package(body: str, prolog: str = "", manifest: str = "") -> bytes:
    names = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in ODF.items())
    content = (
        f"{prolog}<office:document-content {names}><office:body><office:text>{body}"
        "</office:text></office:body></office:document-content>"
    )
    members: dict[str, str | bytes] = {
        "mimetype": "application/vnd.oasis.opendocument.text",
        "content.xml": content,
        "meta.xml": f"<office:document-meta {names}><office:meta><dc:title>Drafts</dc:title>"
        "<dc:creator>Ann Shore</dc:creator></office:meta></office:document-meta>",
    }
    kind = "application/vnd.oasis.opendocument.text"
    listed = (
        f'<m:manifest xmlns:m="{MANIFEST}"><m:file-entry m:full-path="/" m:media-type="{kind}"/>'
    )
    listed += '<m:file-entry m:full-path="content.xml" m:media-type="text/xml"/></m:manifest>'
    members["META-INF/manifest.xml"] = manifest or listed
    return zipped(members, stored=["mimetype"])


def odt(poems: list[Poem], noise: str = "") -> bytes:
    body = ""
    for title, verses in poems:
        body += f'<text:h text:outline-level="1">{escape(title)}</text:h>'
        for stanza in stanzas(verses):
            body += f"<text:p>{noise}{'<text:line-break/>'.join(map(odt_line, stanza))}\n</text:p>"
    return odt_package(body)


def noisy_odt(poems: list[Poem]) -> bytes:
    """Notes, comments and a recorded deletion."""
    return odt(
        poems,
        "<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>a note"
        "</text:p></text:note-body></text:note><office:annotation><text:p>a comment</text:p>"
        "</office:annotation>",
    )


# Rich text.
def rtf_text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("{", "\\{").replace("}", "\\}")
    return "".join(c if c.isascii() else f"\\u{ord(c)}?" for c in escaped)


def rtf(poems: list[Poem], noise: str = "") -> bytes:
    body = ""
    for title, verses in poems:
        body += f"{{\\pard \\outlinelevel0 \\b {rtf_text(title)}\\par}}\n"
        for stanza in stanzas(verses):
            lines = "\\line\n".join(rtf_text(line).replace("    ", "\\~" * 4) for line in stanza)
            body += f"{{\\pard {noise}{lines}\\par}}\n"
    info = "{\\info{\\title Drafts}{\\author Ann Shore}}"
    head = f"{{\\rtf1\\ansi\\ansicpg1252{{\\fonttbl{{\\f0 Times;}}}}{info}\n"
    return f"{head}{body}}}".encode("ascii")


def noisy_rtf(poems: list[Poem]) -> bytes:
    """A picture, a header, a number of a list, unknown groups."""
    groups = (
        "listtext 1.\\tab",
        "pict\\wmetafile8 0123456789abcdef",
        "*\\unknown a",
        "header page",
    )
    return rtf(poems, "".join(f"{{\\{group}}}" for group in groups))


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


# Tables.
def table(poems: list[Poem], delimiter: str = ",") -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(["id", "title", "lyrics"])
    writer.writerows([at, title, verses] for at, (title, verses) in enumerate(poems))
    return out.getvalue().encode()


def noisy_csv(poems: list[Poem]) -> bytes:
    """Semicolons, Windows-1252, rows without a text, a Genius header row's other names."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow(["Artist", "Song Title", "year", "Lyrics"])
    for title, verses in poems:
        writer.writerow(["Ann Shore", title, "1998", verses])
        writer.writerow(["Ann Shore", "Instrumental", "1999", ""])
    return out.getvalue().encode("cp1252")


def records(poems: list[Poem]) -> list[dict[str, object]]:
    return [
        {"id": at, "title": title, "lyrics": verses} for at, (title, verses) in enumerate(poems)
    ]


def as_json(poems: list[Poem]) -> bytes:
    return json.dumps(records(poems)).encode()


def noisy_json(poems: list[Poem]) -> bytes:
    """Songs below an artist, verses as lists of lines, other lists beside, UTF-16."""
    songs = [
        {"title": title, "artist": "Ann Shore", "lyrics": verses.split("\n"), "year": 1998}
        for title, verses in poems
    ]
    return json.dumps({"name": "Ann Shore", "tags": ["sea"], "songs": songs}).encode("utf-16")


def jsonl(poems: list[Poem]) -> bytes:
    return "\n".join(json.dumps(record) for record in records(poems)).encode()


def noisy_jsonl(poems: list[Poem]) -> bytes:
    lines = [json.dumps({**record, "poet": None}, ensure_ascii=False) for record in records(poems)]
    return ("\n\n" + "\r\n\r\n".join(lines)).encode("utf-8-sig")


def parquet(poems: list[Poem]) -> bytes:
    from arro3.core import Array, DataType, Table
    from arro3.io import write_parquet

    columns = zip(*poems, strict=True)
    arrays = [Array(list(column), type=DataType.string()) for column in columns]
    out = io.BytesIO()
    write_parquet(Table.from_pydict(dict(zip(("title", "lyrics"), arrays, strict=True))), out)
    return out.getvalue()


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


def text_file(poems: list[Poem]) -> bytes:
    return "\n\n\n".join(f"{title}\n\n{verses}" for title, verses in poems).encode()


def noisy_text(poems: list[Poem]) -> bytes:
    """A byte order mark, CRLF, soft hyphens, zero-width spaces and a NUL; UTF-8."""
    noisy = (
        text_file(poems).decode().replace("tide", "ti\u00adde\u200b").replace("snow", "sn\x00ow")
    )
    return ("\ufeff" + noisy.replace("\n", "\r\n")).encode()


def utf16_text(poems: list[Poem]) -> bytes:
    return text_file(poems).decode().replace("\n", "\r\n").encode("utf-16-le")


def windows_text(poems: list[Poem]) -> bytes:
    return text_file(poems).decode().replace("\n", "\r\n").encode("cp1252")


Maker = Callable[[list[Poem]], bytes]
FORMATS: dict[str, Maker] = {
    "poems.txt": text_file,
    "noisy.txt": noisy_text,
    "utf-16.txt": utf16_text,
    "of-1998.txt": windows_text,
    "poems.txt.gz": lambda poems: gzip.compress(text_file(poems)),
    "poems.txt.xz": lambda poems: lzma.compress(text_file(poems)),
    "poems.txt.bz2": lambda poems: bz2.compress(text_file(poems)),
    "poems.txt.zst": lambda poems: zstandard_frames.compress(text_file(poems)),
    "poems.docx": docx,
    "lines.docx": docx_of_lines,
    "noisy.docx": noisy_docx,
    "poems.odt": odt,
    "noisy.odt": noisy_odt,
    "poems.rtf": rtf,
    "noisy.rtf": noisy_rtf,
    "poems.html": html,
    "noisy.htm": noisy_html,
    "poems.epub": epub,
    "noisy.epub": noisy_epub,
    "poems.md": markdown,
    "noisy.markdown": noisy_markdown,
    "poems.csv": table,
    "noisy.csv": noisy_csv,
    "poems.tsv": lambda poems: table(poems, "\t"),
    "poems.json": as_json,
    "noisy.json": noisy_json,
    "poems.jsonl": jsonl,
    "noisy.jsonl": noisy_jsonl,
    "poems.parquet": parquet,
    "poems.pdf": pdf,
    "spaced.pdf": lambda poems: pdf(poems, 20),
    "poems.zip": lambda poems: zipped(
        {f"drafts/{at}.docx": docx([poem]) for at, poem in enumerate(poems)}
    ),
    "noisy.zip": lambda poems: zipped(
        {
            "__MACOSX/._poems.txt": b"\x00\x05\x16\x07",
            "drafts/Thumbs.db": b"\xd0\xcf\x11\xe0",
            "drafts/sea.jpg": b"\xff\xd8\xff\xe0",
            "drafts/empty.txt": b"",
            "drafts/": b"",
            "drafts/poems.tar": tarred({"a/poems.txt.gz": gzip.compress(text_file(poems))}),
        }
    ),
    "poems.tar": lambda poems: tarred({"poems.txt": text_file(poems)}),
    "poems.tar.gz": lambda poems: gzip.compress(tarred({"poems.epub": epub(poems)})),
    "poems.tgz": lambda poems: gzip.compress(tarred({"poems.txt": windows_text(poems)})),
    "poems.tar.xz": lambda poems: lzma.compress(tarred({"poems.html": html(poems)})),
    "poems.tar.bz2": lambda poems: bz2.compress(tarred({"poems.md": markdown(poems)})),
}
