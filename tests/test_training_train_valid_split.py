"""Train and valid split: of documents by the hash alone, of one long text by the share."""

import pytest

from training.data.deduplication import Deduplicator, document_digest
from training.data.train_valid_split import held_out_documents, num_held_out_characters

DIGESTS = [document_digest(f"poem {number}".encode()) for number in range(1000)]


@pytest.mark.parametrize("fraction", [0.02, 0.1, 0.5])
def test_about_the_wanted_share_of_documents_is_held_out(fraction: float) -> None:
    assert sum(held_out_documents(DIGESTS, fraction)) == pytest.approx(1000 * fraction, abs=50)


def test_a_document_is_held_out_whatever_stands_beside_it() -> None:
    whole = held_out_documents(DIGESTS, 0.1)
    assert held_out_documents(DIGESTS[:500], 0.1) == whole[:500]
    assert held_out_documents(DIGESTS[::-1], 0.1) == whole[::-1]


@pytest.mark.parametrize("fraction", [1e-9, 1 - 1e-9])
@pytest.mark.parametrize("count", [2, 3, 10])
def test_both_parts_get_a_document(count: int, fraction: float) -> None:
    assert 0 < sum(held_out_documents(DIGESTS[:count], fraction)) < count


def test_the_end_of_a_long_text_is_held_out_by_characters() -> None:
    assert num_held_out_characters(1000, 0.1) == 100
    assert num_held_out_characters(3, 0.1) == 1  # rounded in favour of validation


def test_a_document_is_a_duplicate_from_the_second_time_on() -> None:
    seen = Deduplicator()
    assert [seen.is_duplicate(digest) for digest in [*DIGESTS[:3], DIGESTS[1]]] == [
        *(False, False, False),
        True,
    ]
    assert seen.num_duplicates == 1
