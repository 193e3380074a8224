"""Writes training.json, PyTorch's losses, optimisers and schedules: `python3 make_training_fixtures.py`.

The stored file was made by torch 2.15.0 on a CPU, in double precision; tests/device/train/ reads it. It holds

* `losses`: each loss that PyTorch has, or that a formula gives, with its gradient by the scores;
* `network`, `optimisers`: ten steps of each optimiser on a network of two layers, with the losses before each step;
* `schedules`: the learning rates of the first twelve steps.
"""

import json
import math
import pathlib

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.manual_seed(7)


def draw(*shape):
    """Multiples of 1/128, which `f32` holds."""
    return (torch.randn(*shape) * 128).round() / 128


def flat(tensor):
    return tensor.detach().reshape(-1).tolist()


SCORES, CRITIC = 2 * draw(6, 4), draw(6)
LABELS = torch.tensor([0, 3, 1, 1, 2, 0])
SIGNS = torch.tensor([1.0, -1.0, -1.0, 1.0, 1.0, -1.0])
SHARES = torch.tensor([[0.5, 0.25, 0.125, 0.125], [0.0, 1.0, 0.0, 0.0], [0.25] * 4] * 2)
TARGET = draw(6, 4)


def wasserstein(critic):
    return critic[SIGNS < 0].mean() - critic[SIGNS > 0].mean()


def losses():
    rows = [
        ("cross_entropy", SCORES, LABELS, lambda x: F.cross_entropy(x, LABELS)),
        ("cross_entropy_smoothed", SCORES, LABELS, lambda x: F.cross_entropy(x, LABELS, label_smoothing=0.125)),
        ("cross_entropy_of_shares", SCORES, SHARES, lambda x: F.cross_entropy(x, SHARES)),
        ("cross_entropy_of_shares_smoothed", SCORES, SHARES,
         lambda x: F.cross_entropy(x, SHARES, label_smoothing=0.25)),
        ("mean_squared_error", SCORES, TARGET, lambda x: F.mse_loss(x, TARGET)),
        ("hinge", CRITIC, SIGNS, lambda x: F.relu(1 - SIGNS * x).mean()),
        ("multi_class_hinge", SCORES, LABELS, lambda x: F.multi_margin_loss(x, LABELS)),
        ("kantorovich_rubinstein", CRITIC, SIGNS, wasserstein),
        ("hinge_kantorovich_rubinstein", CRITIC, SIGNS,
         lambda x: wasserstein(x) + 10 * F.relu(0.5 - SIGNS * x).mean()),
    ]
    for name, scores, target, loss in rows:
        scores = scores.clone().requires_grad_()
        value = loss(scores)
        (gradient,) = torch.autograd.grad(value, scores)
        yield {
            "name": name,
            "shape": list(scores.shape),
            "scores": flat(scores),
            "target_shape": list(target.shape),
            "target": flat(target),
            "loss": value.item(),
            "gradient": flat(gradient),
        }


START = [draw(5, 3), draw(5), draw(2, 5), draw(2)]
X, Y = draw(8, 3), draw(8, 2)


def network():
    layers = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2))
    with torch.no_grad():
        for parameter, start in zip(layers.parameters(), START):
            parameter.copy_(start)
    return layers


def optimisers():
    optim = torch.optim
    rows = [
        ("sgd", lambda p: optim.SGD(p, lr=0.1), None),
        ("sgd_decay", lambda p: optim.SGD(p, lr=0.1, weight_decay=0.01), None),
        ("sgd_momentum", lambda p: optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01), None),
        ("sgd_nesterov", lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True), None),
        ("sgd_clipped", lambda p: optim.SGD(p, lr=0.1, momentum=0.9), 0.25),
        ("adam", lambda p: optim.Adam(p, lr=0.01), None),
        ("adam_decay", lambda p: optim.Adam(p, lr=0.01, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.01), None),
        ("adamw", lambda p: optim.AdamW(p, lr=0.01, weight_decay=0.1), None),
    ]
    for name, make, most in rows:
        layers = network()
        optimiser, seen = make(layers.parameters()), []
        for _ in range(10):
            optimiser.zero_grad()
            loss = F.mse_loss(layers(X), Y)
            loss.backward()
            if most is not None:
                torch.nn.utils.clip_grad_norm_(layers.parameters(), most)
            optimiser.step()
            seen.append(loss.item())
        yield {"name": name, "losses": seen, "parameters": [flat(p) for p in layers.parameters()]}


def schedules():
    lr = torch.optim.lr_scheduler
    rows = [
        ("staircase", lambda o: lr.StepLR(o, step_size=4, gamma=0.5)),
        ("cosine", lambda o: lr.CosineAnnealingLR(o, T_max=20, eta_min=0.01)),
        ("warm_up", lambda o: lr.LinearLR(o, start_factor=1 / 5, total_iters=4)),
    ]
    for name, make in rows:
        optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
        schedule, rates = make(optimiser), []
        for _ in range(12):
            rates.append(optimiser.param_groups[0]["lr"])
            optimiser.step()
            schedule.step()
        yield {"name": name, "rates": rates}


def main():
    content = {
        "losses": list(losses()),
        "network": {"start": [flat(p) for p in START], "x": flat(X), "y": flat(Y)},
        "optimisers": list(optimisers()),
        "schedules": list(schedules()),
    }
    assert all(math.isfinite(row["loss"]) for row in content["losses"])
    path = pathlib.Path(__file__).with_name("training.json")
    path.write_text(json.dumps(content, indent=None, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
