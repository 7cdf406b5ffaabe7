"""All settings, read once from `NKQA_*` and one optional file; and where corpus, index and models lie."""

import os
import re
import sys
from pathlib import Path
from typing import Literal

from platformdirs import user_cache_path
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
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
    """What can be set, each as `NKQA_<NAME>` in the environment or in the file that `NKQA_ENV_FILE` names."""

    model_config = SettingsConfigDict(env_prefix="NKQA_", extra="ignore", frozen=True)

    corpus: Path = Field(default_factory=default_corpus, description="Folder with sources/ and names.yaml.")
    index: Path = Field(default_factory=default_index, description="Folder that indexes are built in.")
    embedding_model: str = Field(
        "all-MiniLM-L6-v2",
        description="all-MiniLM-L6-v2, installed with nkqa, or any sentence-transformers name or folder.",
    )
    tokenizer: str = Field(
        "nkqa-8k",
        description="Token counter for passages: nkqa-8k, or the name of a public tiktoken encoding.",
    )
    max_tokens: int = Field(160, ge=32, le=400, description="Most tokens in a passage.")
    reader: Literal["on", "off"] = Field("on", description="Whether the trained reader judges the sentences.")
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
        description="Host names that the server answers to, separated by commas; none: loopback's, or any.",
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

    @field_validator("corpus", "index", "feedback_file", "maintenance", mode="before")
    @classmethod
    def _path(cls, value: object, info: ValidationInfo) -> object:
        """A path as meant: `~` is the user's folder, and nothing is not the current folder."""
        if isinstance(value, str) and not value.strip():
            if info.field_name in ("corpus", "index"):
                raise ValueError("must name a folder; leave it out for the default")
            return None
        return Path(value).expanduser() if isinstance(value, str) else value


def load_settings(**given: object) -> Settings:
    """Read the settings; keyword arguments win over the environment.

    Raises:
        SettingsError: a value cannot work; the message names the variable and what it may be.
    """
    file = os.environ.get("NKQA_ENV_FILE")
    if file and not Path(file).is_file():
        raise SettingsError(f"NKQA_ENV_FILE: there is no file {file!r}")
    try:
        return Settings(_env_file=file or None, **given)  # type: ignore[arg-type, call-arg]
    except UnicodeDecodeError as error:
        raise SettingsError(f"NKQA_ENV_FILE: {file!r} is no UTF-8 text: {error}") from error
    except ValidationError as error:
        lines = [f"NKQA_{str(e['loc'][0]).upper()}: {e['msg']} (got {e['input']!r})" for e in error.errors()]
        raise SettingsError("; ".join(lines)) from error


def settings_table() -> str:
    """Return all settings with default and description as a Markdown table."""
    rows = ["| variable | default | what it does |", "|---|---|---|"]
    for name, field in sorted(Settings.model_fields.items()):
        rows.append(f"| `NKQA_{name.upper()}` | {_default(name, field.default)} | {field.description} |")
    return "\n".join(rows)


def _default(name: str, value: object) -> str:
    said = {"corpus": "the corpus that comes with nkqa", "index": "`index/`, or the user's cache folder"}
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is None or value == "":
        return "none"
    return said.get(name) or f"`{str(value).lower() if isinstance(value, bool) else value}`"


MARKED = re.compile(r"(?s)(<!-- settings -->\n).*?(<!-- /settings -->)")
"""Where the README holds the table."""


def main() -> None:
    """Print the table of settings, or write it into the files named, between their marks."""
    if not sys.argv[1:]:
        print(settings_table())
    for file in map(Path, sys.argv[1:]):
        text = file.read_text("utf-8")
        file.write_text(MARKED.sub(lambda m: f"{m[1]}{settings_table()}\n{m[2]}", text), "utf-8")


if __name__ == "__main__":
    main()
