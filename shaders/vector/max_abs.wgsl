// output = (largest finite magnitude, first element that is not finite) of each vector, in segments.
//
// Shapes   input: vectors × length · output: segments × vectors, each the bits of a magnitude and an index into the
//          vector, 0xffffffff for none
// Access   a lane scans one segment of one vector.
// Accuracy exact: magnitudes are compared as integers, as NaN and infinity cannot be told by comparisons of floats.

struct Params {
    vectors: u32,
    length: u32,
    segments: u32,
    segment: u32,
}

@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<vec2u>;
var<immediate> params: Params;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = group_index(group, groups) * LANES + lane;
    let vector = index % params.vectors;
    let segment = index / params.vectors;
    if segment >= params.segments {
        return;
    }
    let start = vector * params.length;
    let end = min((segment + 1u) * params.segment, params.length);
    var largest = 0u;
    var bad = 0xffffffffu;
    for (var place = segment * params.segment; place < end; place++) {
        let magnitude = input[start + place] & 0x7fffffffu;
        if magnitude < 0x7f800000u {
            largest = max(largest, magnitude);
        } else {
            bad = min(bad, place);
        }
    }
    output[index] = vec2u(largest, bad);
}
