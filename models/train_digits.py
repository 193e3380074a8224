#!/usr/bin/env python3
"""Train the small convolutional network in digits.safetensors and write its exact norms.

    python3 -m venv venv && venv/bin/pip install numpy scikit-learn safetensors
    venv/bin/python models/train_digits.py            # trains: digits.safetensors and digits.norms.json
    venv/bin/python models/train_digits.py --norms    # only the norms, of the file that is there

The network, in PyTorch's layout and names (weights are out x in x height x width, or out x in):

    conv1  3x3, 1 -> 16, padding 1, ReLU              8x8 -> 8x8
    conv2  3x3, 16 -> 32, padding 1, stride 2, ReLU   8x8 -> 4x4
    fc1    512 -> 64, ReLU
    fc2    64 -> 10, softmax

Everything is numpy in f32; the seed is fixed. Another BLAS may round differently and so give another, equally good
network: digits.safetensors in the repository is the one that the tests and the tables speak of.
"""

import argparse
import json
import pathlib

import numpy as np
from safetensors import safe_open

SEED = 20240607
EPOCHS = 60
BATCH = 32
STEP = 2e-3
WEIGHT_DECAY = 1e-4
HERE = pathlib.Path(__file__).resolve().parent
MODEL = HERE / "digits.safetensors"
NORMS = HERE / "digits.norms.json"


def patches(images, stride):
    """(batch, channels, h, w) -> (batch, out_h, out_w, channels * 9): the 3x3 windows, padding 1."""
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))[:, :, ::stride, ::stride]
    batch, channels, out_h, out_w = windows.shape[:4]
    return windows.transpose(0, 2, 3, 1, 4, 5).reshape(batch, out_h, out_w, channels * 9)


def scatter(cotangent, channels, height, width, stride):
    """The transpose of `patches`."""
    batch, out_h, out_w, _ = cotangent.shape
    windows = cotangent.reshape(batch, out_h, out_w, channels, 3, 3).transpose(0, 3, 1, 2, 4, 5)
    padded = np.zeros((batch, channels, height + 2, width + 2), np.float32)
    for row in range(3):
        for column in range(3):
            rows = slice(row, row + stride * out_h, stride)
            columns = slice(column, column + stride * out_w, stride)
            padded[:, :, rows, columns] += windows[..., row, column]
    return padded[:, :, 1:-1, 1:-1]


def forward(p, images):
    """The logits, and what the backward pass needs."""
    batch = len(images)
    in1 = patches(images, 1)
    out1 = np.maximum(in1 @ p["conv1.weight"].reshape(16, 9).T + p["conv1.bias"], 0)
    in2 = patches(out1.transpose(0, 3, 1, 2), 2)
    out2 = np.maximum(in2 @ p["conv2.weight"].reshape(32, 144).T + p["conv2.bias"], 0)
    in3 = out2.transpose(0, 3, 1, 2).reshape(batch, 512)
    out3 = np.maximum(in3 @ p["fc1.weight"].T + p["fc1.bias"], 0)
    return out3 @ p["fc2.weight"].T + p["fc2.bias"], (in1, out1, in2, out2, in3, out3)


def gradient(p, images, labels):
    """The gradient of the mean cross-entropy."""
    logits, (in1, out1, in2, out2, in3, out3) = forward(p, images)
    batch = len(images)
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    d_logits = shifted / shifted.sum(axis=1, keepdims=True)
    d_logits[np.arange(batch), labels] -= 1
    d_logits /= batch

    g = {"fc2.weight": d_logits.T @ out3, "fc2.bias": d_logits.sum(axis=0)}
    d3 = (d_logits @ p["fc2.weight"]) * (out3 > 0)
    g |= {"fc1.weight": d3.T @ in3, "fc1.bias": d3.sum(axis=0)}
    d2 = (d3 @ p["fc1.weight"]).reshape(batch, 32, 4, 4).transpose(0, 2, 3, 1) * (out2 > 0)
    flat2 = d2.reshape(-1, 32)
    g |= {"conv2.weight": (flat2.T @ in2.reshape(-1, 144)).reshape(32, 16, 3, 3), "conv2.bias": flat2.sum(axis=0)}
    d_in2 = d2 @ p["conv2.weight"].reshape(32, 144)
    d1 = scatter(d_in2, 16, 8, 8, 2).transpose(0, 2, 3, 1) * (out1 > 0)
    flat1 = d1.reshape(-1, 16)
    g |= {"conv1.weight": (flat1.T @ in1.reshape(-1, 9)).reshape(16, 1, 3, 3), "conv1.bias": flat1.sum(axis=0)}
    return g


def accuracy(p, images, labels):
    return float((forward(p, images)[0].argmax(axis=1) == labels).mean())


def save(tensors, metadata, path):
    """A safetensors file whose bytes depend on the content alone (the library's own order of metadata varies)."""
    header, data = {"__metadata__": metadata}, b""
    for name, tensor in tensors.items():
        content = np.ascontiguousarray(tensor, "<f4").tobytes()
        offsets = [len(data), len(data) + len(content)]
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": offsets}
        data += content
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def train():
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    images = (digits.images / 16.0).astype(np.float32)[:, None]
    train_images, test_images, train_labels, test_labels = train_test_split(
        images, digits.target, test_size=0.2, random_state=SEED, stratify=digits.target
    )

    random = np.random.default_rng(SEED)
    shapes = {"conv1": (16, 1, 3, 3), "conv2": (32, 16, 3, 3), "fc1": (64, 512), "fc2": (10, 64)}
    p = {}
    for name, shape in shapes.items():
        fan_in = int(np.prod(shape[1:]))
        p[f"{name}.weight"] = (random.standard_normal(shape) * np.sqrt(2 / fan_in)).astype(np.float32)
        p[f"{name}.bias"] = np.zeros(shape[0], np.float32)

    # AdamW, with the step falling to zero along half a cosine.
    first = {name: np.zeros_like(value) for name, value in p.items()}
    second = {name: np.zeros_like(value) for name, value in p.items()}
    batches = len(train_images) // BATCH
    count = 0
    for epoch in range(EPOCHS):
        order = random.permutation(len(train_images))
        for chosen in np.split(order[: batches * BATCH], batches):
            g = gradient(p, train_images[chosen], train_labels[chosen])
            step = STEP * 0.5 * (1 + np.cos(np.pi * count / (EPOCHS * batches)))
            count += 1
            for name in p:
                first[name] = 0.9 * first[name] + 0.1 * g[name]
                second[name] = 0.999 * second[name] + 0.001 * g[name] ** 2
                direction = first[name] / (1 - 0.9**count) / (np.sqrt(second[name] / (1 - 0.999**count)) + 1e-8)
                decay = WEIGHT_DECAY * p[name] if name.endswith("weight") else 0
                p[name] = (p[name] - step * (direction + decay)).astype(np.float32)
        if (epoch + 1) % 10 == 0:
            print(f"epoch {epoch + 1:3}: training accuracy {accuracy(p, train_images, train_labels):.4f}")

    held_out = accuracy(p, test_images, test_labels)
    print(f"held-out test accuracy: {held_out:.4f} ({len(test_labels)} images)")
    assert held_out >= 0.96, "the network should reach 96 %"
    metadata = {
        "format": "pt",
        "title": "opnorm digits: a small convolutional network for 8x8 handwritten digits",
        "architecture": "conv1 3x3 1->16 pad 1, ReLU; conv2 3x3 16->32 pad 1 stride 2, ReLU; "
        "fc1 512->64, ReLU; fc2 64->10",
        "input": "1x8x8, pixel values divided by 16",
        "data": "scikit-learn digits (1797 images); 1437 for training, 360 held out, stratified",
        "test_accuracy": f"{held_out:.4f}",
        "train_accuracy": f"{accuracy(p, train_images, train_labels):.4f}",
        "seed": str(SEED),
        "made_by": "models/train_digits.py",
        "license": "CC0-1.0 OR MIT OR Apache-2.0",
    }
    save(p, metadata, MODEL)
    print(f"wrote {MODEL.name}: {MODEL.stat().st_size} bytes")


def write_norms():
    """The norms of each weight as a matrix, out x rest: f64 arithmetic on the f32 values."""
    figures = {}
    print("\n| tensor | shape | as a matrix | spectral norm | second singular value |\n|---|---|---|---:|---:|")
    with safe_open(MODEL, framework="numpy") as file:
        for name in ("conv1.weight", "conv2.weight", "fc1.weight", "fc2.weight"):
            tensor = file.get_tensor(name)
            assert tensor.dtype == np.float32
            matrix = tensor.astype(np.float64).reshape(tensor.shape[0], -1)
            singular = np.linalg.svd(matrix, compute_uv=False)
            figures[name] = {
                "sigma": float(singular[0]),
                "second": float(singular[1]),
                "frobenius": float(np.sqrt((matrix**2).sum())),
                "norm1": float(np.abs(matrix).sum(axis=0).max()),
                "norm_inf": float(np.abs(matrix).sum(axis=1).max()),
            }
            shape = " x ".join(str(n) for n in tensor.shape)
            rows, columns = matrix.shape
            print(f"| `{name}` | {shape} | {rows} x {columns} | {singular[0]:#.12g} | {singular[1]:#.12g} |")
    NORMS.write_text(json.dumps(figures, indent=2) + "\n")
    print(f"\nwrote {NORMS.name}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Train the digits network; write its exact norms.")
    parser.add_argument("--norms", action="store_true", help="only the norms, of the file that is there")
    if not parser.parse_args().norms:
        train()
    write_norms()
