// output[outer, i, inner] = input[outer, i + start, inner], and 0 where that lies outside: a slice of an axis, or its
// padding.
//
// Shapes   input: outer × source × inner · output: outer × length × inner
// Access   a lane writes one element, by its bits.
// Accuracy exact.

struct Params {
    outer: u32,
    source: u32,
    length: u32,
    inner: u32,
    start: i32,
}

@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;
var<immediate> params: Params;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = group_index(group, groups) * LANES + lane;
    let inner = index % params.inner;
    let place = i32(index / params.inner % params.length) + params.start;
    let outer = index / (params.inner * params.length);
    if outer >= params.outer {
        return;
    }
    var bits = 0u;
    if place >= 0 && place < i32(params.source) {
        bits = input[(outer * params.source + u32(place)) * params.inner + inner];
    }
    output[index] = bits;
}
