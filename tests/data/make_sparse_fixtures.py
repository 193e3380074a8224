"""Sparse matrices as scipy writes them, with their singular values: sparse_*.npz, sparse_*.mtx and sparse.json.

    python tests/data/make_sparse_fixtures.py     (numpy 2.4.6, scipy 1.17.1)
"""

import gzip
import io
import json
from pathlib import Path

import numpy as np
import scipy.io
import scipy.sparse as sp

HERE = Path(__file__).parent
norms = {}


def note(name, dense):
    dense = np.asarray(dense, dtype=np.float64)
    values = np.linalg.svd(dense, compute_uv=False)
    norms[name] = {
        "shape": list(dense.shape),
        "norm": float(values[0]) if values.size else 0.0,
        "frobenius": float(np.linalg.norm(dense)),
        "one": float(np.abs(dense).sum(axis=0).max()),
        "inf": float(np.abs(dense).sum(axis=1).max()),
    }


def npz(name, matrix, dense=None, **options):
    sp.save_npz(HERE / f"sparse_{name}.npz", matrix, **options)
    note(f"sparse_{name}.npz", matrix.toarray() if dense is None else dense)


random = np.random.default_rng(7)
dense = np.where(random.random((7, 10)) < 0.3, random.standard_normal((7, 10)), 0.0)
dense[3] = 0
dense[:, 4] = 0

case = np.diag([3.0, 4.0, 0, 5.0])
case[0, 3] = 2
npz("case_csr", sp.csr_matrix(case))
npz("case_coo", sp.coo_matrix(case))

npz("csr_f32", sp.csr_matrix(dense.astype(np.float32)), compressed=False)
npz("csc_array", sp.csc_array(dense))
npz("bsr", sp.bsr_matrix(dense[:6], blocksize=(3, 2)))
npz("dia", sp.dia_matrix(dense))
npz("dia_array_wide", sp.diags_array([np.arange(1.0, 6), np.ones(4)], offsets=[-1, 3], shape=(6, 7)))

# Unsorted columns, and some of them twice; scipy keeps both as they are.
unsorted = sp.csr_matrix(
    (np.array([1.0, 2.0, 4.0, 0.5, -3.0]), np.array([2, 0, 2, 1, 1], np.int32), np.array([0, 3, 3, 5], np.int32)),
    shape=(3, 3),
)
npz("unsorted", unsorted)
twice = sp.coo_array((np.array([1, 2, 3, -4], np.int16), (np.array([1, 0, 1, 2]), np.array([1, 2, 1, 0]))), shape=(3, 4))
npz("coo_twice_i16", twice)
wide_indices = sp.csr_matrix(dense)
wide_indices.indices, wide_indices.indptr = wide_indices.indices.astype(np.int64), wide_indices.indptr.astype(np.int64)
npz("csr_i64", wide_indices)
pattern = (np.array([True, True, True]), (np.array([0, 1, 0]), np.array([0, 1, 0])))
npz("bool", sp.coo_matrix(pattern, shape=(2, 2)), dense=np.eye(2))
npz("empty", sp.csr_matrix((4, 3)), dense=np.zeros((4, 3)))
sp.save_npz(HERE / "sparse_complex.npz", sp.csr_matrix(np.diag([1 + 2j, 3j])))


def mtx(name, matrix, dense, comment="made by scipy", **options):
    buffer = io.BytesIO()
    scipy.io.mmwrite(buffer, matrix, comment=comment, precision=17, **options)
    text = buffer.getvalue()
    path = HERE / f"sparse_{name}"
    path.write_bytes(gzip.compress(text, mtime=0) if name.endswith(".gz") else text)
    note(path.name, dense)


symmetric = dense[:, :7] + dense[:, :7].T
skew = dense[:, :7] - dense[:, :7].T
mtx("real.mtx", sp.coo_matrix(dense), dense, symmetry="general")
mtx("symmetric.mtx.gz", sp.coo_matrix(symmetric), symmetric, symmetry="symmetric")
mtx("skew.mtx", sp.coo_matrix(skew), skew, symmetry="skew-symmetric")
mtx("array.mtx", dense, dense, symmetry="general")
mtx("array_symmetric.mtx", symmetric, symmetric, symmetry="symmetric")
mtx("array_skew.mtx", skew, skew, symmetry="skew-symmetric")
integers = (dense * 10).astype(np.int64)
mtx("integer.mtx", sp.coo_matrix(integers), integers, field="integer", symmetry="general")
mtx("pattern.mtx", sp.coo_matrix(dense), dense != 0, field="pattern", symmetry="general")

(HERE / "sparse.json").write_text(json.dumps(norms, indent=1) + "\n")
