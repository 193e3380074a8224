"""A training step of 784-512-512-10 in PyTorch, plain and with spectral normalisation: beside training.rs.

`python3 benches/training_torch.py` prints medians of rounds that alternate, in single precision on 2 threads.
"""

import time

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

SIZES = [784, 512, 512, 10]
BATCH, ROUNDS, STEPS = 128, 9, 20
torch.set_num_threads(2)
torch.manual_seed(1)


def network(normalised):
    layers = []
    for index, (inputs, outputs) in enumerate(zip(SIZES, SIZES[1:])):
        linear = nn.Linear(inputs, outputs)
        layers.append(spectral_norm(linear) if normalised else linear)
        if index + 2 < len(SIZES):
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


x, labels = torch.rand(BATCH, SIZES[0]), torch.randint(SIZES[-1], (BATCH,))
runs = []
for normalised in [False, True]:
    model = network(normalised)
    runs.append((model, torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9), []))
for round_ in range(ROUNDS + 1):
    for model, optimiser, times in runs:
        start = time.perf_counter()
        for _ in range(STEPS):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(x), labels).backward()
            optimiser.step()
        if round_:
            times.append((time.perf_counter() - start) / STEPS)
plain, normalised = (sorted(times)[ROUNDS // 2] for _, _, times in runs)
print(f"a step: plain {plain * 1e3:.3f} ms, normalised {normalised * 1e3:.3f} ms, {normalised / plain:.2f}")
