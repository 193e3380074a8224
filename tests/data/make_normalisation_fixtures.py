"""Values, states and gradients of PyTorch's parametrised weights, for the tests of layers.

Writes normalisations.json beside this file; made with torch 2.15. All arithmetic is in f64, from numbers that f32 has.
"""

import json
import pathlib
import warnings

import torch
from torch import nn
from torch.nn.utils import parametrizations

warnings.filterwarnings("ignore")
torch.manual_seed(11)
torch.set_default_dtype(torch.float64)


def short(tensor):
    """Numbers of few bits, which every type has."""
    return (tensor * 256).round() / 256


def module(kind, shape):
    if kind == "linear":
        return nn.Linear(shape[1], shape[0]), torch.randn(3, shape[1])
    if kind == "conv":
        return nn.Conv2d(shape[1], shape[0], shape[2:], stride=2, padding=1), torch.randn(2, shape[1], 6, 5)
    return nn.ConvTranspose2d(shape[0], shape[1], shape[2:], stride=2, padding=1), torch.randn(2, shape[0], 3, 4)


def case(kind, shape, how, hooks, axis, iterations=1):
    layer, x = module(kind, shape)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(short(parameter))
    x = short(x).requires_grad_()
    if how == "spectral":
        apply = nn.utils.spectral_norm if hooks else parametrizations.spectral_norm
        layer = apply(layer, n_power_iterations=iterations, dim=axis)
    else:
        apply = nn.utils.weight_norm if hooks else parametrizations.weight_norm
        layer = apply(layer, dim=axis)
    with torch.no_grad():
        for name, value in layer.state_dict().items():
            if name.endswith(("_u", "_v")) and how == "spectral":
                value.copy_(short(value))
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    steps = []
    for is_training in [True, True, True, False]:
        layer.train(is_training)
        layer.zero_grad()
        x.grad = None
        y = layer(x)
        weights = torch.cos(torch.arange(y.numel(), dtype=torch.float64)).reshape(y.shape)
        (y * weights).sum().backward()
        steps.append({
            "training": is_training,
            "y": y.detach().flatten().tolist(),
            "states": {
                name: value.flatten().tolist()
                for name, value in layer.state_dict().items()
                if how == "spectral" and name.endswith(("_u", "_v"))
            },
            "gradients": {name: p.grad.flatten().tolist() for name, p in layer.named_parameters()},
            "x_gradient": x.grad.flatten().tolist(),
        })
    return {
        "kind": kind,
        "shape": shape,
        "how": how,
        "hooks": hooks,
        "axis": axis,
        "iterations": iterations,
        "x_shape": list(x.shape),
        "x": x.detach().flatten().tolist(),
        "parameters": {name: {"shape": list(v.shape), "data": v.flatten().tolist()} for name, v in before.items()},
        "steps": steps,
    }


cases = []
for hooks in [False, True]:
    cases += [
        case("linear", [4, 6], "spectral", hooks, 0),
        case("linear", [5, 3], "spectral", hooks, 1, 3),
        case("conv", [3, 2, 3, 2], "spectral", hooks, 0, 2),
        case("transposed", [2, 3, 3, 2], "spectral", hooks, 1),
        case("linear", [4, 6], "weight", hooks, 0),
        case("linear", [4, 6], "weight", hooks, 1),
        case("linear", [4, 6], "weight", hooks, None),
        case("conv", [3, 2, 3, 2], "weight", hooks, 0),
        case("transposed", [2, 3, 3, 2], "weight", hooks, 1),
    ]
path = pathlib.Path(__file__).with_name("normalisations.json")
path.write_text(json.dumps(json.loads(json.dumps(cases), parse_float=lambda x: float(f"{float(x):.12g}"))) + "\n")
