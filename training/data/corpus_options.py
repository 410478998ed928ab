"""Options of a corpus: reading, cleaning, separator, train/validation split, vocabulary, words.

Each is a flag of `prepare` and `train`. Knows nothing of files.
"""

from collections.abc import Mapping

from pydantic import Field

from model.tokenizer import TokenizerKind
from model.validation import validated_fields
from training.cleaning.cleaning_options import CleaningOptions
from training.data.train_valid_split import SplitKind
from training.texts.reading_options import ReadingOptions

MIN_VOCAB_SIZE, MAX_VOCAB_SIZE = 300, 65_536  # 256 of them are bytes


class CorpusOptions(ReadingOptions, CleaningOptions):
    """Options of a corpus: reading, cleaning, parting, train/validation split, vocabulary."""

    document_separator: str | None = Field(
        None, min_length=1, description="what parts documents; default: what the text shows"
    )
    split: SplitKind = Field(
        "documents",
        description="documents: held out by the hash of their text; "
        "contiguous: the last part of one text without documents",
    )
    valid_fraction: float = Field(
        0.1, gt=0, lt=1, description="share of the text that is held out for validation"
    )
    by_author: bool = Field(
        False, description="hold out whole authors, where files tell them; no author is in both"
    )
    anyway: bool = Field(
        False, description="go on though half of the text is cut, left out or unknown"
    )
    tokenizer: TokenizerKind = Field("char", description="what a token is")
    vocab_size: int = Field(
        1024,
        ge=MIN_VOCAB_SIZE,
        le=MAX_VOCAB_SIZE,
        description="tokens of a unigram or bpe vocabulary",
    )
    character_coverage: float = Field(
        0.9999, gt=0.5, le=1, description="share of the text that a char vocabulary must cover"
    )
    word_list: bool = Field(
        True, description="keep a list of the training text's words for verse in forms"
    )


# Options that say what the documents of some files are.
READING_OPTIONS = (
    *ReadingOptions.model_fields,
    *CleaningOptions.model_fields,
    "document_separator",
)


def options_of(fields: Mapping[str, object]) -> CorpusOptions:
    """Validate corpus options. Raises ParameterError, which names the field."""
    return validated_fields(CorpusOptions, fields)
