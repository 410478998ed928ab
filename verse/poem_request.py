"""Poem request: what is asked of a poem beside its form - title, words, seed, how strictly.

The command line, the HTTP schema and the documents take fields, bounds and help from here. Knows
nothing of networks.
"""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from model.parameters import MAX_SEED
from model.validation import validated_fields
from verse.forms import ONE_LINE, PoemSpec
from verse.presets import preset
from verse.prosody.line_words import with_straight_apostrophes

MAX_WORDS = 100
MAX_OPENING = 4000
Word = Annotated[
    str, Field(min_length=1, max_length=40, pattern=r"^['\u2019]?[^\W\d_](?:[\w'\u2019-]*)$")
]
Words = Annotated[tuple[Word, ...], Field(max_length=MAX_WORDS, strict=False)]


class PoemRequest(BaseModel):
    """Request of a poem: a form by name or as a spec; all else is optional."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    form: str | None = Field(None, max_length=60, description="name of a form, such as sonnet")
    word: str | None = Field(
        None,
        max_length=200,
        description="what an acrostic spells, or the words that end a ghazal's lines",
    )
    spec: PoemSpec | None = Field(None, description="a form of one's own, instead of `form`")
    title: str = Field(
        "", max_length=200, pattern=ONE_LINE, description="title, which the poem follows"
    )
    opening: str = Field(
        "", max_length=MAX_OPENING, description="lines that stand before the poem, not its own"
    )
    seed: int | None = Field(
        None, ge=0, le=MAX_SEED, description="the same seed gives the same poem; none draws one"
    )
    strict: bool = Field(
        True, description="refuse a poem that cannot keep its form; else relax it and say where"
    )
    temperature: float = Field(
        0.8, ge=0.1, le=2, description="divides the logits: lower is plainer, higher is wilder"
    )
    particles: int = Field(
        32, ge=4, le=128, description="versions of a line that are written side by side"
    )
    alternatives: int = Field(
        0, ge=0, le=8, description="other versions of each line that keep the form as well"
    )
    avoid: Words = Field((), description="words that must not occur")
    prefer: Words = Field((), description="words that are welcome")
    keywords: Words = Field((), description="words that must occur, each in some line")
    subject: Words = Field(
        (), description="words whose neighbours in the model's texts are welcome; else the title's"
    )
    allow_copies: bool = Field(
        False,
        description="take lines with 40 characters or 8 words in a row of the training text too; "
        "without this none is, where the checkpoint has an index of it",
    )
    modern: bool = Field(False, description="leave out archaic words: thou, hath, o'er")

    @classmethod
    def checked(cls, **fields: object) -> Self:
        """Validate fields as a request. Raises ParameterError, which names the field."""
        return validated_fields(cls, fields)

    @model_validator(mode="after")
    def _has_one_form(self) -> Self:
        if (self.form is None) == (self.spec is None):
            raise ValueError("form or spec: give one of them")
        if self.spec is not None and self.word is not None:
            raise ValueError("word belongs to a form by name, not to a spec")
        banned = {_folded(word) for word in self.avoid}
        for name in ("keywords", "prefer"):
            both = [word for word in getattr(self, name) if _folded(word) in banned]
            if both:
                raise ValueError(f"avoid and {name} both name {both[0]!r}")
        return self

    @property
    def text_before(self) -> str:
        """Text that the network reads before the first line: title and opening lines."""
        title = f"{self.title}\n\n" if self.title else ""
        lines = self.opening.strip("\n")
        return title + (f"{lines}\n" if lines else "") or "\n\n"

    def poem_spec(self) -> PoemSpec:
        """Form that is asked for. Raises ParameterError for a name or word that there is not."""
        return self.spec if self.spec is not None else preset(self.form or "", self.word)


def _folded(word: str) -> str:
    return with_straight_apostrophes(word.casefold())
