"""What a product with a Jacobian costs in PyTorch, next to the function itself: beside jacobian.rs, the same network of
tanh layers, 784-512-512-784, with the same weights, at a batch of 256 samples, in single precision on 2 threads.

`python3 benches/jacobian_torch.py` prints medians of rounds that alternate, and each as a multiple of the forward
function.
"""

import sys
import time

import torch

SIZES = [784, 512, 512, 784]
BATCH = 256
ROUNDS = 9
torch.set_num_threads(2)


def tensor(shape, scale):
    """The numbers of jacobian.rs: uniform in -scale to scale, every tensor from the same start."""
    count, state, numbers = torch.Size(shape).numel(), 12_345, []
    for _ in range(count):
        state = (state * 1_664_525 + 1_013_904_223) & 0xFFFF_FFFF
        numbers.append(scale * ((state >> 8) / 8_388_608 - 1))
    return torch.tensor(numbers, dtype=torch.float32).reshape(shape)


x = tensor([BATCH, SIZES[0]], 1.0)
layers = [(tensor([to, from_], 0.08), tensor([to], 0.1)) for from_, to in zip(SIZES, SIZES[1:])]
u, v = tensor([BATCH, SIZES[3]], 1.0), tensor([BATCH, SIZES[0]], 1.0)


def function(x):
    for weight, bias in layers:
        x = torch.tanh(x @ weight.T + bias)
    return x


def forward():
    with torch.no_grad():
        return function(x)


# As power iterations without forward mode have it: J v by differentiating the VJP along a cotangent that is not used,
# and Jᵀ u by one more VJP. The graphs are made once (kept) or for every product (made), as modules do in training.

point = x.clone().requires_grad_()
value = function(point)
dummy = torch.zeros_like(value, requires_grad=True)
(transposed,) = torch.autograd.grad(value, point, dummy, create_graph=True)


def double_backward_kept():
    (along,) = torch.autograd.grad(transposed, dummy, v, retain_graph=True)
    (back,) = torch.autograd.grad(value, point, u, retain_graph=True)
    return along, back


def double_backward_made():
    inner = x.clone().requires_grad_()
    outer = function(inner)
    other = torch.zeros_like(outer, requires_grad=True)
    (linear,) = torch.autograd.grad(outer, inner, other, create_graph=True)
    (along,) = torch.autograd.grad(linear, other, v)
    (back,) = torch.autograd.grad(outer, inner, u)
    return along, back


def func_jvp_vjp():
    _, along = torch.func.jvp(function, (x,), (v,))
    (back,) = torch.func.vjp(function, x)[1](u)
    return along, back


ways = [forward, double_backward_kept, double_backward_made, func_jvp_vjp]
for other in ways[2:]:
    for left, right in zip(double_backward_kept(), other()):
        torch.testing.assert_close(left, right)
times = {way: [] for way in ways}
for round in range(ROUNDS + 1):
    for way in ways:
        start = time.perf_counter()
        way()
        took = time.perf_counter() - start
        if round > 0:
            times[way].append(took)
medians = {way: sorted(took)[ROUNDS // 2] for way, took in times.items()}
print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, Python {sys.version.split()[0]}")
for way, took in medians.items():
    print(f"{way.__name__}: {took:.4f} s, {took / medians[forward]:.2f} of forward")
