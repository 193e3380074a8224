"""The time of torch.linalg.solve, beside solve.rs: the same systems in single precision.

`python3 benches/solve_torch.py [threads]` prints medians of rounds, as wall-clock time and as processor time. One thread
is the default, because MKL in torch 2.15 refuses parameters of its own (`SLASWP`) for batches on two; `OPNORM_THREADS=1`
is the same for solve.rs.
"""

import sys
import time

import numpy as np
import torch

CASES = [(1024, 64), (1024, 16), (16, 256), (1, 1024), (1, 2048)]
ROUNDS = 9
torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 1)


def numbers(shape):
    """Numbers in [-1, 1] of the linear congruence of solve.rs, each from 2^16 steps before."""
    count, jump = int(np.prod(shape)), 1 << 16
    states, state = np.empty(max(count, jump), np.uint32), 12_345
    for index in range(jump):
        state = (state * 1_664_525 + 1_013_904_223) & 0xFFFFFFFF
        states[index] = state
    factor, offset = 1, 0
    for _ in range(jump):
        factor, offset = factor * 1_664_525 & 0xFFFFFFFF, (offset * 1_664_525 + 1_013_904_223) & 0xFFFFFFFF
    for first in range(jump, count, jump):
        last = min(first + jump, count)
        before = states[first - jump : last - jump].astype(np.uint64)
        states[first:last] = (before * factor + offset & 0xFFFFFFFF).astype(np.uint32)
    return torch.from_numpy((states[:count] >> 8).astype(np.float32) / 8_388_608 - 1).reshape(shape)


print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
for batch, size in CASES:
    matrices, vectors = numbers((batch, size, size)), numbers((batch, size))
    walls, processor = [], []
    for round in range(ROUNDS + 1):
        start, spent = time.perf_counter(), time.process_time()
        torch.linalg.solve(matrices, vectors)
        if round > 0:
            walls.append(time.perf_counter() - start)
            processor.append(time.process_time() - spent)
    wall, processor = (1e3 * sorted(times)[ROUNDS // 2] for times in (walls, processor))
    print(f"{batch} of {size}: {wall:.2f} ms, processor {processor:.2f} ms")
