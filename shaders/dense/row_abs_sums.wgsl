// output = |matrix| · 1: the sum of magnitudes of each row of one panel, in segments; its maximum is the inf-norm.
//
// Shapes   matrix: items × rows × quads · output: segments × batch × total_rows
// Access   a lane sums one segment of one row.
// Accuracy a lane's sum over the quads of a segment, and 3 sums of their 4 parts: gamma(segment_quads - 1 + 3) in each
//          segment, relative; segments are added on the host, in f64.

struct Params {
    items: u32,
    first_item: u32,
    rows: u32,
    first_row: u32,
    quads: u32,
    total_rows: u32,
    batch: u32,
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
    let index = group_index(group, groups) * LANES + lane;
    let row = index % params.rows;
    let local_item = index / params.rows % params.items;
    let segment = index / (params.rows * params.items);
    if segment >= params.segments {
        return;
    }
    let start = (local_item * params.rows + row) * params.quads;
    let end = min((segment + 1u) * params.segment_quads, params.quads);
    var sum = vec4f();
    for (var quad = segment * params.segment_quads; quad < end; quad++) {
        sum += abs(matrix_quad(start + quad));
    }
    let item = params.first_item + local_item;
    let place = (segment * params.batch + item) * params.total_rows + params.first_row + row;
    output[place] = dot(sum, vec4f(1.0));
}
