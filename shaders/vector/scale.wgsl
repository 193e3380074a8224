// output = factor · input, one factor a vector, read from memory.
//
// Shapes   input and output: vectors × length · factors: vectors
// Access   a lane scales one element.
// Accuracy one rounding.

struct Params {
    vectors: u32,
    length: u32,
    masked: u32,
}

@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read> factors: array<f32>;
@group(0) @binding(2) var<storage, read> mask: array<u32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
var<immediate> params: Params;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = group_index(group, groups) * LANES + lane;
    let vector = index / params.length;
    if vector >= params.vectors || skips(vector, params.masked) {
        return;
    }
    output[index] = factors[vector] * input[index];
}
