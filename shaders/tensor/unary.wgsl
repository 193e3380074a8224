// output = unary(input, parameter), element by element, with the function of lib/unary_* that the kernel calls `unary`.
//
// Shapes   input and output: length
// Access   a lane computes one element.
// Accuracy as the function says.

struct Params {
    length: u32,
    parameter: f32,
}

@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;
var<immediate> params: Params;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = group_index(group, groups) * LANES + lane;
    if index >= params.length {
        return;
    }
    output[index] = unary(input[index], params.parameter);
}
