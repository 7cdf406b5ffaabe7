"""Writes a trained net, or the mean of several, as `reader.int8.onnx` with its card `reader.json`."""

import argparse
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor

from nkqa.reader import Calibration, load_tokenizer
from nkqa.training.model import ReaderNet, new_net

INPUTS = ("input_ids", "token_type_ids", "attention_mask")
OUTPUTS = ("window", "tokens")


def to_onnx(net: ReaderNet, path: Path) -> None:
    """Write the net as ONNX in fp32, with free numbers of rows and tokens."""
    net.eval()
    example = tuple(torch.ones((2, 16), dtype=torch.int64) for _ in INPUTS)
    free = {0: torch.export.Dim("rows", min=1), 1: torch.export.Dim("tokens", min=4, max=512)}
    program = torch.onnx.export(
        net,
        example,
        input_names=INPUTS,
        output_names=OUTPUTS,
        dynamic_shapes=tuple(free for _ in INPUTS),
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    if program is None:
        raise RuntimeError("torch.onnx.export gave no program")
    program.save(str(path), external_data=False)


def to_int8(source: Path, target: Path) -> None:
    """Quantise weights to int8, a scale for each channel; activations at run time (dynamic quantisation)."""
    model = onnx.load(str(source))
    # The exporter leaves shapes noted for its example; the quantiser refuses those that do not fit.
    del model.graph.value_info[:]
    plain = target.with_suffix(".plain")
    onnx.save(model, str(plain))
    quantize_dynamic(str(plain), str(target), weight_type=QuantType.QInt8, per_channel=True)
    plain.unlink()
    onnx.save(without_traces(onnx.load(str(target))), str(target))


def without_traces(model: onnx.ModelProto) -> onnx.ModelProto:
    """Take out what the exporter notes of the machine that it ran on: stack traces, with the paths of files."""
    graph = model.graph
    for holder in (model, graph, *graph.node, *graph.input, *graph.output, *graph.value_info):
        del holder.metadata_props[:]
    return model


def mean(states: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Return the mean of the weights of nets that come from one start (Wortsman et al. 2022, arXiv 2203.05482)."""
    first = states[0]
    return {
        name: torch.stack([s[name] for s in states]).mean(0) if value.is_floating_point() else value
        for name, value in first.items()
    }


def write_card(path: Path, calibration: Calibration, max_tokens: int, more: dict[str, object]) -> None:
    """Write `reader.json` beside the weights at `path`, with their SHA-256 and all that a reader needs."""
    card = {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "bytes": path.stat().st_size,
        "max_tokens": max_tokens,
        "calibration": {name: round(value, 6) for name, value in asdict(calibration).items()},
        **more,
    }
    text = json.dumps(card, indent=2, ensure_ascii=False) + "\n"
    path.with_name("reader.json").write_text(text, encoding="utf-8")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--checkpoint", type=Path, required=True, nargs="+", help="several: their mean")
    parser.add_argument("--out", type=Path, required=True, help="folder for the ONNX files and the card")
    parser.add_argument("--max-tokens", type=int, default=160)
    return parser.parse_args()


def main() -> None:
    """Export; the calibration is neutral until `nkqa.training.measure` has fitted it."""
    given = arguments()
    load_tokenizer(given.model / "tokenizer.json")
    net = new_net(given.model)
    net.load_state_dict(mean([torch.load(file, weights_only=True)["net"] for file in given.checkpoint]))
    given.out.mkdir(parents=True, exist_ok=True)
    to_onnx(net, given.out / "reader.fp32.onnx")
    to_int8(given.out / "reader.fp32.onnx", given.out / "reader.int8.onnx")
    today = datetime.now(UTC).date().isoformat()
    write_card(given.out / "reader.int8.onnx", Calibration(1, 0, 0, 0), given.max_tokens, {"exported": today})


if __name__ == "__main__":
    main()
