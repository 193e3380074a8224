"""Writes normalised.safetensors and normalised_plain.safetensors: `python3 make_normalised_fixtures.py`.

The stored files were made by torch 2.15.0 on a CPU. The first holds weights with spectral and weight normalisation, as
`torch.nn.utils` (old) and `torch.nn.utils.parametrizations` (new) store them, in f32, f16, bf16 and f64; after 0 and 3
forward passes of training; with the axis 0, 1 or another as rows; and tensors beside them. The second holds the same
state after PyTorch removed the normalisation in evaluation, so that no further iteration runs.
"""

import json
import pathlib
import struct
import warnings

import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize

warnings.simplefilter("ignore")
torch.manual_seed(7)
HERE = pathlib.Path(__file__).parent
DTYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.uint8: "U8",
}


def save(path, tensors, metadata):
    """A safetensors file in the order of the tensors."""
    header, data = {"__metadata__": metadata}, b""
    for name, tensor in tensors.items():
        raw = tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        offsets = [len(data), len(data) + len(raw)]
        header[name] = {"dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": offsets}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def example(layer):
    """An input of a layer."""
    if isinstance(layer, nn.Linear):
        return torch.randn(2, layer.in_features)
    return torch.randn(1, layer.in_channels, 5, 5)


def remove(kind, layer):
    if kind.startswith("old_spectral"):
        nn.utils.remove_spectral_norm(layer)
    elif kind.startswith("old_weight"):
        nn.utils.remove_weight_norm(layer)
    else:
        parametrize.remove_parametrizations(layer, "weight")


def register(kind, layer, **options):
    functions = {
        "old_spectral": nn.utils.spectral_norm, "new_spectral": parametrizations.spectral_norm,
        "old_weight": nn.utils.weight_norm, "new_weight": parametrizations.weight_norm,
    }
    return functions[kind](layer, **options)


LINEAR, SQUARE = lambda: nn.Linear(6, 4), lambda: nn.Linear(5, 5, bias=False)
CONV, TRANSPOSED = lambda: nn.Conv2d(3, 4, 3), lambda: nn.ConvTranspose2d(3, 4, 3)
CUBE = lambda: nn.ConvTranspose2d(4, 4, 3, bias=False)

# name, layer, options, forward passes, type
SPECTRAL = [
    ("linear_0", LINEAR, {}, 0, torch.float32), ("linear_3", LINEAR, {}, 3, torch.float32),
    ("linear_dim_1", LINEAR, {"dim": 1}, 3, torch.float32), ("square_0", SQUARE, {}, 0, torch.float32),
    ("square_3", SQUARE, {}, 3, torch.float32), ("square_dim_1", SQUARE, {"dim": 1}, 30, torch.float32),
    ("conv", CONV, {}, 3, torch.float32), ("conv_dim_2", CONV, {"dim": 2}, 3, torch.float32),
    ("transposed_0", TRANSPOSED, {}, 0, torch.float32), ("transposed_3", TRANSPOSED, {}, 3, torch.float32),
    ("transposed_square", CUBE, {}, 30, torch.float32), ("half", LINEAR, {}, 3, torch.float16),
    ("bfloat", CONV, {}, 3, torch.bfloat16), ("double", LINEAR, {}, 3, torch.float64),
]
WEIGHT = [
    ("linear", LINEAR, {}, 3, torch.float32), ("linear_dim_1", LINEAR, {"dim": 1}, 0, torch.float32),
    ("linear_whole", LINEAR, {"dim": None}, 0, torch.float32), ("conv", CONV, {}, 0, torch.float32),
    ("conv_dim_1", CONV, {"dim": 1}, 0, torch.float32), ("half", LINEAR, {}, 0, torch.float16),
    ("double", CONV, {}, 0, torch.float64),
]

stored, plain = {}, {}
for kinds, cases in [(("old_spectral", "new_spectral"), SPECTRAL), (("old_weight", "new_weight"), WEIGHT)]:
    for kind in kinds:
        for name, make, options, passes, dtype in cases:
            layer = register(kind, make(), **options).train()
            if "weight" in kind:
                with torch.no_grad():  # a g apart from the norm of v
                    length = layer.weight_g if kind == "old_weight" else layer.parametrizations.weight.original0
                    length *= 1.5
            for _ in range(passes):
                layer(example(layer))
            layer = layer.to(dtype).eval()
            state = {f"{kind}.{name}.{key}": value.clone() for key, value in layer.state_dict().items()}
            remove(kind, layer)
            removed = {f"{kind}.{name}.{key}": value.clone() for key, value in layer.state_dict().items()}
            if dtype in (torch.float16, torch.bfloat16):
                # PyTorch rounds the norm to the type as well; the promise is a weight that is rounded once.
                layer = register(kind, make(), **options).to(torch.float64).eval()
                layer.load_state_dict({key.split(".", 2)[2]: value.double() for key, value in state.items()})
                remove(kind, layer)
                removed[f"{kind}.{name}.weight"] = layer.weight.detach().to(dtype)
            stored |= state
            plain |= removed
extra = {
    "norm.num_batches_tracked": torch.tensor(17), "flags": torch.tensor([1, 0, 1], dtype=torch.uint8),
    "after.weight": torch.randn(3, 3), "empty": torch.zeros(0, 4), "scalar": torch.tensor(2.5, dtype=torch.bfloat16),
}
metadata = {"format": "pt", "title": "grün", "a": "first"}
save(HERE / "normalised.safetensors", stored | extra, metadata)
save(HERE / "normalised_plain.safetensors", plain | extra, metadata)
print(len(stored), "stored", len(plain), "plain")
