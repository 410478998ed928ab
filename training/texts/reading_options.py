"""Options of reading: the encoding of texts, and which fields of a table are text and title.

Each is a flag of the commands that read texts. Knows nothing of files.
"""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from model.errors import shortened


def _known_encoding(name: str) -> str:
    try:
        b" ".decode(name, "ignore")
    except LookupError:
        raise ValueError(
            f"must be names of encodings, such as windows-1252, got {shortened(name)}"
        ) from None
    return name


class ReadingOptions(BaseModel):
    """Options of reading: encodings of texts, fields of tables."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoding: tuple[Annotated[str, AfterValidator(_known_encoding)], ...] = Field(
        (),
        description="encoding of the texts, such as windows-1252; several: each line by the first "
        "that can; default: found by their bytes, file by file",
    )
    text_field: str | None = Field(
        None,
        min_length=1,
        description="field of a table or of JSON objects that holds the texts; default: guessed",
    )
    title_field: str | None = Field(
        None,
        min_length=1,
        description="field that holds the titles; default: guessed",
    )
