"""Readers of archives, .zip and .tar: each member is read as a file of its kind would be.

Members go through memory or a temporary file without a name, within the budget of the whole file;
nothing is written under a member's name. Archives in archives are read some levels deep. Links,
devices, sparse and encrypted members are left out. Knows nothing of formats.
"""

import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import PurePosixPath
from typing import IO

from training.texts.file_reading import FileReading, Sources
from training.texts.source_text import RefusedTextError
from training.texts.unpacking import (
    DAMAGE,
    ZIP_DAMAGE,
    chunks_of,
    is_encrypted,
    spooled,
    unreadable,
)

MAX_DEPTH = 3
_TAR_DAMAGE = (*DAMAGE, tarfile.TarError, ValueError, OverflowError, IndexError, UnicodeError)
TOO_DEEP = f"lies in more than {MAX_DEPTH} archives; unpack it first"


def read_zip(file: IO[bytes], reading: FileReading) -> Sources:
    """Read the members of an open .zip. Raises RefusedTextError for a bomb, and for damage."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            # What a member claims is all that is ever read of it.
            reading.budget.require(sum(member.file_size for member in members))
            for member in members:
                yield from _zip_member(archive, member, _inside(reading, member.filename))
    except ZIP_DAMAGE as error:
        raise unreadable(error) from error


def _zip_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, inside: FileReading) -> Sources:
    inside.budget.take_member()
    if is_encrypted(member):
        yield inside.left_out("is encrypted; make an archive without a password")
        return
    try:
        with archive.open(member) as packed:
            unpacked = spooled(chunks_of(packed), inside.budget)
    except RefusedTextError as error:
        yield inside.left_out(str(error))
        return
    except ZIP_DAMAGE as error:
        yield inside.left_out(str(unreadable(error)))
        return
    with unpacked:
        yield from inside.read_member(unpacked, inside)


def read_tar(file: IO[bytes], reading: FileReading) -> Sources:
    """Read the members of an open .tar, unpacked. Raises RefusedTextError for damage."""
    try:
        with tarfile.open(fileobj=file, mode="r:") as archive:
            for member in _members(archive):
                yield from _tar_member(archive, member, _inside(reading, member.name))
    except _TAR_DAMAGE as error:
        raise unreadable(error) from error


def _members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Give the members in order; a damaged header may lead back, and round without an end."""
    place = -1
    for member in archive:
        if member.offset <= place:
            raise tarfile.ReadError("its members lead back")
        place = member.offset
        if not member.isdir():
            yield member


def _tar_member(archive: tarfile.TarFile, member: tarfile.TarInfo, inside: FileReading) -> Sources:
    inside.budget.take_member()
    if not member.isreg():
        yield inside.left_out("is a link or a device", is_expected=True)
        return
    if member.issparse():
        yield inside.left_out("is a sparse file, as no text is")
        return
    packed = archive.extractfile(member)
    if packed is None:
        yield inside.left_out("cannot be read")
        return
    with closing(packed), spooled(chunks_of(packed), inside.budget) as unpacked:
        yield from inside.read_member(unpacked, inside)


def _inside(reading: FileReading, name: str) -> FileReading:
    """Describe a member, by a name that leads nowhere else and shows no control characters."""
    parts = [
        part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", "..")
    ]
    shown = "".join(char if char.isprintable() else "\ufffd" for char in "/".join(parts))
    return replace(reading.inside(f"/{shown}"), depth=reading.depth + 1)
