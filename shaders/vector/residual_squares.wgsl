// output = |factor · product - sigma · direction|², vector by vector, in segments: the square of a residual.
//
// Shapes   product and direction: vectors × length · factors and sigmas: vectors · output: segments × vectors
// Access   a group sums one segment of one vector, lanes side by side; one barrier.
// Accuracy with d = |factor · product| + |sigma · direction| and δ the exact difference, a computed difference is off
//          by e = gamma(2) d, and its square by 2 |δ| e + e²; those sum up as in dot: gamma(r + LANES) · Σ (|δ| + e)² +
//          Σ (2 |δ| e + e²), in each segment, r = 15 + ⌈log2 ⌈segment / (16 LANES)⌉⌉.

struct Params {
    vectors: u32,
    length: u32,
    segments: u32,
    segment: u32,
    masked: u32,
}

@group(0) @binding(0) var<storage, read> product: array<f32>;
@group(0) @binding(1) var<storage, read> direction: array<f32>;
@group(0) @binding(2) var<storage, read> factors: array<f32>;
@group(0) @binding(3) var<storage, read> sigmas: array<f32>;
@group(0) @binding(4) var<storage, read> mask: array<u32>;
@group(0) @binding(5) var<storage, read_write> output: array<f32>;
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
    let sigma = sigmas[vector];

    var place = segment * params.segment + lane;
    while place < end {
        let run_end = min(place + RUN * LANES, end);
        var run = 0.0;
        for (; place < run_end; place += LANES) {
            let value = factor * product[start + place] - sigma * direction[start + place];
            run = fma(value, value, run);
        }
        tree_add(run);
    }
    let total = lane_sum(lane, tree_total());
    if lane == 0u {
        output[segment * params.vectors + vector] = total;
    }
}
