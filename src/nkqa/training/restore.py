"""Makes a checkpoint of the shipped int8 weights, so that training can go on where no checkpoint is at hand.

Run: python -m nkqa.training.restore --model MINILM --onnx src/nkqa/models/reader.int8.onnx --out CHECKPOINT
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx.numpy_helper import to_array

from nkqa.training.model import ReaderNet, new_net

IN_A_LAYER = (
    "attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
    "intermediate.dense", "output.dense",
)  # fmt: skip
"""Matrices of a layer in the order in which the net multiplies by them; the exporter keeps the order, not the names."""


def restored(net: ReaderNet, file: Path) -> ReaderNet:
    """Return `net` with the weights of an exported int8 file: (quantised - zero point) * scale, as fp32.

    Raises:
        ValueError: the file is of another net.
    """
    held = {i.name: to_array(i) for i in onnx.load(str(file)).graph.initializer}
    state = net.state_dict()
    layers = sorted(int(n[4:-10]) for n in held if n.startswith("val_") and n.endswith("_quantized"))
    names = [f"bert.encoder.layer.{n}.{m}.weight" for n in range(len(layers) // 6) for m in IN_A_LAYER]
    nameless = dict(zip([*names, "tokens.weight"], (f"val_{n}" for n in layers), strict=True))
    for name, before in state.items():
        stem = nameless.get(name, name)
        if stem in held:
            found = held[stem]
        elif f"{stem}_quantized" in held:
            whole = held[f"{stem}_quantized"].astype(np.float32) - held[f"{stem}_zero_point"].astype(
                np.float32
            )
            # A matrix that is multiplied by stands transposed in the file, an embedding does not.
            found = whole * held[f"{stem}_scale"]
            found = found if "embeddings" in name else found.T
        else:
            raise ValueError(f"{file}: has no weights {name}")
        state[name] = torch.from_numpy(np.array(found)).reshape(before.shape).to(before.dtype)
    net.load_state_dict(state)
    return net


def main() -> None:
    """Write the checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--onnx", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    torch.save({"net": restored(new_net(given.model), given.onnx).state_dict()}, given.out)


if __name__ == "__main__":
    main()
