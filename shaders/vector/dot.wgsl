// output = left · right, vector by vector, in segments.
//
// Shapes   left and right: vectors × length · output: segments × vectors
// Access   a group sums one segment of one vector, lanes side by side; one barrier.
// Accuracy a lane's runs of 16 elements of a segment and a tree of their sums, then the lanes in order: gamma(r +
//          LANES) of the sum of magnitudes in each segment, r = 15 + ⌈log2 ⌈segment / (16 LANES)⌉⌉.

struct Params {
    vectors: u32,
    length: u32,
    segments: u32,
    segment: u32,
    masked: u32,
}

@group(0) @binding(0) var<storage, read> left: array<f32>;
@group(0) @binding(1) var<storage, read> right: array<f32>;
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

    var place = segment * params.segment + lane;
    while place < end {
        let run_end = min(place + RUN * LANES, end);
        var run = 0.0;
        for (; place < run_end; place += LANES) {
            run = fma(left[start + place], right[start + place], run);
        }
        tree_add(run);
    }
    let total = lane_sum(lane, tree_total());
    if lane == 0u {
        output[segment * params.vectors + vector] = total;
    }
}
