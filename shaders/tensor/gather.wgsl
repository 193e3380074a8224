// output[outer, i, inner] = Σ input[outer, places[k], inner] over k from starts[i] up to starts[i + 1].
//
// Shapes   input: outer × source × inner · starts: length + 1 · places: starts[length] · output: outer × length × inner
// Access   a lane adds up one list; neighbours have neighbouring `inner`.
// Accuracy runs of 16, and a tree of their sums: gamma(min(list, 16) - 1 + ⌈log2 ⌈list / 16⌉⌉) · Σ|input|; exact for
//          lists of one

struct Params {
    outer: u32,
    source: u32,
    length: u32,
    inner: u32,
}

@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read> starts: array<u32>;
@group(0) @binding(2) var<storage, read> places: array<u32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
var<immediate> params: Params;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = group_index(group, groups) * LANES + lane;
    let inner = index % params.inner;
    let place = index / params.inner % params.length;
    let outer = index / (params.inner * params.length);
    if outer >= params.outer {
        return;
    }
    let first = starts[place];
    let end = starts[place + 1u];
    let start = outer * params.source * params.inner + inner;
    if end == first + 1u {
        // Not added to 0: -0 stays.
        output[index] = input[start + places[first] * params.inner];
        return;
    }
    var next = first;
    while next < end {
        let run_end = min(next + RUN, end);
        var run = 0.0;
        for (; next < run_end; next++) {
            run += input[start + places[next] * params.inner];
        }
        tree_add(run);
    }
    output[index] = tree_total();
}
