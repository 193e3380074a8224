"""Writes invertible.safetensors: `python3 make_invertible_fixtures.py`.

The stored file was made by torch 2.15.0 on a CPU. It holds the state of two residual blocks of convolutions, in f32,
with weights in the parts of both generations of `torch.nn.utils`; and images x with their outputs y, which PyTorch
computed in f64. The second convolution of a block is small, so that the blocks contract. `invertible.json` beside it is
the description of the blocks, written by hand.
"""

import json
import pathlib
import struct
import warnings

import torch
from torch import nn
from torch.nn.utils import parametrizations, spectral_norm

warnings.simplefilter("ignore")
torch.manual_seed(11)
HERE = pathlib.Path(__file__).parent


def save(path, tensors):
    """A safetensors file of f32 and f64 in the order of the tensors."""
    header, data = {}, b""
    for name, tensor in tensors.items():
        raw = tensor.detach().contiguous().numpy().tobytes()
        dtype = {torch.float32: "F32", torch.float64: "F64"}[tensor.dtype]
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


class Block(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.net = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.net(x)


def conv(inputs, outputs, size=1.0, **options):
    """A convolution of 3 x 3 whose weight has this norm as a matrix of filters."""
    layer = nn.Conv2d(inputs, outputs, 3, padding=1, **options)
    with torch.no_grad():
        layer.weight *= size / torch.linalg.matrix_norm(layer.weight.flatten(1), ord=2)
    return layer


blocks = nn.ModuleList([
    Block(parametrizations.spectral_norm(conv(1, 3)), nn.ELU(), parametrizations.weight_norm(conv(3, 1, 0.08))),
    Block(spectral_norm(conv(1, 2)), nn.LeakyReLU(0.1), conv(2, 1, 0.08, bias=False)),
])
x = torch.randn(3, 1, 4, 5)
for _ in range(5):
    for block in blocks:
        block(x)
blocks.eval()
state = {f"blocks.{name}": tensor.clone() for name, tensor in blocks.state_dict().items()}
y = x.double()
for block in blocks.double():
    y = block(y)
save(HERE / "invertible.safetensors", state | {"x": x, "y": y})
