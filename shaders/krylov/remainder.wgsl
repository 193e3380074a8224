// norm = root of a sum of squares, and output = scale / norm · the sum of partial results - norm · input.
//
// Shapes   input and output: vectors × length · scale: vectors · squares: square_segments × vectors · partials:
//          segments × vectors × length · norms: at first_norm, vectors
// Access   a lane computes one element, and adds up the squares of its vector first; neighbours are contiguous.
// Accuracy a root as normaliser: gamma(s) with s = (square_segments - 1) / 2 + 4.5. Then gamma(s + 2) of |norm · input|
//          and s + 4.5 roundings for scale / norm · the sum, whose terms are added in runs of 16 and a tree of runs.

struct Params {
    vectors: u32,
    length: u32,
    square_segments: u32,
    segments: u32,
    first_norm: u32,
    masked: u32,
}

@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read> scale: array<f32>;
@group(0) @binding(2) var<storage, read> squares: array<f32>;
@group(0) @binding(3) var<storage, read> partials: array<f32>;
@group(0) @binding(4) var<storage, read> mask: array<u32>;
@group(0) @binding(5) var<storage, read_write> norms: array<f32>;
@group(0) @binding(6) var<storage, read_write> output: array<f32>;
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
    var square = 0.0;
    for (var segment = 0u; segment < params.square_segments; segment++) {
        square += squares[segment * params.vectors + vector];
    }
    let norm = sqrt(square);
    if index % params.length == 0u {
        norms[params.first_norm + vector] = norm;
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
    output[index] = fma(-norm, input[index], scale[vector] / norm * tree_total());
}
