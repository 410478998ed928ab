"""Export for the Hub: a folder whose card the Hub reads, and that is the same checkpoint."""

import hashlib
import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import torch
import yaml

from model import checkpoint as checkpoints
from model import pretrained
from model.__main__ import main
from model.checkpoint import WEIGHTS
from model.export import hub_card
from model.stores.mirror import Mirror

MakeCheckpoint = Callable[..., Path]
COMMAND = ["export", "--to", "hf-folder", "--license", "cc0-1.0"]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint that ships, exported."""
    folder = tmp_path_factory.mktemp("hub") / "strophe-verse"
    assert main([*COMMAND, "--out", str(folder)]) == 0
    return folder


def front_matter(card: str) -> dict[str, Any]:
    opening, content, _ = card.split("---\n", 2)
    assert opening == ""
    facts: dict[str, Any] = yaml.safe_load(content)
    return facts


def test_the_card_says_to_the_hub_what_it_says_to_people(exported: Path) -> None:
    card = (exported / "README.md").read_text()
    facts = front_matter(card)
    (index,) = facts.pop("model-index")
    assert facts == {
        "license": "cc0-1.0",
        "language": ["en"],
        "library_name": "strophe",
        "pipeline_tag": "text-generation",
        "tags": ["poetry", "verse", "lstm", "character-level"],
    }
    (result,) = index["results"]
    corpus = "english-verse-train.txt, english-verse-valid.txt"
    assert result["dataset"]["name"] == f"held-out part of {corpus}"
    assert [metric["value"] for metric in result["metrics"]] == [1.6635]
    assert "strophe generate --checkpoint hf://OWNER/strophe-verse" in card
    assert (pretrained.DEFAULT / "README.md").read_text().strip() in card


def test_the_folder_is_the_same_checkpoint_with_another_card(exported: Path) -> None:
    ours, theirs = checkpoints.load(pretrained.DEFAULT), checkpoints.load(exported)
    for name, weight in ours.network.state_dict().items():
        assert torch.equal(weight, theirs.network.state_dict()[name])
    assert theirs.description == ours.description
    assert theirs.tokenizer.serialized == ours.tokenizer.serialized
    assert theirs.word_list is not None
    assert theirs.copy_index is not None


def test_exports_in_int8_and_bf16_write_the_same_texts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    int8, bf16 = (tmp_path / precision / "strophe-verse" for precision in ("int8", "bf16"))
    for folder in (bf16, int8):
        command = [*COMMAND, "--precision", folder.parent.name]
        assert main([*command, "--out", str(folder)]) == 0
    sizes = [(folder / WEIGHTS).stat().st_size for folder in (bf16, int8)]
    assert sizes[1] < 0.53 * sizes[0]
    texts = []
    for folder in (bf16, int8):
        capsys.readouterr()
        asked = ["--checkpoint", str(folder), "--prompt", "The moon", "--seed", "3"]
        assert main(["generate", *asked, "--max-tokens", "300"]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1] != ""
    assert [path.name for path in sorted(int8.iterdir())] == [
        path.name for path in sorted(bf16.iterdir())
    ]


def test_a_precision_that_a_network_does_not_come_in_is_refused(
    make_checkpoint: MakeCheckpoint, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    skipping = make_checkpoint(tmp_path / "skipping", skip=True)
    command = [*COMMAND, "--checkpoint", str(skipping), "--precision", "int8"]
    assert main([*command, "--out", str(tmp_path / "out")]) == 2
    assert "precision: int8 is for plain stacks" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_all_files_stand_in_the_sums(exported: Path) -> None:
    lines = (exported / "SHA256SUMS").read_text().splitlines()
    sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert sums.keys() | {"SHA256SUMS"} == {file.name for file in exported.iterdir()}
    assert "loss.png" in sums  # the card shows it
    for name, digest in sums.items():
        assert hashlib.sha256((exported / name).read_bytes()).hexdigest() == digest


def test_an_export_of_an_export_is_the_same(
    tmp_path: Path, make_checkpoint: MakeCheckpoint
) -> None:
    folder = make_checkpoint(tmp_path / "verse")
    first, second = tmp_path / "first" / "verse", tmp_path / "second" / "verse"
    assert main([*COMMAND, "--checkpoint", str(folder), "--out", str(first)]) == 0
    assert main([*COMMAND, "--checkpoint", str(first), "--out", str(second)]) == 0
    assert main([*COMMAND, "--checkpoint", str(first), "--out", str(second)]) == 0  # once more
    contents = [{f.name: f.read_bytes() for f in each.iterdir()} for each in (first, second)]
    assert contents[0] == contents[1]
    assert "model-index" not in front_matter((first / "README.md").read_text())


def test_nothing_else_is_written_over(
    tmp_path: Path, tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("a poem")
    assert main([*COMMAND, "--checkpoint", str(tiny_checkpoint), "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"error: out: {tmp_path} is there and no earlier export\n"
    assert (tmp_path / "mine.txt").read_text() == "a poem"


def test_the_hubs_own_library_reads_the_card(exported: Path) -> None:
    hub = pytest.importorskip("huggingface_hub")
    data = hub.ModelCard.load(exported / "README.md").data
    assert (data.license, data.pipeline_tag, data.model_name) == (
        "cc0-1.0",
        "text-generation",
        "strophe-verse",
    )
    (result,) = data.eval_results
    assert (result.metric_type, result.metric_value) == ("bits_per_character", 1.6635)


def test_what_a_licence_or_a_name_holds_stays_one_value(tiny_checkpoint: Path) -> None:
    loaded = checkpoints.load(tiny_checkpoint)
    odd = 'a: b # c\n- "d"'
    card = hub_card(loaded, name="x", license_id=odd, languages=["no", "en"])
    assert (front_matter(card)["license"], front_matter(card)["language"]) == (odd, ["no", "en"])


class Hub(BaseHTTPRequestHandler):
    """The three routes of the Hub that reading a model takes, before one folder."""

    folder: Path
    paths: list[str]

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.paths.append(path)
        if path.startswith("/api/models/poet/verse/tree/"):
            self.answer(json.dumps([self.entry(file) for file in sorted(self.folder.iterdir())]))
        elif path.startswith("/api/models/poet/verse"):
            self.answer(json.dumps({"id": "poet/verse", "sha": "0" * 40, "siblings": []}))
        elif path.startswith("/poet/verse/resolve/"):
            self.answer((self.folder / path.rpartition("/")[2]).read_bytes())
        else:
            self.send_error(404)

    def entry(self, file: Path) -> dict[str, object]:
        content = file.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        lfs = {"oid": digest, "size": len(content), "pointerSize": 130}
        facts = {"type": "file", "path": file.name, "size": len(content), "oid": digest[:40]}
        return facts | ({"lfs": lfs} if file.suffix == ".safetensors" else {})

    def answer(self, content: str | bytes) -> None:
        raw = content.encode() if isinstance(content, str) else content
        self.send_response(200)
        self.send_header("Content-Length", str(len(raw)))
        self.send_header("X-Repo-Commit", "0" * 40)
        self.send_header("ETag", f'"{hashlib.sha256(raw).hexdigest()}"')
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(exported: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    handler = type("OneHub", (Hub,), {"folder": exported, "paths": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, args=[0.01])  # looks so often whether to end
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield handler
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_exported_folder_comes_back_from_a_hub(
    hub: type[Hub], exported: Path, tmp_path: Path
) -> None:
    """The Hub here is a stand-in with its routes; that of the world was not asked."""
    pytest.importorskip("huggingface_hub")
    mirror = Mirror("hf://poet/verse", tmp_path)
    folder = mirror.only_checkpoint()
    assert folder.name == "verse"
    assert checkpoints.load(folder).digest == checkpoints.load(exported).digest
    hub.paths.clear()
    mirror.look()
    assert not [path for path in hub.paths if "/resolve/" in path]  # nothing changed
