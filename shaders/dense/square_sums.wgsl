// output = sums of squares of the elements of one panel, in segments; the root of their sum is the Frobenius norm.
//
// Shapes   matrix: items × item_quads · output: items × segments
// Access   a lane sums one run of segment_quads quads, lanes side by side.
// Accuracy a lane's chain over the quads of a segment, and 3 sums of their 4 parts: gamma(segment_quads + 3), relative;
//          segments are added on the host, in f64.

struct Params {
    items: u32,
    item_quads: u32,
    segments: u32,
    segment_quads: u32,
}

@group(0) @binding(1) var<storage, read_write> output: array<f32>;
var<immediate> params: Params;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    // Segments of LANES neighbours interleave, so that their loads are contiguous.
    let index = group_index(group, groups) * LANES + lane;
    let segment = index % params.segments;
    let item = index / params.segments;
    if item >= params.items {
        return;
    }
    let tile = segment / LANES * LANES * params.segment_quads;
    let end = min(tile + LANES * params.segment_quads, params.item_quads);
    var sum = vec4f();
    for (var quad = tile + segment % LANES; quad < end; quad += LANES) {
        let value = matrix_quad(item * params.item_quads + quad);
        sum = fma(value, value, sum);
    }
    output[index] = dot(sum, vec4f(1.0));
}
