"""`/v1/models` and `/v1/chat/completions`: nkqa as a model for any client of the OpenAI protocol.

The last message of the user is the question, those before it are the conversation; instructions, sampling and
tools are ignored, because nothing is generated. Citations come three times: in the text, as `url_citation`
annotations, and whole in the field `nkqa`.
"""

import json
import re
import time
from collections.abc import AsyncGenerator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from nkqa.server import schema
from nkqa.server.bodies import JsonRoute
from nkqa.server.problems import Problem, documented
from nkqa.server.questions import ANSWER, ASK_ERRORS
from nkqa.server.references import paragraphs
from nkqa.server.service import Service, service
from nkqa.server.stream import STREAMED
from nkqa.tokens import token_counter
from nkqa.types import Answer, Ask, Composing, Role, Turn

router = APIRouter(prefix="/v1", route_class=JsonRoute, tags=["OpenAI-compatible"])
_MARK = re.compile(r"\[(\d+)\]")


class Lenient(BaseModel):
    """What other clients send: the fields that matter, the others let through."""

    model_config = ConfigDict(strict=True, extra="allow")


class Part(Lenient):
    """A part of a message; only text is read."""

    type: str = Field(max_length=40, description="Kind of part.", examples=["text"])
    text: str = Field("", max_length=60_000, description="Its text.")


class Message(Lenient):
    """A message of the conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"] = Field(
        description="Who said it."
    )
    content: Annotated[str, Field(max_length=60_000)] | list[Part] | None = Field(
        None, description="What was said.", examples=[schema.EXAMPLE_QUESTION]
    )

    def text(self) -> str:
        """Return the text, its parts joined."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.type == "text")
        return self.content or ""


class StreamOptions(Lenient):
    """Options of a stream."""

    include_usage: bool = Field(False, description="Whether a last chunk tells the usage.")


class ChatRequest(Lenient):
    """A request for a chat completion."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"model": "nkqa", "messages": [{"role": "user", "content": schema.EXAMPLE_QUESTION}]}
            ]
        }
    )

    model: str = Field(max_length=100, description="`nkqa`, or `nkqa-llm` where a language model is set up.")
    messages: list[Message] = Field(
        min_length=1, max_length=200, description="The conversation, newest last."
    )
    stream: bool | None = Field(False, description="Whether to answer in server-sent events.")
    stream_options: StreamOptions | None = Field(None, description="Options of the stream.")


class Model(BaseModel):
    """A model."""

    id: str = Field(description="Name.", examples=["nkqa"])
    object: Literal["model"] = Field("model", description="Always `model`.")
    created: int = Field(description="When, in seconds since 1970.")
    owned_by: str = Field("nkqa", description="Always `nkqa`.")


class ModelList(BaseModel):
    """The models."""

    object: Literal["list"] = Field("list", description="Always `list`.")
    data: list[Model] = Field(description="The models.")


class Completion(BaseModel):
    """A chat completion; see OpenAI's reference. `nkqa` is the whole answer, as `POST /ask` gives it."""

    model_config = ConfigDict(extra="allow")

    id: str = Field(description="Id.")
    object: Literal["chat.completion"] = Field(description="Always `chat.completion`.")
    created: int = Field(description="When, in seconds since 1970.")
    model: str = Field(description="The model.")
    choices: list[dict[str, Any]] = Field(description="One choice, with the message and its annotations.")
    usage: dict[str, int] = Field(description="Tokens, as nkqa counts them.")
    nkqa: schema.Answer = Field(description="The answer itself.")


def _models(held: Service) -> list[Model]:
    names = ["nkqa", "nkqa-llm"] if held.settings.llm_url else ["nkqa"]
    return [Model.model_validate({"id": name, "created": 1_606_000_000}) for name in names]


@router.get("/models", responses=documented(), summary="List the models")
async def models(request: Request) -> ModelList:
    """Return what `model` may be."""
    return ModelList.model_validate({"data": _models(service(request))})


@router.get("/models/{id}", responses=documented("not-found"), summary="Read a model")
async def model(id: str, request: Request) -> Model:
    """Return one model."""
    found = next((m for m in _models(service(request)) if m.id == id), None)
    if found is None:
        raise Problem("not-found", "There is no such model; see GET /v1/models.")
    return found


@router.post(
    "/chat/completions",
    response_model=Completion,
    responses={
        200: {"content": {"text/event-stream": {"itemSchema": {"type": "object"}}}},
        **documented(*ASK_ERRORS),
    },
    summary="Chat",
)
async def chat(body: ChatRequest, request: Request) -> Response:
    """Answer the last message of the user, as a completion or, with `stream`, as its chunks."""
    held = service(request)
    await model(body.model, request)
    answer = await held.ask(_ask(body, held), request)
    text = "".join(paragraphs(answer))
    count = token_counter(held.settings.tokenizer)
    read, written = sum(count(m.text()) for m in body.messages), count(text)
    usage = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
    head = {
        "id": f"chatcmpl-{answer.id}",
        "created": int(time.time()),
        "model": body.model,
        "system_fingerprint": answer.corpus.fingerprint,
    }
    if body.stream:
        options = body.stream_options
        told = usage if options is not None and options.include_usage else None
        return StreamingResponse(
            _chunks(head, answer, told), media_type="text/event-stream", headers=STREAMED
        )
    message = {
        "role": "assistant",
        "content": text,
        "refusal": None,
        "annotations": _annotations(text, answer),
    }
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    completion = {
        **head,
        "object": "chat.completion",
        "choices": [choice],
        "usage": usage,
        "nkqa": _json(answer),
    }
    return Response(
        json.dumps(completion), media_type="application/json", headers={"cache-control": "no-store"}
    )


def _ask(body: ChatRequest, held: Service) -> Ask:
    turns: list[tuple[Role, str]] = [
        (m.role, m.text().strip()) for m in body.messages if m.role in ("user", "assistant")
    ]
    asked = [i for i, (role, _) in enumerate(turns) if role == "user"]
    if not asked:
        raise Problem("invalid", "body.messages: none is of the user")
    question = turns[asked[-1]][1]
    before = [Turn(role, said[: schema.MOST_TURN]) for role, said in turns[: asked[-1]]]
    composer: Composing = "llm" if body.model == "nkqa-llm" else held.settings.composer
    return Ask(question, tuple(before[-schema.MOST_TURNS :]), composer=composer)


def _annotations(text: str, answer: Answer) -> list[dict[str, Any]]:
    links = {c.number: (c.locator.url or c.source.URL, c) for c in answer.citations}
    found = []
    for mark in _MARK.finditer(text.partition("\n")[0]):
        url, citation = links.get(int(mark[1]), (None, None))
        if url and citation:
            title = f"{citation.source.title}, {citation.locator.label}"
            place = {"start_index": mark.start(), "end_index": mark.end()}
            found.append({"type": "url_citation", "url_citation": {"url": url, "title": title, **place}})
    return found


def _json(answer: Answer) -> dict[str, Any]:
    return ANSWER.dump_python(answer, mode="json")  # type: ignore[no-any-return]


async def _chunks(
    head: dict[str, Any], answer: Answer, usage: dict[str, int] | None
) -> AsyncGenerator[bytes]:
    def chunk(delta: dict[str, Any], finish: str | None = None, **more: object) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        body = {**head, "object": "chat.completion.chunk", "choices": [choice], **more}
        return f"data: {json.dumps(body)}\n\n".encode()

    yield chunk({"role": "assistant", "content": ""})
    text = ""
    for piece in paragraphs(answer):
        text += piece
        yield chunk({"content": piece})
    yield chunk({"annotations": _annotations(text, answer)}, "stop", nkqa=_json(answer))
    if usage is not None:
        body = {**head, "object": "chat.completion.chunk", "choices": [], "usage": usage}
        yield f"data: {json.dumps(body)}\n\n".encode()
    yield b"data: [DONE]\n\n"
