"""`POST /v1/rhymes`, `POST /v1/analyze` and `GET /v1/forms`."""

import json
import math
from typing import Any

import pytest
from flask.testing import FlaskClient

from verse.presets import FORM_NAMES, preset
from verse.prosody.readings import readings

pytest_plugins = ["service_fixtures"]


def ask(client: FlaskClient, route: str, **fields: object) -> Any:
    return client.post(route, data=json.dumps(fields))


def test_rhymes_come_by_syllables_and_sound_alike(client: FlaskClient) -> None:
    answer = ask(client, "/v1/rhymes", word="I saw thee in the night.").json
    assert (answer["word"], answer["source"]) == ("night", "dictionary")
    sound = readings("night")[0].rhyme
    words = [(group["syllables"], word) for group in answer["groups"] for word in group["words"]]
    assert {"light", "bright"} <= {word["word"] for _, word in words}
    assert "night" not in {word["word"] for _, word in words}
    for syllables, word in words:
        known = readings(word["word"])
        assert sound in {each.rhyme for each in known}
        assert len(known[0].stresses) == syllables
    assert len(words) == answer["num_rhymes"]
    assert sum(word["share"] for _, word in words) == pytest.approx(1, abs=1e-4)


def test_the_probability_of_a_rhyme_is_that_of_its_letters_and_of_no_more(
    client: FlaskClient,
) -> None:
    """By the scores of /v1/score: over all that might follow they add up to the word alone."""
    context = "The stars are"
    answer = ask(client, "/v1/rhymes", word="night", context=context).json
    words = {word["word"]: word for group in answer["groups"] for word in group["words"]}
    text = f"{context} bright,"
    tokens = ask(client, "/v1/score", text=text, logprobs=20).json["tokens"]
    letters = sum(token["logprob"] for token in tokens[len(context) + 1 : -1])
    going = sum(math.exp(each["logprob"]) for each in tokens[-1]["top"] if each["token"].isalpha())
    told = words["bright"]["probability"]
    assert math.exp(letters) * math.exp(tokens[-1]["logprob"]) <= told
    assert told <= math.exp(letters) * (1 - going) * (1 + 1e-4)


def test_rhymes_are_limited_to_the_likeliest(client: FlaskClient) -> None:
    def found(**fields: object) -> list[tuple[float, str]]:
        groups = ask(client, "/v1/rhymes", word="night", **fields).json["groups"]
        return [(word["probability"], word["word"]) for each in groups for word in each["words"]]

    assert sorted(found(limit=3)) == sorted(found())[-3:]


@pytest.mark.parametrize(
    ("fields", "param", "status"),
    [
        ({}, "word", 400),
        ({"word": "?!"}, "word", 400),
        ({"word": "night", "limit": 0}, "limit", 400),
        ({"word": "night", "context": "a" * 1001}, "context", 413),
        ({"word": "night", "model": "none"}, "model", 404),
        ({"word": "orange"}, "word", 422),
        ({"word": "12"}, "word", 422),
    ],
)
def test_what_has_no_rhyme_is_refused_by_its_field(
    client: FlaskClient, fields: dict[str, Any], param: str, status: int
) -> None:
    response = ask(client, "/v1/rhymes", **fields)
    assert (response.status_code, response.json["error"]["param"]) == (status, param)


COUPLET = "The moon is bright,\nand so is the night."


def test_an_analysis_tells_syllables_stresses_and_rhymes(client: FlaskClient) -> None:
    answer = ask(client, "/v1/analyze", text=COUPLET).json
    assert [line["syllables"] for line in answer["lines"]] == [[4], [5]]
    assert [line["rhyme"] for line in answer["lines"]] == ["A", "A"]
    assert answer["scheme"] == "AA"
    assert answer["lines"][0]["marks"] == ["x", "/", "x", "/"]
    assert answer["report"] is None


def test_a_text_is_held_against_a_form(client: FlaskClient) -> None:
    spec = {"stanzas": [[{"syllables": 4, "rhyme": "A"}, {"syllables": 4, "rhyme": "A"}]]}
    report = ask(client, "/v1/analyze", text=COUPLET, spec=spec).json["report"]
    assert not report["ok"]
    assert [line["ok"] for line in report["lines"]] == [True, False]
    failed = [each["kind"] for each in report["lines"][1]["checks"] if not each["ok"]]
    assert failed == ["syllables"]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({}, "text"),
        ({"text": ""}, "text"),
        ({"text": "a", "form": "sonata"}, "form"),
        ({"text": "a", "form": "acrostic"}, "word"),
        ({"text": "a", "word": "x"}, None),
        ({"text": "\ud800"}, "text"),
    ],
)
def test_what_cannot_be_analyzed_is_refused_by_its_field(
    client: FlaskClient, fields: dict[str, Any], param: str | None
) -> None:
    response = ask(client, "/v1/analyze", **fields)
    assert (response.status_code, response.json["error"]["param"]) == (400, param)


def test_every_form_is_listed_with_a_spec_that_can_be_sent(client: FlaskClient) -> None:
    listed: Any = client.get("/v1/forms").json
    forms = {form["name"]: form for form in listed["forms"]}
    assert tuple(forms) == FORM_NAMES
    assert all(form["description"] for form in forms.values())
    for name in ("haiku", "villanelle", "limerick"):
        report = ask(client, "/v1/analyze", text="a", spec=forms[name]["spec"]).json["report"]
        by_name = ask(client, "/v1/analyze", text="a", form=name).json["report"]
        assert report == by_name
        assert forms[name]["num_lines"] == len(preset(name).lines)
    assert [name for name in forms if forms[name]["takes_word"]] == ["acrostic", "ghazal"]
