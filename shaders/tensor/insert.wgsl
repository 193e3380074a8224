// output[outer, first + i, inner] = input[outer, i, inner]: a part of an axis written, the rest left as it is.
//
// Shapes   input: outer × length × inner · output: outer × target × inner
// Access   a lane copies one element, by its bits.
// Accuracy exact.

struct Params {
    outer: u32,
    length: u32,
    target_length: u32,
    inner: u32,
    first: u32,
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
    let inner = index % params.inner;
    let place = index / params.inner % params.length + params.first;
    let outer = index / (params.inner * params.length);
    if outer >= params.outer {
        return;
    }
    output[(outer * params.target_length + place) * params.inner + inner] = input[index];
}
