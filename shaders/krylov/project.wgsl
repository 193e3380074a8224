// output = basis · vector: the coefficients of each vector in its own basis, in segments.
//
// Shapes   basis: slots × stride, each slot vectors × length · input: vectors × length · output: segments × vectors ×
//          slots
// Access   a group sums one segment of one product, lanes side by side; one barrier.
// Accuracy as dot: gamma(⌈segment / LANES⌉ + LANES - 1) of the sum of magnitudes, in each segment.

struct Params {
    slots: u32,
    stride: u32,
    vectors: u32,
    length: u32,
    segments: u32,
    segment: u32,
    masked: u32,
}

@group(0) @binding(0) var<storage, read> basis: array<f32>;
@group(0) @binding(1) var<storage, read> input: array<f32>;
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
    let slot = index % params.slots;
    let vector = index / params.slots % params.vectors;
    let segment = index / (params.slots * params.vectors);
    if segment >= params.segments || skips(vector, params.masked) {
        return;
    }
    let start = vector * params.length;
    let basis_start = slot * params.stride + start;
    let end = min((segment + 1u) * params.segment, params.length);
    var sum = 0.0;
    for (var place = segment * params.segment + lane; place < end; place += LANES) {
        sum = fma(basis[basis_start + place], input[start + place], sum);
    }
    let total = lane_sum(lane, sum);
    if lane == 0u {
        output[index] = total;
    }
}
