"""Checkpoints of torch.save for the tests of files, and their elements as bits.   usage: make_pytorch_fixtures.py

The files beside this script were made with PyTorch 2.15.0. `pytorch.json` has the shape, the type and the bits of each
tensor in row-major order, as `tensor.contiguous()` has them.
"""

import collections
import json
import os
import zipfile

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
EXPECTED = {}


def bits(tensor):
    tensor = tensor.detach().contiguous()
    return tensor.reshape(-1).view(torch.uint8).tolist() if tensor.numel() else []


def record(file, tensors):
    EXPECTED[file] = {
        name: {"shape": list(tensor.shape), "dtype": str(tensor.dtype).removeprefix("torch."), "bytes": bits(tensor)}
        for name, tensor in tensors.items()
    }


def save(file, value, tensors, **options):
    torch.save(value, os.path.join(HERE, file), **options)
    record(file, tensors)


def counting(*shape):
    count = 1
    for length in shape:
        count *= length
    return ((torch.arange(count, dtype=torch.float64) - 5) / 4).reshape(shape)


base = counting(6, 4).float()
views = {
    "plain": base,
    "transposed": base.t(),
    "rows": base[1:5:2],
    "cols": base[:, 1::2],
    "row": base[3],
    "flipped": base.reshape(2, 3, 4).permute(2, 0, 1),
    "window": base[2:4, 1:3].t(),
    "one": base[5, 3],
    "expanded": counting(3).float().expand(4, 3),
    "expanded_rows": counting(3, 1).float().expand(3, 2),
    "empty": torch.zeros(0, 3),
    "single": base[:1, :].expand(1, 4),
}
save("views.pt", views, views)

types = {
    "double": counting(3, 2),
    "half": counting(3, 2).half(),
    "bfloat": counting(3, 2).bfloat16(),
    "long": torch.arange(-3, 3),
    "bool": torch.tensor([True, False, True]),
    "byte": torch.arange(5, dtype=torch.uint8),
    "complex": torch.complex(counting(2), counting(2)).to(torch.complex64),
    "fp8": counting(3, 2).to(torch.float8_e4m3fn),
    "half_t": counting(3, 2).half().t(),
}
save("types.pt", types, types)

weight = torch.nn.Parameter(counting(3, 2).float())
tagged = torch.nn.Parameter(counting(2, 2).float())
tagged.tag = "an attribute"
state = collections.OrderedDict([("0.weight", weight), ("0.bias", counting(3).float()), ("tied", weight)])
state._metadata = collections.OrderedDict([("", {"version": 1})])
nested = {
    "model": state,
    "optimizer": {"state": {0: {"step": torch.tensor(3.0), "exp_avg": counting(3, 2).float()}}, "param_groups": [{"lr": 0.1}]},
    "epoch": 7,
    "list": [tagged, None, "text"],
}
named = {
    "model.0.weight": weight,
    "model.0.bias": state["0.bias"],
    "model.tied": weight,
    "optimizer.state.0.step": torch.tensor(3.0),
    "optimizer.state.0.exp_avg": counting(3, 2).float(),
    "list.0": tagged,
}
save("nested.pt", nested, named)
save("protocol4.pt", nested, named, pickle_protocol=4)

# One tensor alone, and a whole module, whose class is not among what a reader knows.
save("alone.pt", counting(2, 3).float(), {"alone": counting(2, 3).float()})
module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
with torch.no_grad():
    for parameter in module.parameters():
        parameter.copy_(counting(*parameter.shape))
save("module.pt", module, dict(module.state_dict()))


def rewritten(source, target, method, changes=()):
    """The archive with its members compressed by another method, and some of them replaced."""
    with zipfile.ZipFile(os.path.join(HERE, source)) as old, zipfile.ZipFile(os.path.join(HERE, target), "w", method) as new:
        for name in old.namelist():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = method
            folder, _, rest = name.partition("/")
            new.writestr(info, dict(changes).get(rest, old.read(name)))


rewritten("views.pt", "deflated.pt", zipfile.ZIP_DEFLATED)
EXPECTED["deflated.pt"] = EXPECTED["views.pt"]

# The same elements from a machine that writes the most significant byte first.
swapped = {"plain": torch.from_numpy(counting(6, 4).float().numpy().byteswap())}
swapped["transposed"] = swapped["plain"].t()
torch.save(swapped, os.path.join(HERE, "big.pt"))
rewritten("big.pt", "big_endian.pt", zipfile.ZIP_STORED, {"byteorder": b"big"})
os.remove(os.path.join(HERE, "big.pt"))
EXPECTED["big_endian.pt"] = {name: EXPECTED["views.pt"][name] for name in swapped}

with open(os.path.join(HERE, "pytorch.json"), "w") as file:
    json.dump(EXPECTED, file, separators=(",", ":"))
    file.write("\n")
