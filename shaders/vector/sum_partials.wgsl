// output = the sum over the segments of partial results.
//
// Shapes   partials: segments × vectors × length · output: vectors × length
// Access   a lane sums one output element over the segments; neighbours are contiguous.
// Accuracy gamma(segments - 1) of the sum of magnitudes.

struct Params {
    vectors: u32,
    length: u32,
    segments: u32,
    masked: u32,
}

@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read> mask: array<u32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
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
    let count = params.vectors * params.length;
    var sum = 0.0;
    for (var segment = 0u; segment < params.segments; segment++) {
        sum += partials[segment * count + index];
    }
    output[index] = sum;
}
