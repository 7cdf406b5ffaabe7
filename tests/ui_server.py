"""The page over an engine, built without the noise that Gradio makes about event loops it leaves open."""

import gc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastapi import FastAPI

from nkqa.engine import Engine
from nkqa_ui.app import mount


@contextmanager
def quiet() -> Iterator[None]:
    """Let what Gradio leaves behind be collected here, where nobody minds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
        gc.collect()


def page(engine: Engine, feedback: Path | None = None) -> FastAPI:
    """Return a server with nothing but the page."""
    settings = engine.settings
    engine.settings = settings.model_copy(update={"feedback_file": feedback})
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    try:
        with quiet():
            return mount(app, engine)
    finally:
        engine.settings = settings
