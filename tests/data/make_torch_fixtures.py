"""Writes torch.json, PyTorch's values and derivatives in double precision: `python3 make_torch_fixtures.py`.

The stored file was made by torch 2.15.0 and numpy 2.4.6 on a CPU; tests/device/tape/fixtures/ reads it. It holds

* `operations`: each operation of the tape that PyTorch has, its value, vjp and jvp;
* `compositions`: random expressions, their gradients, Hessian-vector products and third derivatives;
* `jacobian`: the spectral norms of a network's Jacobians and their gradient with respect to every weight and sample;
* `spectral`: functions of singular values, and the singular vectors' derivatives;
* `layers`: convolutions, pooling and the like, with their options.

What can be computed in several ways is, and must agree before it is written. All numbers given (not found) are
multiples of 1/128 that f32 holds, mostly drawn without repetition, so that no maximum has ties and nothing lies at 0,
where slopes jump.

Expressions are programs for a stack: `x0` pushes an input, `add` takes two values and puts one back, `sum(0,1)` has
arguments.
"""

import json
import pathlib
import random
import re

import numpy as np
import torch
import torch.nn.functional as F
from torch.autograd import grad

torch.set_default_dtype(torch.float64)
torch.use_deterministic_algorithms(True)


# --- numbers ---

# -2 to 2, without what is nearer to 0 than 1/8
GRID = np.array([step for step in range(-128, 129) if abs(step) >= 8]) / 64


def draw(source, shapes, scale=1.0):
    """Tensors of these shapes; no number occurs twice in all of them, while there are enough."""
    count = sum(int(np.prod(shape)) for shape in shapes)
    numbers = scale * source.choice(GRID, size=count, replace=count > len(GRID))
    tensors = []
    for shape in shapes:
        size = int(np.prod(shape))
        tensors.append(torch.tensor(numbers[:size].reshape(shape)))
        numbers = numbers[size:]
    return tensors


def agree(left, right, tolerance=1e-12):
    """Refuses to write what two ways do not agree on."""
    scale = 1 + max(float(right.abs().max()), float(left.abs().max()))
    error = float((left - right).abs().max()) / scale
    assert left.shape == right.shape and error <= tolerance, (error, left, right)


def vjp(function, inputs, cotangent):
    inputs = [x.clone().requires_grad_() for x in inputs]
    return list(grad(function(*inputs), inputs, cotangent, materialize_grads=True))


def total(values, others):
    return sum((value * other).sum() for value, other in zip(values, others))


# --- the stack programs ---

def whole(arguments):
    return [int(argument) for argument in arguments]


def elementwise(function):
    return 1, lambda x: function(x)


def matmul(left, right, left_transposed, right_transposed):
    return (left.mT if left_transposed else left) @ (right.mT if right_transposed else right)


def pad(x, axis, before, after):
    widths = [0, 0] * x.dim()
    at = 2 * (x.dim() - 1 - int(axis))  # F.pad counts axes from the last
    widths[at:at + 2] = [int(before), int(after)]
    return F.pad(x, widths)


def narrow(x, axis, start, end):
    return x.narrow(int(axis), int(start), int(end - start))


# name -> how many values it takes, and the function of those and of its arguments
OPERATIONS = {
    "add": (2, torch.add),
    "subtract": (2, torch.sub),
    "multiply": (2, torch.mul),
    "divide": (2, torch.div),
    "maximum": (2, torch.maximum),
    "minimum": (2, torch.minimum),
    "negate": elementwise(torch.neg),
    "square": elementwise(torch.square),
    "exp": elementwise(torch.exp),
    "log": elementwise(torch.log),
    "sqrt": elementwise(torch.sqrt),
    "sin": elementwise(torch.sin),
    "cos": elementwise(torch.cos),
    "tanh": elementwise(torch.tanh),
    "sigmoid": elementwise(torch.sigmoid),
    "softplus": elementwise(F.softplus),
    "relu": elementwise(F.relu),
    "selu": elementwise(F.selu),
    "gelu": elementwise(F.gelu),
    "gelu_tanh": elementwise(lambda x: F.gelu(x, approximate="tanh")),
    "silu": elementwise(F.silu),
    "abs": elementwise(torch.abs),
    "sign": elementwise(torch.sign),
    "normal_cdf": elementwise(torch.special.ndtr),
    "leaky_relu": (1, F.leaky_relu),
    "elu": (1, F.elu),
    "power": (1, torch.pow),
    "scale": (1, torch.mul),
    "shift": (1, torch.add),
    "sum": (1, lambda x, *axes: x.sum(dim=whole(axes))),
    "mean": (1, lambda x, *axes: x.mean(dim=whole(axes))),
    "max": (1, lambda x, axis: x.amax(dim=int(axis))),
    "min": (1, lambda x, axis: x.amin(dim=int(axis))),
    "softmax": (1, lambda x, axis: F.softmax(x, dim=int(axis))),
    "log_softmax": (1, lambda x, axis: F.log_softmax(x, dim=int(axis))),
    "layer_norm": (1, lambda x, axes, epsilon: F.layer_norm(x, x.shape[x.dim() - int(axes):], eps=epsilon)),
    "reshape": (1, lambda x, *shape: x.reshape(whole(shape))),
    "broadcast_to": (1, lambda x, *shape: x.broadcast_to(whole(shape))),
    "permute": (1, lambda x, *axes: x.permute(whole(axes))),
    "slice": (1, narrow),
    "pad": (1, pad),
    "concatenate": (2, lambda left, right, axis: torch.cat([left, right], dim=int(axis))),
    "matmul": (2, matmul),
}


def steps(program):
    """(name, arguments) of each step."""
    for token in program.split():
        name, arguments = re.fullmatch(r"(\w+)(?:\((.*)\))?", token).groups()
        yield name, [float(argument) for argument in arguments.split(",")] if arguments else []


def composed_layer_norm(x, axes, epsilon):
    over = whole(range(-int(axes), 0))
    centred = x - x.mean(dim=over, keepdim=True)
    return centred / (centred.square().mean(dim=over, keepdim=True) + epsilon).sqrt()


# The layer_norm of torch 2.15.0 itself has a value, a gradient, a JVP and a Hessian by double backward that are right,
# and other derivatives that are not, as differences show: reverse over forward, and any third derivative. These are
# taken of this dictionary's functions.
NESTED = OPERATIONS | {"layer_norm": (1, composed_layer_norm)}


def evaluate(program, inputs, operations=OPERATIONS, seen=lambda name, values, arguments: None):
    stack = []
    for name, arguments in steps(program):
        if name not in operations:
            stack.append(inputs[int(name.removeprefix("x"))])
            continue
        count, function = operations[name]
        values, stack = stack[-count:], stack[:-count]
        seen(name, values, arguments)
        stack.append(function(*values, *arguments))
    (value,) = stack
    return value


# --- operations ---

ANY, POSITIVE = (lambda x: x), (lambda x: x.abs() + 0.5)

# program, shapes of the inputs, where it is defined
TABLE = [
    *[
        (f"x0 x1 {name}", [(3, 4), (3, 4)], ANY)
        for name in ["add", "subtract", "multiply", "divide", "maximum", "minimum"]
    ],
    *[(f"x0 x1 {name}", [(2, 1, 3), (4, 1)], ANY) for name in ["add", "multiply", "divide", "maximum"]],
    *[
        (f"x0 {name}", [(3, 4)], ANY)
        for name in [
            "negate", "square", "exp", "sin", "cos", "tanh", "sigmoid", "softplus", "relu", "selu", "gelu", "gelu_tanh",
            "silu", "abs", "sign", "normal_cdf", "leaky_relu(0.25)", "elu(1)", "elu(1.5)", "scale(-1.5)", "shift(0.25)",
            "power(0)", "power(1)", "power(2)", "power(3)", "power(-2)",
        ]
    ],
    *[(f"x0 {name}", [(3, 4)], POSITIVE) for name in ["log", "sqrt", "power(2.5)", "power(-0.5)"]],
    *[(f"x0 {name}", [(2, 3, 4)], ANY) for name in ["sum(0,2)", "sum(1)", "mean(1,2)", "mean(0)", "max(1)", "min(2)"]],
    *[(f"x0 {name}", [(2, 5)], ANY) for name in ["max(1)", "min(0)", "softmax(1)", "softmax(0)", "log_softmax(1)"]],
    *[(f"x0 {name}", [(2, 3, 2)], ANY) for name in ["layer_norm(1,0.00001)", "layer_norm(2,0.01)", "permute(2,0,1)"]],
    *[(f"x0 {name}", [(2, 3, 2)], ANY) for name in ["slice(1,1,3)", "pad(1,2,1)", "reshape(3,4)"]],
    ("x0 broadcast_to(2,3,4)", [(3, 1)], ANY),
    *[(f"x0 x1 concatenate({axis})", shapes, ANY) for axis, shapes in [(0, [(1, 3), (2, 3)]), (1, [(2, 3), (2, 2)])]],
    ("x0 x1 matmul(0,0)", [(2, 3), (3, 4)], ANY),
    ("x0 x1 matmul(1,0)", [(3, 2), (3, 4)], ANY),
    ("x0 x1 matmul(0,1)", [(2, 3), (4, 3)], ANY),
    ("x0 x1 matmul(1,1)", [(3, 2), (4, 3)], ANY),
    ("x0 x1 matmul(0,1)", [(2, 2, 3), (2, 4, 3)], ANY),
]


def derivatives(function, source, shapes, at=ANY):
    """What is stored of a function at a random point."""
    inputs = [at(x) for x in draw(source, shapes)]
    tangents = draw(source, shapes)
    value = function(*inputs)
    (cotangent,) = draw(source, [value.shape])
    _, along = torch.func.jvp(function, tuple(inputs), tuple(tangents))
    back = vjp(function, inputs, cotangent)
    agree(total([along], [cotangent]), total(back, tangents))
    return {"inputs": inputs, "tangents": tangents, "cotangent": cotangent, "value": value, "vjp": back, "jvp": along}


def operations():
    source = np.random.default_rng(1)
    named = {name for program, _, _ in TABLE for name, _ in steps(program)}
    assert named >= set(OPERATIONS), set(OPERATIONS) - named
    return [
        {"program": program, **derivatives(lambda *x: evaluate(program, x), source, shapes, at)}
        for program, shapes, at in TABLE
    ]


# --- compositions ---

# of [3, 4], and so is what they make
ONE = [
    "tanh", "sin", "cos", "sigmoid", "softplus", "gelu", "gelu_tanh", "silu", "normal_cdf", "relu", "abs",
    "leaky_relu(0.25)", "elu(1.5)", "selu", "negate", "tanh exp", "tanh power(3)", "square shift(0.5) log",
    "square shift(0.25) sqrt", "square shift(1) power(-1.5)", "softmax(1)", "log_softmax(0)",
    "layer_norm(1,0.125)", "layer_norm(2,0.5)", "sum(1) reshape(3,1) broadcast_to(3,4) scale(0.5)",
    "mean(0) broadcast_to(3,4) square", "permute(1,0) reshape(3,4)",
    "max(1) reshape(3,1) broadcast_to(3,4) square", "min(0) broadcast_to(3,4)", "slice(1,1,3) sin pad(1,1,1)",
]
TWO = [
    "add", "subtract", "multiply", "maximum", "minimum", "square shift(1) divide",
    "matmul(0,1) scale(0.25) tanh pad(1,0,1)", "matmul(1,0) scale(0.25) slice(0,1,4)",
    "permute(1,0) matmul(1,1) scale(0.25) slice(0,0,3)",
    "concatenate(1) slice(1,2,6)", "concatenate(0) slice(0,1,4)",
]


class Expressions:
    """Random expressions; of a few choices, the one that was taken least."""

    def __init__(self, seed):
        self.source = random.Random(seed)
        self.taken = dict.fromkeys(ONE + TWO, 0)

    def choose(self, names):
        name = min(self.source.sample(names, 4), key=self.taken.get)
        self.taken[name] += 1
        return name

    def expression(self, inputs, depth):
        """A tree over these inputs, each of which it has."""
        if len(inputs) == 1 and depth <= 0:
            return inputs[0]
        if len(inputs) > 1 or self.source.random() < 0.35:
            shuffled = self.source.sample(inputs, len(inputs))
            left, right = (shuffled[:1], shuffled[1:]) if len(inputs) > 1 else (inputs, inputs)
            sides = [self.expression(side, depth - 1) for side in [left, right]]
            return f"{sides[0]} {sides[1]} {self.choose(TWO)}"
        return f"{self.expression(inputs, depth - 1)} {self.choose(ONE)}"


def margin(program, inputs):
    """How far the nearest kink is."""
    nearest = [np.inf]

    def seen(name, values, arguments):
        if name in ["relu", "abs", "leaky_relu", "elu", "selu", "sign"]:
            nearest.append(float(values[0].abs().min()))
        elif name in ["maximum", "minimum"]:
            nearest.append(float((values[0] - values[1]).abs().min()))
        elif name in ["max", "min"]:
            ordered = values[0].sort(dim=int(arguments[0])).values
            first, second = (-1, -2) if name == "max" else (0, 1)
            axis = int(arguments[0])
            nearest.append(float((ordered.select(axis, first) - ordered.select(axis, second)).abs().min()))

    evaluate(program, inputs, seen=seen)
    return min(nearest)


def composition(program, inputs, tangents, others, weights):
    """Derivatives of the weighted sum of an expression, each in several ways."""
    function = lambda *x: (weights * evaluate(program, x, NESTED)).sum()
    every = tuple(range(len(inputs)))
    inputs, tangents, others = tuple(inputs), tuple(tangents), tuple(others)

    def reverse(function):
        """The gradient and its derivative along the tangents, both of which can be differentiated again."""
        x = [value.clone().requires_grad_() for value in inputs]
        gradient = grad(function(*x), x, create_graph=True)
        return x, gradient, grad(total(gradient, tangents), x, create_graph=True, materialize_grads=True)

    x, gradient, product = reverse(function)
    third = grad(total(product, others), x, materialize_grads=True)
    gradient, product = [[value.detach() for value in values] for values in [gradient, product]]
    _, *native = reverse(lambda *x: (weights * evaluate(program, x)).sum())

    # forward over reverse, reverse over forward; forward over forward over reverse
    slope = torch.func.grad(function, argnums=every)
    along = lambda *x: torch.func.jvp(function, x, tangents)[1]
    curved = lambda *x: torch.func.jvp(slope, x, tangents)[1]
    jvp_of_grad, grad_of_jvp = curved(*inputs), torch.func.grad(along, argnums=every)(*inputs)
    twice_along = torch.func.jvp(curved, inputs, others)[1]
    for index in every:
        agree(native[0][index].detach(), gradient[index])
        agree(native[1][index].detach(), product[index])
        agree(jvp_of_grad[index], product[index])
        agree(grad_of_jvp[index], product[index])
        agree(twice_along[index], third[index])
    agree(along(*inputs), total(gradient, tangents))
    return {
        "program": program,
        "inputs": inputs,
        "tangents": tangents,
        "other_tangents": others,
        "weights": weights,
        "value": evaluate(program, inputs),
        "gradient": gradient,
        "jvp": along(*inputs),
        "hessian_product": product,
        "third": third,
    }


def single(row):
    """How far PyTorch's own f32 is from the third derivative, in units of 2^-23 of the largest number of the row."""
    inputs, tangents, others = ([x.float() for x in row[name]] for name in ["inputs", "tangents", "other_tangents"])
    x = [value.requires_grad_() for value in inputs]
    gradient = grad((row["weights"].float() * evaluate(row["program"], x, NESTED)).sum(), x, create_graph=True)
    product = grad(total(gradient, tangents), x, create_graph=True, materialize_grads=True)
    third = grad(total(product, others), x, materialize_grads=True)
    error = max(float((found - exact).abs().max()) for found, exact in zip(third, row["third"]))
    lists = [*row["gradient"], *row["hessian_product"], *row["third"], row["value"], row["jvp"]]
    return error / (1 + max(float(x.abs().max()) for x in lists)) * 2**23


def compositions(count=20):
    expressions, source = Expressions(2), np.random.default_rng(2)
    made = []
    while len(made) < count:
        taken = dict(expressions.taken)
        inputs = [f"x{index}" for index in range(3 if len(made) % 3 == 2 else 2)]
        program = expressions.expression(inputs, 4)
        shapes = [(3, 4)] * len(inputs)
        points, tangents, others = (draw(source, shapes, scale) for scale in [1, 0.5, 0.5])
        (weights,) = draw(source, [(3, 4)])
        derived = composition(program, points, tangents, others, weights)
        sizes = [float(x.abs().max()) for name in ["hessian_product", "third"] for x in derived[name]]
        # Not near a kink, flat in no input, and not so steep that f32 says nothing.
        smooth = margin(program, points) > 0.01 and min(sizes) > 0.02 and max(sizes) < 100
        if smooth and single(derived) < 10:
            made.append(derived)
        else:
            expressions.taken = taken
    used = {name for row in made for name, _ in steps(row["program"])}
    assert used >= set(OPERATIONS) - {"sign"}, set(OPERATIONS) - used
    return made


# --- norms of Jacobians ---

def network(parameters, x):
    *hidden, (weight, bias) = zip(parameters[::2], parameters[1::2])
    for inner, shift in hidden:
        x = torch.tanh(x @ inner.T + shift)
    return x @ weight.T + bias


def jacobian(batch=3, sizes=(5, 7, 6, 4), seed=3, iterations=400):
    source = np.random.default_rng(seed)
    shapes = [shape for pair in zip(sizes, sizes[1:]) for shape in [(pair[1], pair[0]), (pair[1],)]]
    parameters = [draw(source, [shape], 0.5)[0].requires_grad_() for shape in shapes]
    samples = draw(source, [(batch, sizes[0])])[0].requires_grad_()
    wanted = [samples, *parameters]

    # by dense decompositions
    dense = torch.func.vmap(torch.func.jacrev(lambda x: network(parameters, x)))(samples)
    values = torch.linalg.svdvals(dense)
    assert float((values[:, 1] / values[:, 0]).max()) < 0.9, values
    exact = grad(values[:, 0].sum(), wanted, materialize_grads=True)  # the last bias has none

    # by the power iteration that is usual where a Jacobian is not formed: Jᵀ u by one backward, J v by two, and the
    # graph of all iterations kept
    y = network(parameters, samples)
    dummy = torch.zeros_like(y, requires_grad=True)
    (transposed,) = grad(y, samples, dummy, create_graph=True)
    v = draw(source, [samples.shape])[0]
    v = v / v.norm(dim=1, keepdim=True)
    for _ in range(iterations):
        (along,) = grad(transposed, dummy, v, create_graph=True)
        (back,) = grad(y, samples, along, create_graph=True)
        sigma = (v * back).sum(dim=1).sqrt()
        v = back / back.norm(dim=1, keepdim=True)
    agree(sigma.detach(), values[:, 0].detach())
    for left, right in zip(grad(sigma.sum(), wanted, materialize_grads=True), exact):
        agree(left, right, 1e-11)
    return {
        "samples": samples,
        "parameters": parameters,
        "sigma": values[:, 0],
        "sample_gradient": exact[0],
        "parameter_gradients": exact[1:],
    }


# --- singular values and vectors ---

def leading(matrix):
    """The first singular triplet; the entry of v of largest magnitude is positive."""
    u, values, vt = torch.linalg.svd(matrix, full_matrices=False)
    sign = vt[0].take(vt[0].abs().argmax()).sign()
    return values[0], sign * u[:, 0], sign * vt[0]


def spectral(seed=4):
    matrix, direction = draw(np.random.default_rng(seed), [(6, 4), (6, 4)])
    values = torch.linalg.svdvals(matrix)
    assert float((values[1:] / values[:-1]).max()) < 0.95, values
    made = {"matrix": matrix, "direction": direction, "singular_values": values}
    functions = {
        "": lambda x: torch.linalg.matrix_norm(x, ord=2),
        "nuclear_": lambda x: torch.linalg.matrix_norm(x, ord="nuc"),
        "ky_fan_3_": lambda x: torch.linalg.svdvals(x)[:3].sum(),
    }
    for name, function in functions.items():
        x = matrix.clone().requires_grad_()
        value = function(x)
        (slope,) = grad(value, x, create_graph=True)
        (product,) = grad((slope * direction).sum(), x)
        made |= {f"{name}{'value' if name else 'sigma'}": value, f"{name}gradient": slope}
        made[f"{name}hessian_vector_product"] = product
        # by differences of gradients
        step = 1e-5
        after, before = (torch.func.grad(function)(matrix + sign * step * direction) for sign in [1, -1])
        agree(product, (after - before) / (2 * step), 1e-8)
    (sigma, u, v), tangents = torch.func.jvp(leading, (matrix,), (direction,))
    agree(sigma, made["sigma"].detach())
    agree(torch.outer(u, v), made["gradient"].detach())
    # d(u vᵀ) is the Hessian-vector product, and both stay of length 1
    agree(torch.outer(tangents[1], v) + torch.outer(u, tangents[2]), made["hessian_vector_product"])
    agree(torch.stack([u @ tangents[1], v @ tangents[2]]), torch.zeros(2))
    return made | {
        "u": u,
        "v": v,
        "sigma_tangent": tangents[0],
        "u_tangent": tangents[1],
        "v_tangent": tangents[2],
    }


# --- layers ---

def normalised(x, weight, bias, mean, variance, epsilon):
    """batch_norm in eval mode, in operations that have derivatives for mean and variance too."""
    column = lambda value: value[:, None, None]
    centred = (x - column(mean)) / (column(variance) + epsilon).sqrt()
    return centred * column(weight) + column(bias)


def layers():
    source = np.random.default_rng(5)
    pooled = {"kernel": 3, "stride": 2, "padding": 1}
    made = []

    def add(name, options, function, shapes, at=ANY):
        made.append({"name": name, "options": options, **derivatives(function, source, shapes, at)})

    for dilation, groups in [(1, 1), (2, 2)]:
        options = {"stride": 2, "padding": 1, "dilation": dilation, "groups": groups}
        convolve = lambda x, weight, bias: F.conv2d(x, weight, bias, **options)
        add("conv2d", options, convolve, [(2, 4, 5, 4), (4, 4 // groups, 3, 3), (4,)])
    add("max_pool2d", pooled, lambda x: F.max_pool2d(x, 3, stride=2, padding=1), [(2, 2, 5, 4)])
    for included in [True, False]:
        average = lambda x: F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=included)
        add("avg_pool2d", {**pooled, "count_include_pad": included}, average, [(2, 2, 5, 4)])

    epsilon = 1e-5
    # 0.5 and more, for the variance; the others are at home there too
    add("batch_norm", {"epsilon": epsilon}, lambda *x: normalised(*x, epsilon), [(2, 3, 2, 2)] + [(3,)] * 4, POSITIVE)
    x, weight, bias, mean, variance = made[-1]["inputs"]
    own = lambda x, weight, bias: F.batch_norm(x, mean, variance, weight, bias, training=False, eps=epsilon)
    agree(own(x, weight, bias), made[-1]["value"])
    for left, right in zip(vjp(own, [x, weight, bias], made[-1]["cotangent"]), made[-1]["vjp"]):
        agree(left, right)

    for order in [1, 2, 3, "inf"]:
        norm = lambda x: torch.linalg.vector_norm(x, ord=float(order), dim=1)
        add("vector_norm", {"order": order, "axis": 1}, norm, [(3, 5)])
    # some twice, some not at all
    index = torch.tensor([[3, 0, 3], [1, 1, 2]])
    add("gather", {"axis": 1, "index": index}, lambda x: x.gather(1, index), [(2, 4)])
    rows = torch.tensor([2, 0, 2, 3])
    add("index_select", {"axis": 0, "index": rows}, lambda x: x.index_select(0, rows), [(4, 3)])
    return made


# --- the file ---

def encoded(value, indent=""):
    """JSON with a tensor a line."""
    if isinstance(value, torch.Tensor):
        numbers = value.detach().flatten().tolist()
        return json.dumps({"shape": list(value.shape), "data": numbers}, separators=(",", ":"), allow_nan=False)
    inner = indent + " "
    if isinstance(value, dict):
        rows = [f"{inner}{json.dumps(key)}: {encoded(row, inner)}" for key, row in value.items()]
        return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
    if isinstance(value, (list, tuple)):
        return "[\n" + ",\n".join(inner + encoded(row, inner) for row in value) + f"\n{indent}]"
    return json.dumps(value)


def main():
    sections = [operations, compositions, jacobian, spectral, layers]
    made = {"torch": torch.__version__.partition("+")[0], "numpy": np.__version__}
    made |= {section.__name__: section() for section in sections}
    path = pathlib.Path(__file__).with_name("torch.json")
    path.write_text(encoded(made) + "\n")
    print(f"{path.name}: {path.stat().st_size} bytes")
    for section in sections:
        print(f"  {section.__name__}: {len(made[section.__name__])}")


if __name__ == "__main__":
    main()
