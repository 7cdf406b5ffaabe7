"""A chat model's server that misbehaves in every known way: `with faults() as url`, then `url/<fault>`."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

Handler = Callable[["FaultHandler"], None]


def completion(content: object, **message: object) -> bytes:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": content, **message},
        "finish_reason": "stop",
    }
    return json.dumps({"id": "x", "object": "chat.completion", "choices": [choice]}).encode()


class FaultHandler(BaseHTTPRequestHandler):
    """Answers a POST as the first part of the path says."""

    protocol_version = "HTTP/1.1"
    stop = threading.Event()
    requests: ClassVar[list[dict[str, object]]] = []
    headers_seen: ClassVar[list[dict[str, str]]] = []

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", "0"))
        type(self).requests.append(json.loads(self.rfile.read(length)))
        type(self).headers_seen.append({k.lower(): v for k, v in self.headers.items()})
        FAULTS[self.path.split("/")[1]](self)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def reply(self, body: bytes, status: int = 200, kind: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def drip(self, piece: bytes, kind: str = "text/event-stream", pause: float = 0.01) -> None:
        """Send `piece` again and again until the client goes."""
        self.send_response(200)
        self.send_header("content-type", kind)
        self.end_headers()
        try:
            while not self.stop.wait(pause):
                self.wfile.write(piece)
        except OSError:
            pass
        self.close_connection = True


def _json(body: object, status: int = 200) -> Handler:
    return lambda h: h.reply(json.dumps(body).encode(), status)


def _said(content: object, **message: object) -> Handler:
    return lambda h: h.reply(completion(content, **message))


def _cut(h: FaultHandler) -> None:
    h.send_response(200)
    h.send_header("content-length", "1000")
    h.end_headers()
    h.wfile.write(b'{"choices": [')
    h.close_connection = True


def _huge(h: FaultHandler) -> None:
    h.send_response(200)
    h.send_header("content-type", "application/json")
    h.send_header("content-length", str(50_000_000))
    h.end_headers()
    try:
        for _ in range(50):
            h.wfile.write(b"a" * 1_000_000)
    except OSError:
        pass
    h.close_connection = True


def _events(*events: str) -> Handler:
    body = "".join(f"data: {e}\n\n" for e in events).encode()
    return lambda h: h.reply(body, kind="text/event-stream")


def _delta(content: str) -> str:
    return json.dumps({"choices": [{"index": 0, "delta": {"content": content}}]})


FAULTS: dict[str, Handler] = {
    "point": _said("[2, 1]"),
    "prose_point": _said("Sure! The best sentences are: [2, 1]."),
    "thinking": _said("<think>maybe [3]?</think>[2, 1]"),
    "streamed": _events(_delta("[2"), _delta(", 1]"), "[DONE]"),
    "huge_usage": lambda h: h.reply(
        json.dumps({**json.loads(completion("[2, 1]")), "usage": {"total_tokens": 10**30}}).encode()
    ),
    "html": lambda h: h.reply(b"<html><body>Bad gateway</body></html>", kind="text/html"),
    "empty": lambda h: h.reply(b""),
    "null": _json(None),
    "error_in_200": _json({"error": {"message": "model not loaded"}}),
    "choices_null": _json({"choices": None}),
    "choices_empty": _json({"choices": []}),
    "choice_text": _json({"choices": ["[1]"]}),
    "message_missing": _json({"choices": [{"index": 0}]}),
    "content_null": _said(None),
    "content_list": _said([{"type": "text", "text": "[1]"}]),
    "content_empty": _said("  "),
    "refusal": _said(None, refusal="I cannot help with that."),
    "content_filter": _json(
        {"choices": [{"message": {"content": "[1]"}, "finish_reason": "content_filter"}]}
    ),
    "tool_calls": _said(None, tool_calls=[{"id": "1", "type": "function", "function": {"name": "rm"}}]),
    "prose": _said("I am afraid that I do not know."),
    "none": _said("[]"),
    "out_of_range": _said("[0, 99, 100000]"),
    "broken_sse": _events(_delta("[1"), '{"choices": [{"del'),
    "unfinished_sse": _events(_delta("[1]")),
    "not_utf8": lambda h: h.reply(b'{"choices": "\xff\xfe"}'),
    "deep": lambda h: h.reply(b"[" * 100_000),
    "compressed": lambda h: h.reply(b"\x1f\x8b\x08\x00", content_encoding="gzip"),
    "status_401": _json({"error": "bad key"}, 401),
    "status_404": _json({"error": "no such model"}, 404),
    "status_429": _json({"error": "slow down"}, 429),
    "status_500": _json({"error": "boom"}, 500),
    "redirect": lambda h: h.reply(b"", 302, location="http://192.0.2.1/steal"),
    "cut": _cut,
    "huge_line": _huge,
    "silence": lambda h: (h.stop.wait(), None)[1],
    "drip": lambda h: h.drip(b": ping\n\n"),
    "repeated_token": lambda h: h.drip(f"data: {_delta('the ')}\n\n".encode() * 100, pause=0),
}


@contextmanager
def faults() -> Iterator[str]:
    """Yield the base address; what the server was sent is in `FaultHandler.requests`."""
    FaultHandler.stop.clear()
    FaultHandler.requests.clear()
    FaultHandler.headers_seen.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), FaultHandler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        FaultHandler.stop.set()
        server.shutdown()
        server.server_close()
        thread.join()
