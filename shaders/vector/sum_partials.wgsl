// output = the sum over the segments of partial results.
//
// Shapes   partials: segments × vectors × length · output: vectors × length
// Access   a lane sums one output element over the segments; neighbours are contiguous.
// Accuracy runs of 16, and a tree of their sums: gamma(min(segments, 16) - 1 + ⌈log2 ⌈segments / 16⌉⌉) of the sum of
//          magnitudes.

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
    var segment = 0u;
    while segment < params.segments {
        let run_end = min(segment + RUN, params.segments);
        var run = 0.0;
        for (; segment < run_end; segment++) {
            run += partials[segment * count + index];
        }
        tree_add(run);
    }
    output[index] = tree_total();
}
