// output = input with each row padded with zeros to whole quads.
//
// Shapes   input: rows × cols, without gaps · output: rows × quads
// Access   a lane writes segment_quads neighbouring quads.
// Accuracy exact.

struct Params {
    quads: u32,
    cols: u32,
    total_quads: u32,
    segment_quads: u32,
}

@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4u>;
var<immediate> params: Params;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = group_index(group, groups) * LANES + lane;
    let first = index * params.segment_quads;
    let end = min(first + params.segment_quads, params.total_quads);
    for (var place = first; place < end; place++) {
        let start = place / params.quads * params.cols;
        let col = vec4u(place % params.quads * 4u) + vec4u(0u, 1u, 2u, 3u);
        // Past the last column the last element is read, and not used. No loop over the four parts: it would count
        // against the loop budget.
        let at = vec4u(start) + min(col, vec4u(params.cols - 1u));
        let quad = vec4u(input[at.x], input[at.y], input[at.z], input[at.w]);
        output[place] = select(vec4u(), quad, col < vec4u(params.cols));
    }
}
