"""The official `openai` client talks to a running server as to any model."""

from collections.abc import Iterator

import openai
import pytest

from nkqa.engine import Engine
from nkqa.server.app import create_app
from server_process import serving


@pytest.fixture(scope="module")
def client(toy_engine: Engine) -> Iterator[openai.OpenAI]:
    with (
        serving(create_app(toy_engine)) as (host, port),
        openai.OpenAI(base_url=f"http://{host}:{port}/v1", api_key="none", max_retries=0) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def question(toy_engine: Engine) -> str:
    document = next(iter(toy_engine.documents.values()))
    first = document.sentences[0]
    return str(document.text[first.start : first.end])


def test_models(client: openai.OpenAI) -> None:
    assert [m.id for m in client.models.list()] == ["nkqa"]
    assert client.models.retrieve("nkqa").owned_by == "nkqa"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-9")


def test_a_completion_carries_its_citations_three_times(client: openai.OpenAI, question: str) -> None:
    completion = client.chat.completions.create(
        model="nkqa",
        messages=[
            {"role": "system", "content": "Answer like a pirate."},
            {"role": "user", "content": [{"type": "text", "text": question}]},
        ],
        temperature=0.7,
        user="somebody",
    )
    message = completion.choices[0].message
    answer = completion.model_extra["nkqa"] if completion.model_extra else None

    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert (
        completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens
    )
    assert answer is not None
    assert answer["status"] == "answered"
    assert message.content is not None
    assert message.content.startswith(answer["answer"])
    for citation in answer["citations"]:
        assert f"\n[{citation['number']}] " in message.content
    assert message.annotations
    for annotation in message.annotations:
        place = annotation.url_citation
        mark = message.content[place.start_index : place.end_index]
        number = int(mark.strip("[]"))
        assert place.url == next(
            c["locator"]["url"] or c["source"]["URL"] for c in answer["citations"] if c["number"] == number
        )


def test_the_stream_says_the_same(client: openai.OpenAI, question: str) -> None:
    whole = client.chat.completions.create(model="nkqa", messages=[{"role": "user", "content": question}])
    chunks = list(
        client.chat.completions.create(
            model="nkqa",
            messages=[{"role": "user", "content": question}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)

    assert text == whole.choices[0].message.content
    assert len(chunks) > 4
    assert chunks[-1].usage == whole.usage
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-2].model_extra is not None
    assert chunks[-2].model_extra["nkqa"]["answer"] in text


def test_what_the_sources_do_not_say_is_said(client: openai.OpenAI) -> None:
    completion = client.chat.completions.create(
        model="nkqa",
        messages=[
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": "Hello."},
            {"role": "user", "content": "What is the capital of the moon?"},
        ],
    )

    assert completion.model_extra is not None
    assert completion.model_extra["nkqa"]["status"] == "abstained"
    assert completion.choices[0].message.content


def test_errors_are_the_client_s_own(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="no such model"):
        client.chat.completions.create(model="gpt-9", messages=[{"role": "user", "content": "What?"}])
    with pytest.raises(openai.UnprocessableEntityError):
        client.chat.completions.create(model="nkqa", messages=[{"role": "user", "content": ""}])
    with pytest.raises(openai.UnprocessableEntityError, match="none is of the user"):
        client.chat.completions.create(model="nkqa", messages=[{"role": "system", "content": "x"}])
