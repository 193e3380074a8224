"""Writes `elements.npz`, `elements.json`, `quantised.safetensors` and `quantised.json`: `python3 make_element_fixtures.py`.

Made with numpy 2.4.6 and ml_dtypes 0.6.0. Values are of f64: each element by ml_dtypes or numpy, each singular value by
`numpy.linalg.svd` of the matrix in f64. NaN is "nan", infinity "inf".
"""

import io
import json
import pathlib
import struct
import zipfile

import ml_dtypes
import numpy as np

here = pathlib.Path(__file__).parent
random = np.random.default_rng(7)

TINY = {
    "F8_E4M3": ml_dtypes.float8_e4m3fn,
    "F8_E5M2": ml_dtypes.float8_e5m2,
    "F8_E4M3FNUZ": ml_dtypes.float8_e4m3fnuz,
    "F8_E5M2FNUZ": ml_dtypes.float8_e5m2fnuz,
    "F8_E8M0": ml_dtypes.float8_e8m0fnu,
    "F6_E2M3": ml_dtypes.float6_e2m3fn,
    "F6_E3M2": ml_dtypes.float6_e3m2fn,
    "F4": ml_dtypes.float4_e2m1fn,
}

# Texts that numpy.dtype takes, and some that it does not.
DESCRS = """
<f8|float64|=f8||f8|>f4|f|d|e|g|>g|?|b|B|h|H|i|I|l|L|q|Q|p|P|F|D|>d|>l|<b1|i1|u1|i2|u2|i4|u4|i8|u8|f2|f4|f16
float|double|single|half|float16|float32|longdouble|float128|int|uint|int8|int16|int32|int64|uint8|uint16|uint32|uint64
byte|ubyte|short|ushort|intc|uintc|long|ulong|longlong|ulonglong|intp|uintp|bool|bool_|complex|complex64|complex128
csingle|cdouble|c8|c16|>c8|bfloat16|float8_e4m3fn|float8_e5m2|float8_e4m3fnuz|float8_e5m2fnuz|float8_e8m0fnu
float4_e2m1fn|float6_e2m3fn|float6_e3m2fn
"""


def number(value):
    value = float(value)
    return "nan" if np.isnan(value) else ("-inf" if value < 0 else "inf") if np.isinf(value) else value


def singular(matrix):
    return [float(value) for value in np.linalg.svd(np.asarray(matrix), compute_uv=False)]


def descrs():
    texts = [text for line in DESCRS.split("\n") for text in line.split("|") if text] + ["|f8", "|i1"]
    return {text: np.dtype(text).str for text in texts}


def unitary(side):
    return np.linalg.qr(random.standard_normal((side, side)) + 1j * random.standard_normal((side, side)))[0]


def arrays():
    real = random.standard_normal((6, 4))
    pair = real + 1j * random.standard_normal((6, 4))
    small = random.integers(-100, 100, (5, 7))
    large = random.integers(-(2**63), 2**63 - 1, (5, 7))
    found = {
        "real.f80": real.astype(np.longdouble) / 3,
        "real.f80.big": (real.astype(np.longdouble) / 3).astype(">f16"),
        "real.bf16": real.astype(ml_dtypes.bfloat16),
        "real.e5m2": real.astype(ml_dtypes.float8_e5m2),
        "bool": random.integers(0, 2, (5, 7)).astype(bool),
        "complex.c8": pair.astype("<c8"),
        "complex.c8.big": pair.astype(">c8"),
        "complex.c16": pair,
        "complex.c16.big": np.asfortranarray(pair.astype(">c16")),
        "complex.twice": unitary(5) @ np.diag([3, 3, 2, 1, 0.5]) @ unitary(5),
        "complex.line": np.outer([1 + 2j, 3j, -1], [2, 1j, 1 - 1j, 4]),
        "complex.wide": random.standard_normal((3, 40)) + 1j * random.standard_normal((3, 40)),
        "complex.vector": pair[:, 0],
        "complex.row": pair[:1],
    }
    for size in [1, 2, 4, 8]:
        for order in "<>":
            for kind in "iu":
                name = f"{order}{kind}{size}"
                whole = large if size == 8 else small
                whole = np.abs(whole) if kind == "u" else whole
                found[f"int.{name}"] = whole.astype(name)
    return found


def save_arrays(found):
    # numpy stamps the members with the time of day; a fixed one keeps the file the same from run to run
    with zipfile.ZipFile(here / "elements.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in found.items():
            buffer = io.BytesIO()
            np.save(buffer, array)
            archive.writestr(zipfile.ZipInfo(name + ".npy", (1980, 1, 1, 0, 0, 0)), buffer.getvalue())


def about(array):
    exact = array.astype(complex if array.dtype.kind == "c" else float)
    matrix = exact if exact.ndim > 1 else exact[:, None]
    parts = exact.ravel().view(float) if exact.dtype.kind == "c" else exact.ravel()
    sizes = np.abs(matrix)
    return {
        "values": [number(value) for value in parts],
        "singular": singular(matrix),
        "frobenius": float(np.linalg.norm(matrix)),
        "norm1": float(sizes.sum(0).max()),
        "norm_inf": float(sizes.sum(1).max()),
    }


def codes(kind):
    return [number(value) for value in np.arange(256, dtype="u1").view(kind).astype(float)]


def raised(scales, blocks, shape):
    """A scale for each element, from a grid of scales."""
    for axis, block in enumerate(blocks):
        scales = np.repeat(scales, block, axis)
    return scales[tuple(slice(length) for length in shape)]


def f32(scales):
    return "F32", scales.astype("f4")


def quantised():
    """(tensors, weights): name -> (type, shape, bytes), and name -> dequantised matrix in f64."""
    tensors, weights = {}, {}

    def put(name, kind, array, shape=None):
        tensors[name] = (kind, list(array.shape) if shape is None else shape, np.ascontiguousarray(array).tobytes())

    def fp8(name, shape, kind="F8_E4M3"):
        array = random.standard_normal(shape).astype("f4") * 8
        array = array.astype(TINY[kind])
        put(name, kind, array)
        return array.astype(float)

    def scales(shape):
        return (random.random(shape) + 0.5).astype("f4")

    grid = scales((2, 2))
    q = fp8("deepseek.weight", (140, 150))
    put("deepseek.weight_scale_inv", "F32", grid)
    weights["deepseek.weight"] = q * raised(grid.astype(float), (128, 128), q.shape)
    for kind in ["F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ"]:
        q, one = fp8(f"tensor.{kind}.weight", (12, 9), kind), scales(())
        put(f"tensor.{kind}.weight_scale", "F32", one)
        weights[f"tensor.{kind}.weight"] = q * float(one)
    for name, shape in [("list", (12,)), ("column", (12, 1))]:
        q, rows = fp8(f"rows.{name}.weight", (12, 9)), scales(shape).astype(ml_dtypes.bfloat16)
        put(f"rows.{name}.weight_scale", "BF16", rows)
        weights[f"rows.{name}.weight"] = q * rows.astype(float).reshape(12, 1)
    q, one = fp8("comfy.weight", (12, 9)), scales((1,))
    put("comfy.scale_weight", "F32", one)
    weights["comfy.weight"] = q * float(one[0])
    q, grid = fp8("experts.weight", (2, 20, 12)), scales((2, 5, 3))
    put("experts.weight_scale", "F32", grid)
    weights["experts.weight"] = (q * raised(grid.astype(float), (1, 4, 4), q.shape)).reshape(2, -1)
    q = random.integers(-127, 128, (12, 9)).astype("i1")
    put("int8.weight", "I8", q)
    rows = scales((12, 1)).astype("f2")
    put("int8.weight_scale", "F16", rows)
    weights["int8.weight"] = q * rows.astype(float)

    powers = random.integers(120, 134, (6, 4)).astype("u1")
    q = fp8("mx8.weight", (6, 128))
    put("mx8.weight_scale", "F8_E8M0", powers)
    weights["mx8.weight"] = q * raised(2.0 ** (powers - 127.0), (1, 32), q.shape)
    fours = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6])

    def fp4(name, kind, cols, shape=None):
        packed = random.integers(0, 256, (6, cols // 2)).astype("u1")
        put(name, kind, packed, shape)
        return np.stack([fours[packed & 15], fours[packed >> 4]], -1).reshape(6, cols)

    q = fp4("mx4.weight", "F4", 128, [6, 128])
    put("mx4.weight_scale", "F8_E8M0", powers)
    weights["mx4.weight"] = q * raised(2.0 ** (powers - 127.0), (1, 32), q.shape)
    q = fp4("packed.weight", "U8", 128)
    put("packed.weight_scale", "U8", powers)
    weights["packed.weight"] = q * raised(2.0 ** (powers - 127.0), (1, 32), q.shape)
    q = fp4("gpt_blocks", "U8", 128, [6, 4, 16])
    put("gpt_scales", "U8", powers)
    weights["gpt_blocks"] = q * raised(2.0 ** (powers - 127.0), (1, 32), q.shape)
    q = fp4("nv.weight", "U8", 64)
    local = (random.random((6, 4)) * 8 + 1).astype(ml_dtypes.float8_e4m3fn)
    put("nv.weight_scale", "F8_E4M3", local)
    put("nv.weight_scale_2", "F32", np.float32(0.375))
    weights["nv.weight"] = q * raised(local.astype(float), (1, 16), q.shape) * 0.375
    # What fits nothing, and what has no scale.
    weights["misfit.weight"] = fp8("misfit.weight", (12, 9))
    put("misfit.weight_scale", "F32", scales((5, 7)))
    weights["alone.weight"] = fp8("alone.weight", (12, 9))
    return tensors, weights


def save(tensors):
    header, data = {}, b""
    for name, (kind, shape, values) in tensors.items():
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header).encode()
    (here / "quantised.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


def write(name, value):
    # A line for each entry of the outer objects.
    text = json.dumps(value, allow_nan=False).replace("}, ", "},\n")
    (here / name).write_text(text + "\n")


found = arrays()
save_arrays(found)
write(
    "elements.json",
    {
        "descrs": descrs(),
        "codes": {name: codes(kind) for name, kind in TINY.items()},
        "arrays": {name: about(array) for name, array in found.items()},
    },
)
tensors, weights = quantised()
save(tensors)
write("quantised.json", {name: singular(weight) for name, weight in weights.items()})
