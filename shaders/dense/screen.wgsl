// output = (largest finite magnitude, first element that is not finite) of each segment of the elements of one panel.
//
// Shapes   matrix: items × item_quads · output: items × segments, each the bits of a magnitude and an index into the
//          item's padded elements, 0xffffffff for none
// Access   a lane scans one run of segment_quads quads.
// Accuracy exact: magnitudes are compared as integers, as NaN and infinity cannot be told by comparisons of floats, and
//          a subnormal float may be flushed.

struct Params {
    items: u32,
    item_quads: u32,
    segments: u32,
    segment_quads: u32,
}

@group(0) @binding(1) var<storage, read_write> output: array<vec2u>;
var<immediate> params: Params;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = group_index(group, groups) * LANES + lane;
    let segment = index % params.segments;
    let item = index / params.segments;
    if item >= params.items {
        return;
    }
    let end = min((segment + 1u) * params.segment_quads, params.item_quads);
    // No loop over the four parts: it would count against the loop budget.
    var largest = vec4u();
    var bad = vec4u(0xffffffffu);
    for (var quad = segment * params.segment_quads; quad < end; quad++) {
        let magnitude = matrix_bits(item * params.item_quads + quad) & vec4u(0x7fffffffu);
        let finite = magnitude < vec4u(0x7f800000u);
        largest = max(largest, select(vec4u(), magnitude, finite));
        bad = min(bad, select(vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u), vec4u(0xffffffffu), finite));
    }
    output[index] = vec2u(
        max(max(largest.x, largest.y), max(largest.z, largest.w)),
        min(min(bad.x, bad.y), min(bad.z, bad.w)),
    );
}
