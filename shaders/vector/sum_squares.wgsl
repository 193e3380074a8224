// output = |factor · input|², vector by vector, in segments; the factor keeps the squares in range.
//
// Shapes   input: vectors × length · factors: vectors · output: segments × vectors
// Access   a group sums one segment of one vector, lanes side by side; one barrier.
// Accuracy twice the rounding of the factor, a lane's chain over its elements of a segment, then the lanes in order:
//          gamma(2 + ⌈segment / LANES⌉ + LANES - 1) in each segment, relative.

struct Params {
    vectors: u32,
    length: u32,
    segments: u32,
    segment: u32,
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
    let index = group_index(group, groups);
    let vector = index % params.vectors;
    let segment = index / params.vectors;
    if segment >= params.segments || skips(vector, params.masked) {
        return;
    }
    let start = vector * params.length;
    let end = min((segment + 1u) * params.segment, params.length);
    let factor = factors[vector];

    var sum = 0.0;
    for (var place = segment * params.segment + lane; place < end; place += LANES) {
        let value = factor * input[start + place];
        sum = fma(value, value, sum);
    }
    let total = lane_sum(lane, sum);
    if lane == 0u {
        output[segment * params.vectors + vector] = total;
    }
}
