"""Fixtures for all tests: a toy corpus with an engine over it, and no way out of this machine."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import pytest

from fakes import HashEmbedder
from nkqa.build import build_index
from nkqa.embed import SentenceTransformerEmbedder
from nkqa.engine import Engine, open_engine
from nkqa.protocols import Embedder
from nkqa.settings import Settings, load_settings

TOY = Path(__file__).parent / "toy"


class Blocked(AssertionError):
    """A test was about to leave this machine."""


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect
    resolve = socket.getaddrinfo

    def guarded(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if self.family in (socket.AF_INET, socket.AF_INET6) and host not in ("127.0.0.1", "::1", "localhost"):
            raise Blocked(f"a test was about to connect to {address!r}")
        connect(self, address)  # type: ignore[arg-type]

    def guarded_resolve(host: object, *rest: object, **named: object) -> object:
        if host not in (None, "", "127.0.0.1", "::1", "localhost", "0.0.0.0", b"127.0.0.1", b"localhost"):
            raise Blocked(f"a test was about to look up {host!r}")
        return resolve(host, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_resolve)


@pytest.fixture(scope="session")
def toy_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of the toy corpus, with its index built."""
    settings = load_settings(corpus=TOY, index=tmp_path_factory.mktemp("index"), max_tokens=60, reader="off")
    build_index(settings, embedder=HashEmbedder())
    return settings


@pytest.fixture(scope="session")
def toy_engine(toy_settings: Settings) -> Iterator[Engine]:
    """A real engine over the toy corpus; only the embedding is a fake."""
    engine = open_engine(toy_settings, encoder=HashEmbedder(), compare=False)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def real_embedder() -> Embedder:
    """The model itself; whoever asks for it has the markers `model` and `torch`."""
    return SentenceTransformerEmbedder()


@pytest.fixture(scope="session")
def real_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of the toy corpus, its index built with the model itself; markers as for `real_embedder`."""
    settings = load_settings(corpus=TOY, index=tmp_path_factory.mktemp("real"), max_tokens=60, reader="off")
    build_index(settings)
    return settings
