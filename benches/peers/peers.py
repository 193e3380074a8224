"""The peers of `benches/peers.rs` in numpy, scipy and torch: the same matrices, from the same files. Torch takes part
where it can be imported: it is not in requirements.txt, because it is large.

    python3 benches/peers/peers.py make DIR     writes the matrices, and their norms in double precision
    python3 benches/peers/peers.py run DIR      one round: a line for each case and peer
    python3 benches/peers/peers.py cuda DIR     one round of torch on its GPU, with the matrices there beforehand
    python3 benches/peers/peers.py table DIR    reads lines of all rounds from standard input, and prints the table

A line is `case peer seconds value`. `benches/peers/run.sh` does all of it, in rounds that alternate.
"""

import json
import pathlib
import statistics
import sys
import time

import numpy as np
import scipy.sparse.linalg

try:
    import torch
except ImportError:
    torch = None

# MiniLM's tensors with two axes: sizes of a checkpoint that people have.
MINILM = [(30522, 384), (512, 384), (2, 384)] + [(384, 384)] * 25 + [(1536, 384), (384, 1536)] * 6
CASES = ["gaussian2048", "gaussian4096", "decay2048", "single", "batch", "minilm", "mat3", "gradient"]


def make(folder):
    random = np.random.default_rng(0)
    left, _ = np.linalg.qr(random.standard_normal((2048, 2048)))
    right, _ = np.linalg.qr(random.standard_normal((2048, 2048)))
    cases = {
        "gaussian2048": random.standard_normal((2048, 2048)),
        "gaussian4096": random.standard_normal((4096, 4096)),
        "decay2048": (left * np.arange(1, 2049) ** -0.5) @ right.T,
        "single": random.standard_normal((64, 128)),
        "batch": random.standard_normal((1024, 64, 64)),
    }
    exact = {}
    for name, entries in cases.items():
        entries = entries.astype(np.float32)
        np.save(folder / f"{name}.npy", entries)
        exact[name] = float(np.linalg.norm(entries.astype(np.float64), 2, axis=(-2, -1)).max())
    tensors = {f"t{index}": 0.05 * random.standard_normal(shape) for index, shape in enumerate(MINILM)}
    tensors = {name: tensor.astype(np.float32) for name, tensor in tensors.items()}
    np.savez(folder / "minilm.npz", **tensors)
    exact["minilm"] = float(max(np.linalg.norm(tensor.astype(np.float64), 2) for tensor in tensors.values()))
    threes = random.standard_normal((100_000, 3, 3)).astype(np.float32)
    np.save(folder / "mat3.npy", threes)
    exact["mat3"] = float(np.linalg.norm(threes.astype(np.float64), 2, axis=(-2, -1)).max())
    exact["gradient"] = exact["single"]
    (folder / "exact.json").write_text(json.dumps(exact))


def norm2(entries):
    return np.linalg.norm(entries, 2, axis=(-2, -1)).max()


def gram(entries):
    if entries.shape[-2] > entries.shape[-1]:
        entries = np.swapaxes(entries, -1, -2)
    return np.sqrt(np.linalg.eigvalsh(entries @ np.swapaxes(entries, -1, -2))[..., -1]).max()


def svds(entries):
    if min(entries.shape) <= 2:
        return norm2(entries)
    return scipy.sparse.linalg.svds(entries, k=1, tol=1e-6, return_singular_vectors=False)[0]


def svd_gradient(entries):
    left, values, right = np.linalg.svd(entries, full_matrices=False)
    np.outer(left[:, 0], right[0])
    return values[0]


def torch_norm2(entries):
    return torch.linalg.matrix_norm(entries, 2).max()


def torch_gram(entries):
    wide = entries if entries.shape[-2] <= entries.shape[-1] else entries.mT
    return torch.linalg.eigvalsh(wide @ wide.mT)[..., -1].sqrt().max()


def torch_gradient(entries):
    leaf = entries.detach().requires_grad_()
    norm = torch.linalg.matrix_norm(leaf, 2)
    norm.backward()
    leaf.grad.cpu()
    return norm.detach()


TORCH = {"torch.matrix_norm": torch_norm2, "torch.gram+eigvalsh": torch_gram}


def load(folder, name):
    if name == "minilm":
        archive = np.load(folder / "minilm.npz")
        return [archive[key] for key in archive.files]
    return [np.load(folder / f"{'single' if name == 'gradient' else name}.npy")]


def measure(name, peer, solve, tensors):
    repeats = 50 if name in ("single", "gradient") else 1
    start = time.perf_counter()
    for _ in range(repeats):
        value = max(float(solve(tensor)) for tensor in tensors)
    print(name, peer, (time.perf_counter() - start) / repeats, value, flush=True)


def run(folder):
    for name in CASES:
        tensors = load(folder, name)
        peers = {"numpy.linalg.norm": norm2, "gram+eigvalsh": gram, "scipy.svds": svds}
        others = TORCH
        if name in ("batch", "mat3"):
            peers.pop("scipy.svds")
        if name == "gaussian4096":
            peers, others = {"scipy.svds": svds}, {}
        if name == "gradient":
            peers, others = {"numpy.linalg.svd": svd_gradient}, {"torch.backward": torch_gradient}
        for peer, solve in peers.items():
            measure(name, peer, solve, tensors)
        for peer, solve in others.items() if torch else ():
            measure(name, peer, solve, [torch.from_numpy(tensor) for tensor in tensors])


def cuda(folder):
    for name in CASES:
        tensors = [torch.from_numpy(tensor).cuda() for tensor in load(folder, name)]
        for peer, solve in ({"torch.backward": torch_gradient} if name == "gradient" else TORCH).items():
            for tensor in {tuple(tensor.shape): tensor for tensor in tensors}.values():
                float(solve(tensor))  # makes handles and memory
            measure(name, peer, solve, tensors)


def table(folder):
    exact = json.loads((folder / "exact.json").read_text())
    times, values = {}, {}
    for line in sys.stdin:
        name, peer, seconds, value = line.split()
        times.setdefault((name, peer), []).append(float(seconds))
        values[name, peer] = float(value)
    print("| case | peer | median, ms | times opnorm's | relative error |\n|---|---|---|---|---|")
    for (name, peer), seconds in sorted(times.items(), key=lambda item: (CASES.index(item[0][0]), item[0][1])):
        own = statistics.median(times[name, "opnorm"])
        median, error = statistics.median(seconds), abs(values[name, peer] / exact[name] - 1)
        print(f"| {name} | {peer} | {1e3 * median:.2f} | {median / own:.2f} | {error:.0e} |")


if __name__ == "__main__":
    {"make": make, "run": run, "cuda": cuda, "table": table}[sys.argv[1]](pathlib.Path(sys.argv[2]))
