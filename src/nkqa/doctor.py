"""What is wrong with a configuration, a line each; on what `serving` finds, the server refuses to start."""

import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from limits import parse
from rapidfuzz import process

from nkqa.corpus import load_corpus
from nkqa.errors import NkqaError
from nkqa.index import verify_index
from nkqa.settings import Settings

Level = Literal["ok", "note", "error"]
_ROOM = 500_000_000
_OTHERS = {"NKQA_ENV_FILE"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: `error` keeps nkqa from working or being safe, `note` is worth knowing."""

    level: Level
    line: str


def is_loopback(host: str) -> bool:
    """Return whether listening on `host` lets only this machine in; no name but localhost counts."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def parts(value: str) -> list[str]:
    """Return the parts of a comma-separated setting."""
    return [part for each in value.split(",") if (part := each.strip())]


def examine(settings: Settings, environment: Mapping[str, str] = os.environ) -> list[Finding]:
    """Return all findings, in the order in which they matter."""
    return [
        *_names(environment),
        *serving(settings, environment),
        *_exposure(settings),
        *_language_model(settings),
        *_corpus(settings),
        *_index(settings),
        *_machine(settings),
    ]


def serving(settings: Settings, environment: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Yield what the server refuses to start on."""
    if not is_loopback(settings.host) and not settings.public and not _keys(settings):
        line = f"NKQA_HOST={settings.host} lets other machines in: set NKQA_API_KEYS, or NKQA_PUBLIC=1."
        yield Finding("error", line)
    workers = environment.get("WEB_CONCURRENCY", "")
    if workers not in ("", "1"):
        yield Finding("error", f"WEB_CONCURRENCY={workers}: nkqa serves from one process; unset it.")
    if settings.rate_limit.strip():
        try:
            parse(settings.rate_limit)
        except ValueError:
            yield Finding("error", f"NKQA_RATE_LIMIT={settings.rate_limit!r}: write it as 300/minute.")


def _keys(settings: Settings) -> list[str]:
    return parts(settings.api_keys.get_secret_value())


def _names(environment: Mapping[str, str]) -> Iterator[Finding]:
    known = {f"NKQA_{name.upper()}" for name in Settings.model_fields} | _OTHERS
    for name in sorted(environment):
        if name.upper().startswith("NKQA_") and name.upper() not in known:
            near = process.extractOne(name.upper(), known)
            hint = f" did you mean {near[0]}?" if near and near[1] > 80 else " see the table of settings."
            yield Finding("note", f"{name}: there is no such setting;{hint}")


def _exposure(settings: Settings) -> Iterator[Finding]:
    if any(len(key) < 16 for key in _keys(settings)):
        yield Finding("note", "NKQA_API_KEYS: a key of under 16 characters can be guessed.")
    if not is_loopback(settings.host) and not settings.hosts:
        yield Finding("note", "NKQA_HOSTS is empty: the server answers to any host name.")
    if not is_loopback(settings.host) and not settings.rate_limit.strip():
        yield Finding("note", "NKQA_RATE_LIMIT is empty: one client may ask as often as it can.")
    if "*" in parts(settings.cors):
        yield Finding("note", "NKQA_CORS=*: every web page that a visitor opens may call the API.")
    if settings.proxies == "*":
        yield Finding("note", "NKQA_PROXIES=*: a client can claim any address, so limits do not hold.")
    if settings.log_questions:
        yield Finding("note", "NKQA_LOG_QUESTIONS=1: the log holds what people ask.")
    if settings.maintenance and settings.maintenance.exists():
        yield Finding("note", f"{settings.maintenance} exists: every request is answered 503.")


def _language_model(settings: Settings) -> Iterator[Finding]:
    url = urlsplit(settings.llm_url)
    if settings.llm_url and (url.scheme not in ("http", "https") or not url.hostname):
        yield Finding("error", f"NKQA_LLM_URL={settings.llm_url!r}: write it as http://localhost:11434/v1.")
    if bool(settings.llm_url) != bool(settings.llm_model):
        yield Finding("error", "NKQA_LLM_URL and NKQA_LLM_MODEL belong together: set both or neither.")
    if settings.composer == "llm" and not settings.llm_url:
        yield Finding("error", "NKQA_COMPOSER=llm: set NKQA_LLM_URL and NKQA_LLM_MODEL, or leave it out.")
    if (
        settings.llm_api_key.get_secret_value()
        and url.scheme == "http"
        and not is_loopback(url.hostname or "")
    ):
        yield Finding("note", "NKQA_LLM_URL is http: the key and the questions go unencrypted.")


def _corpus(settings: Settings) -> Iterator[Finding]:
    try:
        documents = load_corpus(settings.corpus)
    except (NkqaError, OSError) as error:
        yield Finding("error", f"corpus: {error}")
    else:
        sentences = sum(len(d.sentences) for d in documents)
        yield Finding("ok", f"corpus: {len(documents)} sources, {sentences} sentences in {settings.corpus}")


def _index(settings: Settings) -> Iterator[Finding]:
    try:
        manifest = verify_index(settings)
    except (NkqaError, OSError) as error:
        yield Finding("error", f"index: {error}")
    else:
        yield Finding(
            "ok", f"index: {manifest.passages} passages, built {manifest.built_at}, every file as written"
        )


def _machine(settings: Settings) -> Iterator[Finding]:
    if sqlite3.sqlite_version_info < (3, 35):
        yield Finding("error", f"sqlite {sqlite3.sqlite_version}: Chroma needs 3.35 or later.")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if settings.threads > cores:
        yield Finding(
            "note", f"NKQA_THREADS={settings.threads}: there are {cores} cores; more threads are slower."
        )
    folder = _existing(settings.index)
    free = shutil.disk_usage(folder).free
    if free < _ROOM:
        yield Finding("note", f"{folder}: {free // 1_000_000} MB free; a build wants {_ROOM // 1_000_000}.")
    if not os.access(folder, os.W_OK):
        yield Finding("note", f"{folder} cannot be written: an index can be served from there, not built.")


def _existing(path: Path) -> Path:
    return next(p for p in (path, *path.absolute().parents) if p.exists())
