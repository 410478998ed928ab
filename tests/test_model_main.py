"""`python -m model`: three commands, and one line with exit code 2 for what a user can mend."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from model import checkpoint as checkpoints
from model.__main__ import build_parser, main
from model.checkpoint import CARD, CONFIG, Checkpoint
from model.config import ModelConfig
from model.decoding.decoder import decoder_of
from model.decoding.reference_driver import generate
from model.description import Description
from model.network import Network
from model.parameters import SamplingParams
from model.tokenizer_training import train_tokenizer
from model.weights_file import distinct_weights

if TYPE_CHECKING:
    from conftest import MakeCheckpoint

SHORT = ["--max-tokens", "30", "--min-tokens", "30", "--seed", "3"]


def expected(checkpoint: Path, prompt: str) -> str:
    loaded = checkpoints.load(checkpoint)
    params = SamplingParams(max_tokens=30, min_tokens=30, seed=3)
    decoder = decoder_of(loaded.network)
    return "".join(p.text for p in generate(decoder, loaded.tokenizer, prompt, params))


def type_in(monkeypatch: pytest.MonkeyPatch, raw: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8"))


def error_of(capsys: pytest.CaptureFixture[str], argv: list[str]) -> str:
    """Error line that a command leaves on standard error, with exit code 2."""
    assert main(argv) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1
    return shown.err


def save_untrained(alphabet: str, folder: Path) -> None:
    tokenizer = train_tokenizer([alphabet])
    config = ModelConfig(vocab_size=tokenizer.vocab_size, embedding_size=4, hidden_size=4)
    description = Description(format=1, architecture=config, tokenizer="char")
    network = Network(config).initialise()
    whole = Checkpoint(network=network, tokenizer=tokenizer, description=description, card="#")
    checkpoints.save(whole, folder)


def usage_error_of(capsys: pytest.CaptureFixture[str], argv: list[str]) -> str:
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 2
    return capsys.readouterr().err


def test_generate_writes_what_the_reference_writes(
    tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["generate", "--checkpoint", str(tiny_checkpoint), "--prompt", "The sea", *SHORT]
    assert main(argv) == 0
    shown = capsys.readouterr()
    assert shown.out == expected(tiny_checkpoint, "The sea") + "\n"
    assert shown.err == ""


@pytest.mark.parametrize("path", ["auto", "int8", "fp32"])
def test_a_path_is_chosen_by_its_flag(
    path: str, tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["generate", "--checkpoint", str(tiny_checkpoint), "--path", path, *SHORT]
    assert main(argv) == 0
    assert len(capsys.readouterr().out) == 31


def test_a_path_that_a_network_cannot_go_is_one_line(
    tmp_path: Path, make_checkpoint: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_checkpoint(tmp_path / "skips", skip=True)
    argv = ["generate", "--checkpoint", str(folder), "--path", "int8"]
    assert "path: int8 cannot be had: it is for plain stacks of layers" in error_of(capsys, argv)


def test_a_prompt_can_come_from_standard_input(
    tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    type_in(monkeypatch, "The s\u00e9a,\nthe sky".encode())
    argv = ["generate", "--checkpoint", str(tiny_checkpoint), "--prompt", "-", *SHORT]
    assert main(argv) == 0
    assert capsys.readouterr().out == expected(tiny_checkpoint, "The s\u00e9a,\nthe sky") + "\n"


def test_each_sampling_parameter_is_a_flag() -> None:
    fields = sorted(set(SamplingParams.model_fields) - {"logprobs"})
    argv = [word for name in fields for word in ("--" + name.replace("_", "-"), "e=1")]
    argv = [
        "1" if word == "e=1" and argv[at - 1] != "--logit-bias" else word
        for at, word in enumerate(argv)
    ]
    args = build_parser().parse_args(["generate", *argv])
    assert all(getattr(args, name) is not None for name in fields)


def test_flags_reach_the_sampling(
    tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["generate", "--checkpoint", str(tiny_checkpoint), *SHORT]
    assert main([*common, "--logit-bias", "e=100"]) == 0
    assert capsys.readouterr().out == "e" * 30 + "\n"
    assert main([*common, "--logit-bias", "e=100", "--stop", "zz", "--stop", "ee"]) == 0
    assert capsys.readouterr().out == "\n"


def test_describe_prints_the_card_and_every_shape(
    tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["describe", "--checkpoint", str(tiny_checkpoint)]) == 0
    shown = capsys.readouterr().out
    network = checkpoints.load(tiny_checkpoint).network
    assert shown.startswith("# A test\n")
    assert all(name in shown for name in distinct_weights(network))
    assert f"{sum(w.numel() for w in network.parameters()):,} parameters" in shown


STEERING = "\x1b]0;title\x07\x1b[31m\x9b2J\r\b"


def test_describe_shows_the_control_characters_of_a_card_as_escapes(
    make_checkpoint: "MakeCheckpoint", tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_checkpoint(tmp_path / "red")
    (folder / CARD).write_text(f"# Red\r\n\t{STEERING}\n", newline="")
    assert main(["describe", "--checkpoint", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("# Red\n\t\\x1b]0;title\\x07\\x1b[31m\\x9b2J\\r\\x08\n")


@pytest.mark.parametrize("place", ["key", "folder"])
def test_an_error_is_one_line_without_control_characters(
    make_checkpoint: "MakeCheckpoint",
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    place: str,
) -> None:
    folder = make_checkpoint(tmp_path / (f"red{STEERING}\n" if place == "folder" else "red"))
    architecture = {"vocab_size": 9, f"{STEERING}\n": 1}
    (folder / CONFIG).write_text(json.dumps({"format": 1, "architecture": architecture}))
    message = error_of(capsys, ["describe", "--checkpoint", str(folder)])
    assert message.removesuffix("\n").isprintable()
    assert "\\x1b[31m" in message


def test_a_generated_text_steers_no_terminal_and_reaches_a_file_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save_untrained("\x1b\n", tmp_path / "red")
    command = ["generate", "--checkpoint", str(tmp_path / "red"), "--seed", "1"]
    command += ["--logit-bias", "\x1b=100", "--max-tokens", "3"]
    assert main(command) == 0
    assert capsys.readouterr().out == "\x1b\x1b\x1b\n"
    terminal, inside = os.openpty()
    with os.fdopen(inside, "w") as output:
        monkeypatch.setattr(sys, "stdout", output)
        assert main(command) == 0
        output.flush()
        shown = b""
        while not shown.endswith(b"\n"):  # a terminal may hand over less than was written
            shown += os.read(terminal, 100)
        assert shown == b"\\x1b\\x1b\\x1b\r\n"
    os.close(terminal)


@pytest.mark.parametrize("way", ["file", "standard input"])
def test_score_prints_bits_per_character(
    tiny_checkpoint: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    text = "The sea was gray,\n" * 9
    (tmp_path / "text.txt").write_text("\ufeff" + text, encoding="utf-8")
    type_in(monkeypatch, text.encode())
    place = str(tmp_path / "text.txt") if way == "file" else "-"
    assert main(["score", "--checkpoint", str(tiny_checkpoint), place]) == 0
    first, *_, last = capsys.readouterr().out.splitlines()
    assert 4 < float(first.removesuffix(" bits per character")) < 9
    assert last == f"{len(text)} characters, 0 unknown to this model"


@pytest.mark.parametrize("command", [["generate"], ["describe"], ["score", __file__]])
def test_a_missing_checkpoint_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    place = str(tmp_path / "nowhere")
    assert place in error_of(capsys, [*command, "--checkpoint", place])


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--temperature", "11"], "temperature"),
        (["--temperature", "nan"], "temperature"),
        (["--top-p", "0"], "top_p"),
        (["--max-tokens", "-1"], "max_tokens"),
        (["--seed", "-1"], "seed"),
        (["--stop", ""], "stop.0"),
        (["--logit-bias", "e=101"], "logit_bias.e"),
        (["--logit-bias", "ee=1"], "logit_bias"),
        (["--device", "gpu"], "device"),
        (["--device", "cpu:"], "device"),
    ],
)
def test_a_bad_value_is_one_line_that_names_it(
    tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str], flags: list[str], named: str
) -> None:
    argv = ["generate", "--checkpoint", str(tiny_checkpoint), *flags]
    assert error_of(capsys, argv).startswith(f"error: {named}: ")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--temperature", "warm"], "--temperature"),
        (["--max-tokens", "1.5"], "--max-tokens"),
        (["--logit-bias", "e=x"], "must be CHAR=BIAS, got 'e=x'"),
        (["--logit-bias", "e"], "must be CHAR=BIAS, got 'e'"),
        (["--heat", "1"], "--heat"),
    ],
)
def test_a_bad_flag_is_a_usage_error(
    capsys: pytest.CaptureFixture[str], flags: list[str], said: str
) -> None:
    assert said in usage_error_of(capsys, ["generate", *flags]).splitlines()[-1]


def test_no_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert "COMMAND" in usage_error_of(capsys, [])


@pytest.mark.parametrize(
    ("content", "said"), [(b"ok \xff", "not UTF-8 at byte 3"), (b"", "is empty")]
)
def test_a_text_that_cannot_be_scored_is_one_line(
    tiny_checkpoint: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: bytes,
    said: str,
) -> None:
    (tmp_path / "text.txt").write_bytes(content)
    argv = ["score", "--checkpoint", str(tiny_checkpoint), str(tmp_path / "text.txt")]
    assert said in error_of(capsys, argv)


@pytest.mark.parametrize("place", ["nowhere.txt", "."])
def test_a_text_that_cannot_be_read_is_one_line(
    tiny_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    argv = ["score", "--checkpoint", str(tiny_checkpoint), str(tmp_path / place)]
    assert str(tmp_path) in error_of(capsys, argv)


def test_a_prompt_that_is_not_utf8_is_one_line(
    tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    type_in(monkeypatch, b"caf\xe9")
    argv = ["generate", "--checkpoint", str(tiny_checkpoint), "--prompt", "-"]
    assert error_of(capsys, argv).startswith("error: prompt: - is not UTF-8 at byte 3")


# As a real process


def test_a_terminal_that_lacks_a_character_shows_a_question_mark(tmp_path: Path) -> None:
    save_untrained("\u6708\u5c71", tmp_path / "moon")
    command = [sys.executable, "-m", "model", "generate", "--checkpoint", str(tmp_path / "moon")]
    command += ["--prompt", "-", "--logit-bias", "\u6708=100", "--max-tokens", "3", "--seed", "1"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    run = subprocess.run(command, input=b"", capture_output=True, check=True, env=environment)
    assert (run.stdout, run.stderr) == (b"???\n", b"")


def test_a_drawn_seed_is_told_and_gives_the_text_again(
    tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["generate", "--checkpoint", str(tiny_checkpoint), "--max-tokens", "40"]
    assert main(command) == 0
    text, said = capsys.readouterr()
    assert main([*command, "--seed", said.removeprefix("seed ").strip()]) == 0
    assert capsys.readouterr() == (text, "")


def test_unknown_characters_of_the_prompt_are_told(
    tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["generate", "--checkpoint", str(tiny_checkpoint), "--seed", "1"]
    assert main([*command, "--prompt", "\u6708\u5c71", "--max-tokens", "1"]) == 0
    assert "2 characters of the prompt are unknown" in capsys.readouterr().err


def test_a_reader_that_has_gone_is_no_error(tiny_checkpoint: Path) -> None:
    command = [sys.executable, "-m", "model", "generate", "--checkpoint", str(tiny_checkpoint)]
    command += ["--max-tokens", "5000", "--min-tokens", "5000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 0
