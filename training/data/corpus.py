"""Prepared corpus: memory-mapped token ids of train and valid, a tokenizer and a manifest.

    train.bin, valid.bin   ids as little-endian uint16 (uint32 for more than 65,536 tokens)
    tokenizer.model        the vocabulary
    manifest.json          where the text came from, and what became of it

Documents stand between `<s>` symbols. Texts are read once, through a temporary file on disk, so
memory does not grow with the corpus. Which document validates is decided in
training.data.train_valid_split, which is a duplicate in training.data.deduplication. Knows
nothing of networks.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from model.atomic_write import replacing_folder
from model.errors import ParameterError, TokenizerError
from model.regular_file import open_regular, read_regular
from model.tokenizer import BOS_ID, UNK_ID, Tokenizer, TokenizerKind
from training.data.document_store import DocumentStore
from training.data.sources import STDIN, expand, file_digest, require_outside
from training.data.train_valid_split import Part, SplitKind
from training.data.unknown_characters import commonest_unknown, require_known
from training.data.vocabulary import learn_tokenizer
from training.training_errors import CorpusError

FORMAT = 1
MIN_VOCAB_SIZE, MAX_VOCAB_SIZE = 300, 65_536  # 256 of them are bytes
MANIFEST, TOKENIZER = "manifest.json", "tokenizer.model"
MAX_MANIFEST = MAX_TOKENIZER = 1 << 28  # bytes; the one lists all source files
_OWN_ADVICE = "give a higher --character-coverage, or texts to validate on that are like the others"
_GIVEN_ADVICE = "begin without --init-from, so that the vocabulary is learned from the text"

Ids = np.ndarray[tuple[int], np.dtype[np.unsignedinteger]]


class CorpusOptions(BaseModel):
    """Options of a corpus: how documents are parted, the train/validation split, the vocabulary."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    document_separator: str = Field(
        "\n\n\n", min_length=1, description="what parts documents; default: two blank lines"
    )
    split: SplitKind = Field(
        "documents",
        description="documents: held out by the hash of their text; "
        "contiguous: the last part of one text without documents",
    )
    valid_fraction: float = Field(
        0.1, gt=0, lt=1, description="share of the text that is held out for validation"
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


def options_of(fields: Mapping[str, object]) -> CorpusOptions:
    """Validate corpus options. Raises ParameterError, which names the field."""
    try:
        return CorpusOptions.model_validate(fields)
    except ValidationError as error:
        raise ParameterError.from_validation(error) from error


class Source(BaseModel):
    """Source file of a corpus, with its hash."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    sha256: str | None = Field(description="of the file as it lay on disk; none for stdin")


class PartFacts(BaseModel):
    """Counts of documents, characters and tokens in one part, train or valid."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    documents: int
    characters: int
    tokens: int
    unknown_tokens: int

    @property
    def unknown_share(self) -> float:
        """Share of the characters that the vocabulary does not have."""
        return self.unknown_tokens / max(self.characters, 1)


class Manifest(BaseModel):
    """Content of a corpus's manifest.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1]
    options: CorpusOptions
    sources: tuple[Source, ...]
    text_sha256: str = Field(description="of the normalised text, duplicates left out")
    vocabulary: int = Field(description="number of token ids")
    duplicate_documents: int = Field(description="documents left out, seen before in this corpus")
    unknown_characters: dict[str, int] = Field(
        {}, description="the commonest that the vocabulary does not have, and their counts"
    )
    train: PartFacts
    valid: PartFacts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Corpus:
    """Prepared corpus, its ids mapped into memory and read as they are needed."""

    manifest: Manifest
    tokenizer: Tokenizer
    train: Ids
    valid: Ids


def prepare(
    names: Sequence[str],
    folder: Path,
    options: CorpusOptions,
    *,
    valid_names: Sequence[str] = (),
    tokenizer: Tokenizer | None = None,
) -> Corpus:
    """Read the named texts, tokenize them, and write a prepared corpus to `folder`.

    `valid_names` are texts of their own to validate on, instead of a part of the others; a
    `tokenizer` is used as it is, instead of learning one. Raises CorpusError for what cannot
    be read or split, or when `folder` holds something else; `folder` is then as it was.
    """
    _require_replaceable(folder)
    _require_texts([*names, *valid_names], folder)
    files, valid_files = expand(names), expand(valid_names) if valid_names else []
    if STDIN in files and STDIN in valid_files:
        raise CorpusError("-: standard input can be read only once; give valid_corpus a file")
    sources = tuple(Source(name=name, sha256=file_digest(name)) for name in files + valid_files)
    with (
        replacing_folder(folder) as partial,
        tempfile.TemporaryFile("w+b", dir=partial) as file,
    ):
        store = DocumentStore(file, options.split, options.document_separator)
        store.read(files, valid_files, options.valid_fraction)
        used = tokenizer if tokenizer is not None else _learn(store, options)
        facts = {part: _write_ids(store, part, used, partial) for part in ("train", "valid")}
        unknown = commonest_unknown(store.counts, used)
        for part, place in (("train", "to train on"), ("valid", "to validate on")):
            advice = _OWN_ADVICE if tokenizer is None else _GIVEN_ADVICE
            require_known(facts[part].unknown_share, unknown, place, advice)
        manifest = Manifest(
            format=FORMAT,
            options=options.model_copy(update={"tokenizer": used.kind}),
            sources=sources,
            text_sha256=store.text_sha256,
            vocabulary=used.vocab_size,
            duplicate_documents=store.num_duplicates,
            unknown_characters=unknown,
            **facts,
        )
        (partial / TOKENIZER).write_bytes(used.serialized)
        (partial / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", "utf-8")
    return load_corpus(folder)


def _require_replaceable(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()) and not is_prepared(str(folder)):
        raise CorpusError(
            f"{folder}: holds something other than a prepared corpus, which would be lost; "
            "name a new folder"
        )


def _require_texts(names: Sequence[str], folder: Path) -> None:
    for name in names:
        if is_prepared(name):
            raise CorpusError(
                f"{name}: a prepared corpus, not text; it can only be used as the one --corpus of "
                "train, evaluate and study"
            )
    require_outside(names, folder)


def _learn(store: DocumentStore, options: CorpusOptions) -> Tokenizer:
    try:
        return learn_tokenizer(
            (text for text, _ in store.texts("train")),
            store.counts,
            kind=options.tokenizer,
            vocab_size=options.vocab_size,
            coverage=options.character_coverage,
        )
    except TokenizerError as error:
        sizes = f"--vocab-size takes {MIN_VOCAB_SIZE:,} to {MAX_VOCAB_SIZE:,}"
        raise CorpusError(f"{error}; {sizes}, and --tokenizer char needs none") from error


def _write_ids(store: DocumentStore, part: Part, tokenizer: Tokenizer, folder: Path) -> PartFacts:
    characters = tokens = unknown = documents = 0
    with (folder / f"{part}.bin").open("wb") as file:
        for text, opens_document in store.texts(part):
            ids = tokenizer.encode_array(text)
            if opens_document:
                documents += 1
                tokens += _append(file, np.array([BOS_ID]), tokenizer)
            tokens += _append(file, ids, tokenizer)
            characters += len(text)
            unknown += int(np.count_nonzero(ids == UNK_ID))
        if store.split == "documents":
            tokens += _append(file, np.array([BOS_ID]), tokenizer)  # ends the last document
    return PartFacts(
        documents=documents, characters=characters, tokens=tokens, unknown_tokens=unknown
    )


def _append(file: IO[bytes], ids: np.ndarray, tokenizer: Tokenizer) -> int:
    file.write(ids.astype(_dtype(tokenizer)).tobytes())
    return len(ids)


def _dtype(tokenizer: Tokenizer) -> str:
    return "<u2" if tokenizer.vocab_size <= 1 << 16 else "<u4"


def is_prepared(name: str) -> bool:
    """Check whether `name` is the folder of a prepared corpus."""
    return (Path(name) / MANIFEST).is_file()


def load_corpus(folder: Path) -> Corpus:
    """Load a prepared corpus as a memory map.

    Raises CorpusError when its files do not fit its manifest.
    """
    manifest = _read_manifest(folder / MANIFEST)
    try:
        serialized = read_regular(folder / TOKENIZER, MAX_TOKENIZER).content
        tokenizer = Tokenizer(serialized, manifest.options.tokenizer)
        parts = [_mapped(folder / f"{part}.bin", tokenizer) for part in ("train", "valid")]
    except (OSError, ValueError, TokenizerError) as error:
        raise CorpusError(f"{folder}: not a prepared corpus ({error})") from error
    if [len(part) for part in parts] != [manifest.train.tokens, manifest.valid.tokens]:
        raise CorpusError(f"{folder}: train.bin or valid.bin is not as long as {MANIFEST} says")
    if tokenizer.vocab_size != manifest.vocabulary:
        raise CorpusError(f"{folder}: {TOKENIZER} is not the vocabulary that {MANIFEST} describes")
    return Corpus(manifest=manifest, tokenizer=tokenizer, train=parts[0], valid=parts[1])


def _mapped(path: Path, tokenizer: Tokenizer) -> Ids:
    with open(path, "rb", opener=open_regular) as file:
        return np.memmap(file, _dtype(tokenizer), "r")


def _read_manifest(path: Path) -> Manifest:
    try:
        return Manifest.model_validate(json.loads(read_regular(path, MAX_MANIFEST).content))
    except ValidationError as error:
        raise CorpusError(f"{path}: {ParameterError.from_validation(error)}") from error
    except (OSError, ValueError) as error:
        raise CorpusError(f"{path}: cannot be read ({error})") from error


def require_options(manifest: Manifest, folder: Path, given: Mapping[str, object]) -> None:
    """Check given options against those that `folder` was prepared with.

    Raises ParameterError, which names the option that differs.
    """
    for name, value in given.items():
        stored = getattr(manifest.options, name)
        if value != stored:
            raise ParameterError(
                name, f"{folder} was prepared with {stored!r}; leave it out, or prepare anew"
            )


def changed_sources(manifest: Manifest) -> Iterator[str]:
    """Find the source files of a corpus that are missing or no longer as they were."""
    for source in manifest.sources:
        if source.sha256 is None:
            continue
        if not Path(source.name).is_file() or file_digest(source.name) != source.sha256:
            yield source.name
