"""All settings, read once from `NKQA_*` and one optional file; and where corpus, index and models lie."""

from pathlib import Path
from typing import Literal

from platformdirs import user_cache_path
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from nkqa.errors import SettingsError

PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parents[1]


def _in_checkout() -> bool:
    return (CHECKOUT / "pyproject.toml").is_file() and (CHECKOUT / "corpus").is_dir()


def default_corpus() -> Path:
    """Return the checkout's `corpus/`, or the copy that the wheel carries."""
    return CHECKOUT / "corpus" if _in_checkout() else PACKAGE / "_corpus"


def default_index() -> Path:
    """Return the checkout's `index/`, or a folder of the user's cache when nkqa is installed."""
    return CHECKOUT / "index" if _in_checkout() else user_cache_path("nkqa") / "index"


class Settings(BaseSettings):
    """What can be set, each as `NKQA_<NAME>` in the environment or as a line of the file in `NKQA_ENV_FILE`."""

    model_config = SettingsConfigDict(env_prefix="NKQA_", extra="ignore", frozen=True)

    corpus: Path = Field(default_factory=default_corpus, description="Folder with sources/ and names.yaml.")
    index: Path = Field(default_factory=default_index, description="Folder that indexes are built in.")
    embedding_model: str = Field(
        "all-MiniLM-L6-v2",
        description="all-MiniLM-L6-v2 comes with the installation; any other sentence-transformers name or folder.",
    )
    tokenizer: str = Field(
        "nkqa-8k", description="Token counter for passages: nkqa-8k, or the name of a public tiktoken encoding."
    )
    max_tokens: int = Field(160, ge=32, le=400, description="Most tokens in a passage.")
    reader: Literal["on", "off"] = Field("on", description="Whether the trained reader judges the sentences.")
    host: str = Field("127.0.0.1", description="Address that the server listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port that the server listens on; 0 takes a free one.")
    threads: int = Field(2, ge=1, le=64, description="Threads that one question may use in the reader.")


def load_settings(**given: object) -> Settings:
    """Read the settings; keyword arguments win over the environment.

    Raises:
        SettingsError: a value cannot work; the message names the variable and what it may be.
    """
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        lines = [f"NKQA_{str(e['loc'][0]).upper()}: {e['msg']} (got {e['input']!r})" for e in error.errors()]
        raise SettingsError("; ".join(lines)) from error
