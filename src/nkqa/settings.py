"""All settings, read once from `NKQA_*` and one optional file; and where corpus, index and models lie."""

from pathlib import Path
from typing import Literal

from platformdirs import user_cache_path
from pydantic import Field, SecretStr, ValidationError
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
        "nkqa-8k",
        description="Token counter for passages: nkqa-8k, or the name of a public tiktoken encoding.",
    )
    max_tokens: int = Field(160, ge=32, le=400, description="Most tokens in a passage.")
    reader: Literal["on", "off"] = Field(
        "off", description="Whether the trained reader judges the sentences."
    )
    host: str = Field("127.0.0.1", description="Address that the server listens on.")
    port: int = Field(
        8000, ge=0, le=65535, description="Port that the server listens on; 0 takes a free one."
    )
    api_keys: SecretStr = Field(
        SecretStr(""),
        description="Keys that a caller must have, separated by commas; none: no key is asked for.",
    )
    composer: Literal["extractive", "llm"] = Field(
        "extractive", description="How answers are made where a request does not say: extractive, or llm."
    )
    cors: str = Field(
        "", description="Origins whose pages may call the API, separated by commas; none by default."
    )
    feedback_file: Path | None = Field(
        None,
        description="File that feedback from the page is appended to as JSON lines; none: feedback is off.",
    )
    hosts: str = Field(
        "",
        description="Host names that the server answers to, separated by commas; by default loopback's, or any.",
    )
    in_flight: int = Field(
        32, ge=1, le=1000, description="Most questions in work or waiting; one more gets 503."
    )
    log_questions: bool = Field(False, description="Whether the log holds the text of questions.")
    maintenance: Path | None = Field(
        None, description="While this file exists, every request is answered 503 with its text."
    )
    proxies: str = Field(
        "127.0.0.1",
        description="Addresses of proxies whose X-Forwarded-For is believed, separated by commas.",
    )
    public: bool = Field(False, description="Allows listening beyond loopback without API keys.")
    rate_limit: str = Field(
        "300/minute", description="Requests that one client may make, such as 300/minute; empty: no limit."
    )
    llm_api_key: SecretStr = Field(SecretStr(""), description="Key for the language model's server.")
    llm_mode: Literal["point", "write"] = Field(
        "point",
        description="point: the model chooses sentences of the sources; write: it writes, and is checked.",
    )
    llm_model: str = Field("", description="Name of the language model, as its server knows it.")
    llm_seconds: float = Field(30.0, gt=0, le=600, description="Longest that the language model may take.")
    llm_url: str = Field(
        "",
        description="Base address of a server that speaks the OpenAI protocol, such as http://localhost:11434/v1.",
    )
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
