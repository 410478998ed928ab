"""Corpus zoo's documents of word processors: .docx, .odt and .rtf, clean and noisy."""

from html import escape

from zoo_poems import Poem, stanzas, zipped

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
