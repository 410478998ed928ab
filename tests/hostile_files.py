"""Hostile corpus files: bombs, loops, entities, names that lead elsewhere.

`HOSTILE` makes each, given the address of a server that nobody may ask.
"""

import gzip
import io
import json
import tarfile
import zipfile
import zlib
from collections.abc import Callable

import zoo_documents
import zoo_pages
import zoo_poems
import zoo_tables
import zstandard_frames

BOMB_BYTES = 300 << 20


def gzipped_zeros(size: int = BOMB_BYTES) -> bytes:
    packer = zlib.compressobj(1, wbits=31)
    zeros = bytes(1 << 20)
    return b"".join(packer.compress(zeros) for _ in range(size >> 20)) + packer.flush()


def zip_bomb(name: str, size: int = BOMB_BYTES, **members: str) -> bytes:
    """A zip whose member is zeros, a thousandth of its size."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for other, content in members.items():
            archive.writestr(other.replace("__", "/"), content)
        with archive.open(name, "w", force_zip64=True) as member:
            for _ in range(size >> 20):
                member.write(bytes(1 << 20))
    return out.getvalue()


def lying_zip() -> bytes:
    """A zip that claims a tenth of what its member unpacks to."""
    raw = zip_bomb("poems.txt", 50 << 20)
    return raw.replace((50 << 20).to_bytes(4, "little"), (5 << 20).to_bytes(4, "little"))


def nested(depth: int) -> bytes:
    content = zoo_poems.zipped({"poem.txt": zoo_poems.TEXT})
    for _ in range(depth):
        content = zoo_poems.zipped({"more.zip": content})
    return content


def encrypted_zip() -> bytes:
    """A zip whose member says that it is encrypted."""
    raw = bytearray(zoo_poems.zipped({"poem.txt": zoo_poems.TEXT}))
    raw[6] |= 1
    at = raw.index(b"PK\x01\x02")
    raw[at + 8] |= 1
    return bytes(raw)


def special_tar() -> bytes:
    """Links out of the archive, devices, a sparse file, and names that lead elsewhere."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, kind in (
            ("link", tarfile.SYMTYPE),
            ("hard", tarfile.LNKTYPE),
            ("null", tarfile.CHRTYPE),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        for name in ("../../etc/poem.txt", "/tmp/poem.txt", "a/\x1b[31mpoem\n.txt"):
            info = tarfile.TarInfo(name)
            info.size = len(zoo_poems.TEXT.encode())
            archive.addfile(info, io.BytesIO(zoo_poems.TEXT.encode()))
    return out.getvalue()


def looping_tar() -> bytes:
    """A tar whose second header claims a size below zero, which leads back to the first."""
    raw = bytearray(zoo_poems.tarred({"a.txt": b"x" * 600, "b.txt": b"y"}))
    at = 512 + 1024
    header = raw[at : at + 512]
    header[124:136] = b"\xff" * 10 + (-at - 512 & 0xFFFF).to_bytes(2, "big")
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    raw[at : at + 512] = header
    return bytes(raw)


def doctype(address: str) -> str:
    """Entities that double ten times a level, and one from elsewhere."""
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return (
        f'<!DOCTYPE a [<!ENTITY l0 "lol">{levels}<!ENTITY x SYSTEM "file:///etc/passwd">'
        f'<!ENTITY y SYSTEM "http://{address}/">]>'
    )


def docx_of(size: int) -> bytes:
    """A docx whose one document is larger than what is read."""
    return zip_bomb("word/document.xml", size)


def deep_html(levels: int) -> bytes:
    return b"<html><body>" + b"<div>" * levels + b"a poem of one line\n" + b"</div>" * levels


def html_of_many_requests(address: str) -> bytes:
    place = f"http://{address}"
    return (
        f'<!DOCTYPE html SYSTEM "{place}/x.dtd"><html><head><base href="{place}/">'
        f'<link rel="stylesheet" href="{place}/a.css"><script src="{place}/b.js"></script></head>'
        f'<body><img src="{place}/c.png"><p>a poem<br>of two</p></body></html>'
    ).encode()


def endless_pdf() -> bytes:
    """A PDF whose tree of pages leads back to itself."""
    return zoo_pages.pdf_document([b"BT /F 12 Tf (a) Tj ET"], kids=b"2 0 R 2 0 R 5 0 R")


def bomb_pdf(*, times: int = 1) -> bytes:
    """A PDF of one page that unpacks to 100 MB, packed so many times."""
    packed = bytes(100 << 20)
    for _ in range(times):
        packed = zlib.compress(packed, 1)
    return zoo_pages.pdf_document([packed]).replace(
        b"<< /Length", b"<< /Filter /FlateDecode /Length"
    )


def padded_pdf() -> bytes:
    """A PDF of the same page in a file so large that it is no bomb by its ratio."""
    return bomb_pdf() + b"% not a text\n" * 100_000


def bomb_parquet() -> bytes:
    """A table of forty poems of 2 MB, a few kilobytes."""
    poems = [(f"{n}", "a line of verse\n" * 130_000) for n in range(40)]
    return zoo_tables.parquet(poems, compression="zstd(1)")


def cut_footer_parquet() -> bytes:
    """A table whose footer says that it is longer than it is."""
    whole = zoo_tables.parquet(zoo_poems.POEMS)
    length = int.from_bytes(whole[-8:-4], "little")
    return whole[: -8 - length] + b"\x19\x2c" * 20 + (40).to_bytes(4, "little") + b"PAR1"


def endless_number_parquet() -> bytes:
    """A table whose footer is one number of 4 MB."""
    footer = b"\x15" + b"\xff" * ((1 << 22) - 1)
    return b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1"


def giant_cell() -> bytes:
    return b'title,lyrics\na,"the sea"\nb,"' + b"sea " * (6 << 20)


def giant_line() -> bytes:
    return b'{"title": "a", "lyrics": "' + b"sea " * (5 << 20)


HOSTILE: dict[str, Callable[[str], bytes]] = {
    "bomb.txt.gz": lambda _: gzipped_zeros(),
    "bomb.gz.gz": lambda _: gzip.compress(gzipped_zeros()),
    "bomb.zst": lambda _: zstandard_frames.compress(bytes(BOMB_BYTES)),
    "bomb.zip": lambda _: zip_bomb("poems.txt"),
    "lying.zip": lambda _: lying_zip(),
    "bomb.tar.gz": lambda _: gzipped_zeros(),
    "bomb.docx": lambda _: docx_of(80 << 20),
    "bomb.odt": lambda _: zip_bomb("content.xml", 80 << 20),
    "bomb.epub": lambda _: zip_bomb(
        "OPS/book.opf", 80 << 20, **{"META-INF__container.xml": zoo_pages.CONTAINER}
    ),
    "nested.zip": lambda _: nested(6),
    "encrypted.zip": lambda _: encrypted_zip(),
    "special.tar": lambda _: special_tar(),
    "looping.tar": lambda _: looping_tar(),
    "entities.docx": lambda a: zoo_documents.docx_package(
        "<w:p><w:r><w:t>&l9;&x;&y;</w:t></w:r></w:p>", doctype(a)
    ),
    "entities.odt": lambda a: zoo_documents.odt_package("<text:p>&l9;&x;&y;</text:p>", doctype(a)),
    "entities.epub": lambda a: zoo_pages.epub(zoo_poems.POEMS, prolog=doctype(a)),
    "entities.html": lambda a: (
        doctype(a).replace("DOCTYPE a", "DOCTYPE html") + "<p>&l9;&x;&y;"
    ).encode(),
    "requests.html": html_of_many_requests,
    "deep.html": lambda _: deep_html(100_000),
    "deep.json": lambda _: b'{"lyrics": ' + b"[" * 200_000,
    "deep.md": lambda _: b">" * 50_000 + b" poem\n\n" + b"*" * 50_000 + b"[" * 20_000,
    "deep.rtf": lambda _: b"{\\rtf1 " + b"{\\b " * 50_000 + b"poem" + b"}" * 50_001,
    "links.rtf": lambda _: (
        b"{\\rtf1 %s}" % (b'{\\field{\\*\\fldinst{HYPERLINK "a" }}{\\fldrslt b}}' * 5000)
    ),
    "fonts.rtf": lambda _: b"{\\rtf1 {\\fonttbl %s}a poem}" % (b"\\f1;" * 50_000),
    "font.rtf": lambda _: b"{\\rtf1 {\\fonttbl %s}a poem}" % (b"\\f1" * 50_000),
    "number.json": lambda _: (
        json.dumps([{"lyrics": "a\nb"}]).encode()[:-1] + b"," + b"9" * 10_000 + b"]"
    ),
    "surrogates.json": lambda _: (
        b'[{"title": "\\ud83d", "lyrics": "the \\udc00sea\\nis\\u0000 deep"}]'
    ),
    "bomb.pdf": lambda _: bomb_pdf(),
    "double.pdf": lambda _: bomb_pdf(times=2),
    "padded.pdf": lambda _: padded_pdf(),
    "long.rtf": lambda _: b"{\\rtf1 " + b"a long, long line\\line\n" * 800_000 + b"}",
    "picture.rtf": lambda _: b"{\\rtf1 {\\pict " + b"0123456789abcdef\n" * 1_200_000 + b"}a poem}",
    "endless.pdf": lambda _: endless_pdf(),
    "locked.pdf": lambda _: zoo_pages.pdf_document(
        [b"BT /F 12 Tf (a) Tj ET"],
        b"/ID [<00><00>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 "
        b"/O <%s> /U <%s> >>" % (b"00" * 32, b"11" * 32),
    ),
    "scan.pdf": lambda _: zoo_pages.pdf_document([b"0 0 1 rg 10 10 100 100 re f"] * 3),
    "cell.csv": lambda _: giant_cell(),
    "line.jsonl": lambda _: giant_line(),
    "columns.csv": lambda _: (
        b",".join(b"c%d" % n for n in range(50_000)) + b"\n" + b"x," * 49_999 + b"x\n"
    ),
    "locked.epub": lambda _: zoo_pages.epub(
        zoo_poems.POEMS,
        **{
            "META-INF/encryption.xml": '<encryption xmlns:enc="http://www.w3.org/2001/04/xmlenc#">'
            '<enc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/></encryption>'
        },
    ),
    "locked.odt": lambda _: zoo_documents.odt_package(
        "", manifest='<m:manifest xmlns:m="urn:m"><m:encryption-data/></m:manifest>'
    ),
    "locked.docx": lambda _: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000),
    "bomb.parquet": lambda _: bomb_parquet(),
    "cut-footer.parquet": lambda _: cut_footer_parquet(),
    "endless-number.parquet": lambda _: endless_number_parquet(),
    "footer.parquet": lambda _: b"PAR1" + bytes(200) + (2**31).to_bytes(4, "little") + b"PAR1",
    "zeros.txt": lambda _: bytes(1 << 20),
    "a.txt": lambda _: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20,
    "program.txt": lambda _: b"\x7fELF" + bytes(range(256)) * 20,
}
