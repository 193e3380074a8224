"""Writes solvers.json, the steps and products of SciPy's solvers: `python3 make_solver_fixtures.py`.

The stored file was made by scipy 1.17.1 and numpy 2.4.6; tests/device/solve/counts.rs makes the same systems from the
same numbers, and holds the library's counts against these. Matrices are rounded to f32, SciPy computes in f64.
"""

import json
import pathlib

import numpy as np
import scipy
from scipy.sparse.linalg import LinearOperator, bicgstab, cg, gmres, lsmr, minres

TOLERANCE = 1e-5


def congruential(rows, cols):
    """The linear congruential generator of tests/device/matrices.rs."""
    state, numbers = 12345, []
    for _ in range(rows * cols):
        state = (state * 1664525 + 1013904223) % 2**32
        numbers.append(np.float32((state >> 8) / 16777216.0 * 2.0 - 1.0))
    return np.array(numbers, dtype=np.float64).reshape(rows, cols)


def tridiagonal(side, diagonal, beside):
    matrix = np.diag([diagonal(index) for index in range(side)])
    return matrix + beside * (np.eye(side, k=1) + np.eye(side, k=-1))


def advection(side):
    return 2.5 * np.eye(side) - 1.5 * np.eye(side, k=-1) - 0.5 * np.eye(side, k=1)


def systems():
    """Names, matrices and methods, in the order of the test."""
    random = congruential(100, 100)
    yield "laplace", tridiagonal(200, lambda index: 2.05, -1.0), "cg"
    yield "laplace", tridiagonal(200, lambda index: 2.05, -1.0), "minres"
    yield "signs", tridiagonal(150, lambda index: 3.0 if index % 2 == 0 else -2.5, 1.0), "minres"
    yield "shifted", 2.0 * np.eye(100) + 0.2 * random, "gmres"
    yield "shifted", 2.0 * np.eye(100) + 0.2 * random, "gmres(10)"
    yield "shifted", 2.0 * np.eye(100) + 0.2 * random, "bicgstab"
    yield "advection", advection(150), "bicgstab"
    yield "tall", congruential(120, 60), "lsmr"
    yield "wide", congruential(40, 90), "lsmr"
    yield "tall", congruential(120, 60), "cgnr"
    yield "wide", congruential(40, 90), "cgnr"


def count(matrix, right, method):
    """The steps and the products of a method."""
    products, steps = [0], [0]

    def product(times):
        def of(vector):
            products[0] += 1
            return times @ vector.ravel()

        return of

    def step(_):
        steps[0] += 1

    operator = LinearOperator(matrix.shape, matvec=product(matrix), rmatvec=product(matrix.T), dtype=np.float64)
    if method == "cg":
        x, info = cg(operator, right, rtol=TOLERANCE, callback=step)
    elif method == "minres":
        # SciPy's own test is relative to |A| |x|: the first step with |b - A x| <= tolerance |b| counts.
        first = []

        def judge(x):
            step(x)
            if np.linalg.norm(right - matrix @ x) <= TOLERANCE * np.linalg.norm(right) and not first:
                first.append((steps[0], products[0]))

        minres(operator, right, rtol=1e-14, callback=judge)
        return first[0]
    elif method == "bicgstab":
        x, info = bicgstab(operator, right, rtol=TOLERANCE, callback=step)
        # The callback misses a step that ends after its first product.
        steps[0] = (products[0] + 1) // 2
    elif method == "cgnr":
        return normal_steps(matrix, right)
    elif method.startswith("gmres"):
        restart = 10 if "(" in method else 200
        x, info = gmres(operator, right, rtol=TOLERANCE, restart=restart, callback=step, callback_type="pr_norm")
    else:
        tall = matrix.shape[0] > matrix.shape[1]
        atol, btol = (TOLERANCE, 0) if tall else (0, TOLERANCE)
        x, info, steps[0] = lsmr(operator, right, atol=atol, btol=btol, maxiter=1000)[:3]
        info = 0 if info in (1, 2) else info
    assert info == 0, (method, info)
    return steps[0], products[0]


def normal_steps(matrix, right):
    """SciPy has no CGNR: these are the steps of its cg on the normal equations, with two products each.

    The step that counts is the first with |b - A x| <= tolerance |b|, or |A^T r| <= tolerance |A| |r|, where |A| is the
    largest |A p| / |p| so far: the test of the library.
    """
    steps, first, before, norm = [0], [], [np.zeros(matrix.shape[1])], [0.0]

    def judge(x):
        steps[0] += 1
        step, before[0] = x - before[0], x.copy()
        norm[0] = max(norm[0], np.linalg.norm(matrix @ step) / np.linalg.norm(step))
        residual = right - matrix @ x
        size = np.linalg.norm(residual)
        is_small = size <= TOLERANCE * np.linalg.norm(right)
        if (is_small or np.linalg.norm(matrix.T @ residual) <= TOLERANCE * norm[0] * size) and not first:
            first.append(steps[0])

    cg(matrix.T @ matrix, matrix.T @ right, rtol=1e-14, callback=judge, maxiter=200)
    return first[0], 2 * first[0] + 1


entries = []
for name, matrix, method in systems():
    matrix = matrix.astype(np.float32).astype(np.float64)
    right = congruential(1, matrix.shape[0])[0]
    steps, products = count(matrix, right, method)
    entries.append(f'  {{"system": "{name}", "method": "{method}", "steps": {steps}, "products": {products}}}')

path = pathlib.Path(__file__).parent / "solvers.json"
path.write_text(
    "{\n"
    f' "scipy": "{scipy.__version__}",\n'
    f' "numpy": "{np.__version__}",\n'
    ' "counts": [\n' + ",\n".join(entries) + "\n ]\n}\n"
)
json.loads(path.read_text())
