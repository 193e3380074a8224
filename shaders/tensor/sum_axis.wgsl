// output[outer, segment, inner] = the sum over one segment of input[outer, i, inner].
//
// Shapes   input: outer × length × inner · output: outer × segments × inner
// Access   a lane adds up one segment; neighbours have neighbouring `inner`.
// Accuracy runs of 16, and a tree of their sums: gamma(min(segment, 16) - 1 + ⌈log2 ⌈segment / 16⌉⌉) · Σ|input|

struct Params {
    outer: u32,
    length: u32,
    inner: u32,
    segment: u32,
    segments: u32,
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
    let inner = index % params.inner;
    let segment = index / params.inner % params.segments;
    let outer = index / (params.inner * params.segments);
    if outer >= params.outer {
        return;
    }
    let start = outer * params.length * params.inner + inner;
    let first = segment * params.segment;
    let end = min(first + params.segment, params.length);
    var place = first;
    while place < end {
        let run_end = min(place + RUN, end);
        var run = 0.0;
        for (; place < run_end; place++) {
            run += input[start + place * params.inner];
        }
        tree_add(run);
    }
    output[index] = tree_total();
}
