"""Writes the small .npy and .npz files that tests/files.rs reads, by numpy itself: `python3 make_npy_fixtures.py`.

Each array counts: element i in row-major order is (i - 5) / 4, which every float type holds exactly.
"""

import io
import pathlib
import zipfile

import numpy as np

here = pathlib.Path(__file__).parent


def counting(shape, dtype):
    return ((np.arange(np.prod(shape, dtype=int)) - 5) / 4).reshape(shape).astype(dtype)


for dtype in ["<f8", ">f8", "<f4", ">f4", "<f2", ">f2"]:
    name = {"<": "little", ">": "big"}[dtype[0]] + "_" + dtype[1:]
    np.save(here / f"{name}.npy", counting((3, 4), dtype))
    np.save(here / f"{name}_fortran.npy", np.asfortranarray(counting((2, 3, 4), dtype)))

np.save(here / "scalar.npy", counting((), "<f4"))
np.save(here / "empty.npy", counting((3, 0, 2), "<f4"))
np.save(here / "integers.npy", np.arange(6, dtype="<i8"))
np.save(here / "fields.npy", np.zeros(2, dtype=[("weight", "<f4", (2,)), ("count", "<i4")]))
for version in [(2, 0), (3, 0)]:
    with open(here / f"version_{version[0]}.npy", "wb") as file:
        np.lib.format.write_array(file, counting((3, 4), "<f4"), version=version)

arrays = {
    "layer.weight": counting((3, 4), "<f4"),
    "layer.bias": counting((4,), "<f8"),
    "fortran": np.asfortranarray(counting((2, 3, 4), ">f2")),
    "größe": counting((), "<f4"),
    "steps": np.arange(3, dtype="<i4"),
}


def put(name, save):
    # numpy stamps the members with the time of day; a fixed one keeps the files the same from run to run
    buffer = io.BytesIO()
    save(buffer, **arrays)
    with zipfile.ZipFile(buffer) as made, zipfile.ZipFile(here / name, "w") as kept:
        for member in made.infolist():
            information = zipfile.ZipInfo(member.filename, (1980, 1, 1, 0, 0, 0))
            information.compress_type = member.compress_type
            kept.writestr(information, made.read(member))


put("stored.npz", np.savez)
put("deflated.npz", np.savez_compressed)
# as numpy writes them, wide size fields included
np.savez(here / "wide.npz", weight=counting((3, 4), "<f4"))
