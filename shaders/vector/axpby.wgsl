// output = sign · a · input + b · output, with a and b read from memory, one of each a vector.
//
// Shapes   input and output: vectors × length · a: at first_a, vectors · b: vectors
// Access   a lane updates one element.
// Accuracy gamma(3) · (|a · input| + |b · output|), entrywise.

struct Params {
    vectors: u32,
    length: u32,
    first_a: u32,
    sign: f32,
    masked: u32,
}

@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> mask: array<u32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;
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
    output[index] = fma(params.sign * a[params.first_a + vector], input[index], b[vector] * output[index]);
}
