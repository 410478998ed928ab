"""Corpus sources: folders, patterns, and names that stand for nothing."""

import os
from pathlib import Path

import pytest

from training.data.sources import expand, outward_links, require_outside
from training.training_errors import CorpusError


def test_a_folder_stands_for_its_visible_files_in_order(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.txt", ".hidden", ".git/config"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x", encoding="utf-8")
    assert expand([str(tmp_path)]) == [str(tmp_path / "a/z.txt"), str(tmp_path / "b.txt")]


def test_a_pattern_stands_for_its_matches_once(tmp_path: Path) -> None:
    for name in ("one.txt", "two.txt", "three.md"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    found = expand([str(tmp_path / "*.txt"), str(tmp_path / "one.txt")])
    assert found == [str(tmp_path / "one.txt"), str(tmp_path / "two.txt")]


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    """A folder with links: within it, round in a circle, and out of it."""
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "diary.txt").write_text("mine")
    texts = tmp_path / "texts"
    (texts / "a").mkdir(parents=True)
    (texts / "a" / "one.txt").write_text("x")
    (texts / "same.txt").symlink_to("a/one.txt")
    (texts / "diary.txt").symlink_to(tmp_path / "private" / "diary.txt")
    (texts / "private").symlink_to(tmp_path / "private")
    (texts / "nowhere").symlink_to("../nowhere")
    for place in ("a/back", "a/round", "itself"):
        (texts / place).symlink_to(texts)
    (texts / "selfish").symlink_to("selfish")
    return texts


def test_links_out_of_a_folder_are_not_followed_but_found(linked: Path) -> None:
    assert expand([str(linked)]) == [str(linked / "a" / "one.txt")]
    assert [Path(link).name for link in outward_links([str(linked), "-"])] == [
        "diary.txt",
        "nowhere",
        "private",
    ]


def test_a_folder_of_links_that_lead_out_says_so(linked: Path) -> None:
    (linked / "a" / "one.txt").unlink()
    with pytest.raises(CorpusError, match=r"no files but links that lead out of it \(3\)"):
        expand([str(linked)])


def test_a_link_that_is_named_is_followed(linked: Path) -> None:
    assert expand([str(linked / "diary.txt")]) == [str(linked / "diary.txt")]
    (linked.parent / "shortcut").symlink_to(linked)
    assert len(expand([str(linked.parent / "shortcut")])) == 1


@pytest.mark.parametrize("pattern", ["**", "**/*.txt", "**/**/one.txt", "../texts/**/a/**"])
def test_a_pattern_for_all_folders_goes_no_way_round_in_a_circle(
    linked: Path, monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    (linked / ".hidden").mkdir()
    (linked / ".hidden" / "one.txt").write_text("x")
    monkeypatch.chdir(linked)
    for name in (pattern, str(linked / pattern)):
        found = [Path(file).resolve() for file in expand([name])]
        assert found[-1] == linked / "a" / "one.txt" or found[0] == linked / "a" / "one.txt"
        assert len(found) == (1 if "one" in pattern or "a/" in pattern else 2)


@pytest.mark.parametrize("name", ["missing.txt", "*.nothing", "empty"])
def test_a_name_that_stands_for_nothing_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError, match=name.replace("*", r"\*")):
        expand([str(tmp_path / name)])


def test_an_empty_name_is_not_the_current_folder() -> None:
    with pytest.raises(CorpusError, match="a name is empty"):
        expand([""])


def test_a_pipe_is_refused_with_what_to_do(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CorpusError, match="neither a file nor a folder; send a stream to -"):
        expand([str(tmp_path / "pipe")])


def test_a_file_name_that_is_not_utf8_is_an_error_that_shows_it(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.txt")).write_text("x")
    with pytest.raises(CorpusError, match=r"caf\\udce9.txt.*rename"):
        expand([str(tmp_path)])


@pytest.mark.parametrize("place", ["runs", "a/b/data", "."])
def test_results_may_not_lie_in_a_corpus_folder(tmp_path: Path, place: str) -> None:
    with pytest.raises(CorpusError, match="holds"):
        require_outside(["-", str(tmp_path)], tmp_path / place)


def test_results_may_lie_beside_a_corpus_folder_or_hidden_in_it(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    require_outside([str(tmp_path / "texts")], tmp_path / "runs")
    require_outside([str(tmp_path)], tmp_path / ".runs" / "one")
