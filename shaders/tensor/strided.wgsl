// output[i0, ..., i5] = input[i0 s0 + ... + i5 s5]: a permutation of axes, or with a stride of 0 a repetition along
// one.
//
// Shapes   output: sizes, row-major · input: all that the strides reach
// Access   a lane copies one element, by its bits.
// Accuracy exact.

const RANK = 6u;

struct Params {
    elements: u32,
    sizes: array<u32, RANK>,
    strides: array<u32, RANK>,
}

@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;
var<immediate> params: Params;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = group_index(group, groups) * LANES + lane;
    if index >= params.elements {
        return;
    }
    var rest = index;
    var place = 0u;
    for (var axis = RANK; axis > 0u; axis--) {
        place += rest % params.sizes[axis - 1u] * params.strides[axis - 1u];
        rest /= params.sizes[axis - 1u];
    }
    output[index] = input[place];
}
