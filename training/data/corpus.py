"""Prepared corpus: memory-mapped token ids of train and valid, a tokenizer and a manifest.

    train.bin, valid.bin   ids as little-endian uint16 (uint32 for more than 65,536 tokens)
    tokenizer.model        the vocabulary
    words.xz               words of the training text with their counts (`model.word_list`)
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
from typing import IO, Any

import numpy as np
from pydantic import ValidationError

from model.atomic_write import replacing_folder
from model.errors import CheckpointError, ParameterError, TokenizerError
from model.regular_file import open_regular, read_regular
from model.tokenizer import BOS_ID, UNK_ID, Tokenizer
from model.tokenizer_widening import widened_tokenizer
from model.word_list import MAX_BYTES as MAX_WORD_LIST
from model.word_list import WordList
from training.data.corpus_manifest import FORMAT, Manifest, PartFacts, Source
from training.data.corpus_options import MAX_VOCAB_SIZE, MIN_VOCAB_SIZE, CorpusOptions
from training.data.document_store import DocumentStore
from training.data.reading_report import ReadingFacts
from training.data.sources import expand, file_digest, require_outside
from training.data.train_valid_split import Part
from training.data.unknown_characters import commonest_unknown, require_known
from training.data.vocabulary import learn_tokenizer
from training.data.word_associations import word_list_of
from training.texts.unpacking import STDIN
from training.training_errors import CorpusError

MANIFEST, TOKENIZER, WORDS = "manifest.json", "tokenizer.model", "words.xz"
MAX_MANIFEST = MAX_TOKENIZER = 1 << 28  # bytes; the one lists all source files
_ADVICE = "give a higher --character-coverage, or texts to validate on that are like the others"

Ids = np.ndarray[tuple[int], np.dtype[np.unsignedinteger]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Corpus:
    """Prepared corpus, its ids mapped into memory and read as they are needed."""

    manifest: Manifest
    tokenizer: Tokenizer
    train: Ids
    valid: Ids
    word_list: WordList | None = None  # of the training text


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
    `tokenizer` is widened by characters it lacks, instead of learning one. Raises CorpusError for
    what cannot be read or split, or when `folder` holds something else, which then is as it was.
    """
    every_name = [*names, *valid_names]
    _require_replaceable(folder)
    require_texts(every_name)
    require_outside(every_name, folder)
    files, valid_files = _expand_both(names, valid_names)
    sources = tuple(Source(name=name, sha256=file_digest(name)) for name in files + valid_files)
    with (
        replacing_folder(folder) as partial,
        tempfile.TemporaryFile("w+b", dir=partial) as file,
    ):
        store = DocumentStore(file, options, every_name)
        store.read(files, valid_files)
        used = _tokenizer_for(store, options, tokenizer)
        facts = _write_parts(store, used, partial)
        unknown = commonest_unknown(store.counts, used)
        if not options.anyway:
            _require_most_learned(store.reading, facts, unknown)
        manifest = Manifest(
            format=FORMAT,
            options=options.model_copy(update={"tokenizer": used.kind}),
            sources=sources,
            vocabulary=used.vocab_size,
            unknown_characters=unknown,
            words=_write_words(store, partial) if options.word_list else None,
            **facts,
            **_store_facts(store),
        )
        (partial / TOKENIZER).write_bytes(used.serialized)
        (partial / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", "utf-8")
    return load_corpus(folder)


def _require_most_learned(
    reading: ReadingFacts, facts: Mapping[Part, PartFacts], unknown: Mapping[str, int]
) -> None:
    """Refuse a corpus half of which is cut, left out or unknown."""
    if reading.why_stop is not None:
        raise CorpusError(reading.why_stop)
    require_known(facts["train"].unknown_share, unknown, "to train on", _ADVICE)
    require_known(facts["valid"].unknown_share, unknown, "to validate on", _ADVICE)


def _expand_both(names: Sequence[str], valid_names: Sequence[str]) -> tuple[list[str], list[str]]:
    files, valid_files = expand(names), expand(valid_names) if valid_names else []
    if STDIN in files and STDIN in valid_files:
        raise CorpusError("-: standard input can be read only once; give valid_corpus a file")
    return files, valid_files


def _require_replaceable(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()) and not is_prepared(str(folder)):
        raise CorpusError(
            f"{folder}: holds something other than a prepared corpus, which would be lost; "
            "name a new folder"
        )


def require_texts(names: Sequence[str]) -> None:
    """Refuse prepared folders among the names of texts. Raises CorpusError."""
    for name in names:
        if is_prepared(name):
            raise CorpusError(
                f"{name}: a prepared corpus, not text; it can only be used as the one --corpus of "
                "train, evaluate and study"
            )


def _tokenizer_for(
    store: DocumentStore, options: CorpusOptions, given: Tokenizer | None
) -> Tokenizer:
    if given is not None:
        return widened_tokenizer(given, store.counts.most_frequent(options.character_coverage))
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


def _store_facts(store: DocumentStore) -> dict[str, Any]:
    return {
        "text_sha256": store.text_sha256,
        "duplicate_documents": store.num_duplicates,
        "reprinted_documents": store.num_reprints,
        "reading": store.reading,
    }


def _write_parts(store: DocumentStore, tokenizer: Tokenizer, folder: Path) -> dict[Part, PartFacts]:
    parts: tuple[Part, Part] = ("train", "valid")
    return {part: _write_ids(store, part, tokenizer, folder) for part in parts}


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


def _write_words(store: DocumentStore, folder: Path) -> int:
    words = word_list_of(store.texts("train"))
    (folder / WORDS).write_bytes(words.serialized)
    return len(words.words)


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
    return Corpus(
        manifest=manifest,
        tokenizer=tokenizer,
        train=parts[0],
        valid=parts[1],
        word_list=_read_words(folder / WORDS, manifest),
    )


def _read_words(path: Path, manifest: Manifest) -> WordList | None:
    if manifest.words is None:
        return None
    try:
        words = WordList(read_regular(path, MAX_WORD_LIST).content)
    except (OSError, CheckpointError) as error:
        raise CorpusError(f"{path}: cannot be read ({error})") from error
    if len(words.words) != manifest.words:
        raise CorpusError(f"{path}: is not the word list that {MANIFEST} describes")
    return words


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
