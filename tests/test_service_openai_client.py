"""The real `openai` package drives the real service: what its users call, and what it raises."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import openai
import pytest
import requests
from openai import AsyncOpenAI, OpenAI

if TYPE_CHECKING:
    from service_fixtures import Server, StartServer

pytest_plugins = ["service_fixtures"]
pytestmark = pytest.mark.slow

PROMPT = "Shall I compare"
KEY = "a-key-of-the-test"
SEEDED: dict[str, Any] = {"model": "tiny", "prompt": PROMPT, "seed": 5, "max_tokens": 40}
ENDLESS: dict[str, Any] = {
    **SEEDED,
    "max_tokens": 1_000_000,
    "extra_body": {"min_tokens": 1_000_000},
}


@pytest.fixture(scope="module")
def server(start_server: "StartServer") -> "Server":
    """Room for two texts and one request more."""
    return start_server(
        STROPHE_MAX_STREAMS="2", STROPHE_MAX_QUEUE="1", STROPHE_API_KEYS=f"alice: {KEY}"
    )


def connect(server: "Server", **options: Any) -> OpenAI:
    return OpenAI(base_url=server.url + "/v1", **{"api_key": KEY, "max_retries": 0, **options})


@pytest.fixture
def client(idle: "Server") -> Iterator[OpenAI]:
    with connect(idle) as client:
        yield client


def streamed(client: OpenAI, **fields: Any) -> str:
    chunks = client.completions.create(**{**SEEDED, **fields}, stream=True)
    return "".join(chunk.choices[0].text for chunk in chunks)


def test_a_completion_is_whole_and_typed(client: OpenAI) -> None:
    answer = client.completions.create(**SEEDED)
    assert answer.object == "text_completion"
    assert answer.choices[0].finish_reason in ("length", "stop")
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == len(PROMPT)
    assert answer._request_id is not None


def test_a_stream_holds_the_text_of_the_whole(client: OpenAI) -> None:
    whole = client.completions.create(**SEEDED).choices[0].text
    assert streamed(client) == whole == streamed(client)


def test_usage_comes_last_and_on_request(client: OpenAI) -> None:
    options: Any = {"include_usage": True}
    chunks = list(client.completions.create(**SEEDED, stream=True, stream_options=options))
    assert chunks[-1].choices == []
    assert chunks[-1].usage == client.completions.create(**SEEDED).usage
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_prompts_choices_and_log_probabilities(client: OpenAI) -> None:
    answer = client.completions.create(**{**SEEDED, "prompt": ["a", "b"]}, n=2, logprobs=3)
    assert [choice.index for choice in answer.choices] == [0, 1, 2, 3]
    logprobs = answer.choices[3].logprobs
    assert logprobs is not None
    assert logprobs.tokens is not None
    assert "".join(logprobs.tokens).removesuffix("<s>") == answer.choices[3].text


def test_the_fields_of_openai_and_ours(client: OpenAI) -> None:
    text = client.completions.create(
        **SEEDED,
        best_of=2,
        echo=True,
        frequency_penalty=0.5,
        presence_penalty=0.5,
        logit_bias={"1": -100},
        stop=["\n\n", "zzz"],
        temperature=0.7,
        top_p=0.9,
        user="someone",
        suffix=None,
        extra_body={"top_k": 20, "min_p": 0.01, "repetition_penalty": 1.1},
    )
    assert text.choices[0].text.startswith(PROMPT)


def test_greedy_is_greedy(client: OpenAI) -> None:
    fields = {**SEEDED, "temperature": 0}
    texts = {
        client.completions.create(**{**fields, "seed": seed}).choices[0].text for seed in (1, 2)
    }
    assert len(texts) == 1


def test_models_are_listed_and_found(client: OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert names == ["tiny", "verse"]
    assert client.models.retrieve("tiny").owned_by == "strophe"
    with pytest.raises(openai.NotFoundError) as missing:
        client.models.retrieve("an/other")
    assert missing.value.code == "model_not_found"


@pytest.mark.parametrize(
    ("fields", "error", "param"),
    [
        ({"model": "gpt-4"}, openai.NotFoundError, "model"),
        ({"temperature": -1}, openai.BadRequestError, "temperature"),
        ({"suffix": "x"}, openai.BadRequestError, "suffix"),
        ({"logprobs": 99}, openai.BadRequestError, "logprobs"),
        ({"stop": [""]}, openai.BadRequestError, "stop.0"),
        ({"prompt": [[10**6]]}, openai.BadRequestError, "prompt"),
        ({"max_tokens": 10**9}, openai.BadRequestError, "max_tokens"),
    ],
)
def test_errors_are_those_of_the_client(
    client: OpenAI, fields: dict[str, Any], error: type[openai.APIStatusError], param: str
) -> None:
    with pytest.raises(error) as raised:
        client.completions.create(**{**SEEDED, **fields})
    assert raised.value.param == param
    assert raised.value.request_id is not None
    assert len(streamed(client)) > 0


def test_a_key_is_asked_for(idle: "Server") -> None:
    with connect(idle, api_key="wrong") as stranger, pytest.raises(openai.AuthenticationError):
        stranger.completions.create(**SEEDED)


def test_what_has_no_method_here_is_not_found(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="tiny", input="a")


CHAT: dict[str, Any] = {
    **{name: value for name, value in SEEDED.items() if name != "prompt"},
    "messages": [{"role": "system", "content": "b"}, {"role": "user", "content": PROMPT}],
}


def test_a_chat_is_typed_and_completes_the_users_last_message(client: OpenAI) -> None:
    answer = client.chat.completions.create(**CHAT, logprobs=True, top_logprobs=2)
    (choice,) = answer.choices
    assert (answer.object, choice.message.role) == ("chat.completion", "assistant")
    assert choice.message.content == client.completions.create(**SEEDED).choices[0].text
    assert choice.logprobs is not None
    assert choice.logprobs.content is not None
    assert len(choice.logprobs.content[0].top_logprobs) == 2
    assert answer.model_extra == {"prompt": {"message": 1, "folded": 0, "unknown": 0}}


def test_a_chat_is_streamed(client: OpenAI) -> None:
    options: Any = {"include_usage": True}
    chunks = list(client.chat.completions.create(**CHAT, stream=True, stream_options=options))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].usage == client.completions.create(**SEEDED).usage
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks[:-1]]
    text = client.completions.create(**SEEDED).choices[0].text
    assert "".join(pieces) == text
    stop = text[3:6]  # the helper raises where a text is cut off at its length
    with client.chat.completions.stream(**CHAT, stop=stop) as stream:
        message = stream.get_final_completion().choices[0].message
    assert message.content == text[: text.index(stop)]


def test_tools_and_images_are_bad_requests(client: OpenAI) -> None:
    tools: Any = [{"type": "function", "function": {"name": "f"}}]
    image: Any = {"type": "image_url", "image_url": {"url": "http://x/y.png"}}
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(**CHAT, tools=tools)
    assert refused.value.param == "tools"
    messages: Any = [{"role": "user", "content": [image]}]
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(**{**CHAT, "messages": messages})
    assert refused.value.param == "messages.0.content"


def test_a_stream_that_is_closed_frees_its_slot(client: OpenAI, idle: "Server") -> None:
    stream = client.completions.create(**ENDLESS, stream=True)
    assert next(iter(stream)).choices[0].text
    stream.close()
    idle.wait_until_freed("strophe_streams_running")


def test_a_client_that_gives_up_frees_its_slot(idle: "Server") -> None:
    with connect(idle, timeout=0.5) as hasty, pytest.raises(openai.APITimeoutError):
        hasty.completions.create(**ENDLESS)
    idle.wait_until_freed("strophe_streams_running")


def test_a_stream_cancelled_by_its_id_ends_for_the_client(client: OpenAI, idle: "Server") -> None:
    stream = client.completions.create(**ENDLESS, stream=True)
    first = next(iter(stream))
    headers = {"Authorization": f"Bearer {KEY}"}
    requests.post(f"{idle.url}/v1/generate/{first.id}/cancel", headers=headers, timeout=5)
    *_, last = stream
    assert last.choices[0].finish_reason == "cancelled"


def test_a_full_service_is_retried_until_there_is_room(idle: "Server") -> None:
    with connect(idle) as client, ExitStack() as crowd:
        streams = [client.completions.create(**ENDLESS, stream=True) for _ in range(3)]
        for stream in streams:
            crowd.callback(stream.close)
        with pytest.raises(openai.InternalServerError) as refused:
            client.completions.create(**SEEDED)
        assert refused.value.status_code == 503
        assert refused.value.response.headers["Retry-After"] == "1"
        with connect(idle, max_retries=5) as patient:
            loop_until_room(idle, patient, streams)


def loop_until_room(server: "Server", patient: OpenAI, streams: list[Any]) -> None:
    """Room is made while the client waits between its tries."""
    calls: list[int] = []

    def make_room(request: Any) -> None:
        calls.append(1)
        if len(calls) == 2:
            for stream in streams:
                stream.close()
            server.wait_for_metric("strophe_requests_waiting", 0)
            server.wait_for_metric("strophe_streams_running", 0)

    patient._client.event_hooks["request"].append(make_room)
    assert patient.completions.create(**SEEDED).choices[0].text
    assert len(calls) >= 2


def test_streams_of_one_async_client_run_at_once(idle: "Server") -> None:
    async def both() -> list[str]:
        async with AsyncOpenAI(base_url=idle.url + "/v1", api_key=KEY, max_retries=0) as client:

            async def one(seed: int) -> str:
                stream = await client.completions.create(**{**SEEDED, "seed": seed}, stream=True)
                return "".join([chunk.choices[0].text async for chunk in stream])

            return list(await asyncio.gather(*(one(seed) for seed in (5, 6, 5))))

    texts = asyncio.run(both())
    with connect(idle) as client:
        alone = [streamed(client, seed=seed) for seed in (5, 6, 5)]
    assert texts == alone


def test_an_async_stream_that_is_left_frees_its_slot(idle: "Server") -> None:
    async def leave() -> None:
        async with AsyncOpenAI(base_url=idle.url + "/v1", api_key=KEY, max_retries=0) as client:
            stream = await client.completions.create(**ENDLESS, stream=True)
            async for _ in stream:
                break
            await stream.close()

    asyncio.run(leave())
    idle.wait_until_freed("strophe_streams_running")


def test_with_raw_response_shows_the_headers(client: OpenAI) -> None:
    raw = client.completions.with_raw_response.create(**SEEDED)
    assert raw.headers["X-Strophe-Seed"] == "5"
    assert raw.parse().id == raw.headers["X-Strophe-Id"]


def test_a_stream_that_fails_raises_what_the_service_says(start_server: "StartServer") -> None:
    server = start_server(STROPHE_DRAIN="1")
    with connect(server) as client:
        stream = client.completions.create(**ENDLESS, stream=True)
        next(iter(stream))
        server.terminate()
        with pytest.raises(openai.APIError) as raised:
            list(stream)
    assert raised.value.code == "stopping"
