"""Writes solve.json, PyTorch's derivatives of linear solves in double precision: `python3 make_solve_fixtures.py`.

The stored file was made by torch 2.15.0 on a CPU; tests/device/solve/differentiable.rs reads it. The function is
sum(x³) + sum(ln |det A| c) for A x = b, of two matrices with two right-hand sides each, whose vectors are rows. It holds
the inputs, x, the gradient, and the product of the Hessian with a direction. All numbers given are multiples of 1/128
that f32 holds.
"""

import json
import pathlib

import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(5)


def draw(*shape):
    return torch.randint(-128, 129, shape) / 128


def solved(a, b):
    return torch.linalg.solve(a, b.transpose(1, 2)).transpose(1, 2)


def function(a, b):
    weights = torch.tensor([1.0, -0.5])
    return (solved(a, b) ** 3).sum() + (weights * torch.linalg.slogdet(a).logabsdet).sum()


a, b = draw(2, 4, 4) + 2 * torch.eye(4), draw(2, 2, 4)
along = (draw(2, 4, 4), draw(2, 2, 4))
gradient = torch.autograd.functional.vjp(function, (a, b))[1]
product = torch.autograd.functional.hvp(function, (a, b), along)[1]
# The product again, from gradients a little apart.
step = 1e-5
moved = [
    torch.autograd.functional.vjp(function, (a + sign * step * along[0], b + sign * step * along[1]))[1]
    for sign in (1, -1)
]
for found, after, before in zip(product, *moved):
    assert ((after - before) / (2 * step) - found).abs().max() <= 1e-7 * found.abs().max()

numbers = {
    "matrices": a,
    "vectors": b,
    "solutions": solved(a, b),
    "matrices_along": along[0],
    "vectors_along": along[1],
    "matrices_gradient": gradient[0],
    "vectors_gradient": gradient[1],
    "matrices_product": product[0],
    "vectors_product": product[1],
}
path = pathlib.Path(__file__).with_name("solve.json")
path.write_text(json.dumps({name: value.flatten().tolist() for name, value in numbers.items()}, indent=1) + "\n")
