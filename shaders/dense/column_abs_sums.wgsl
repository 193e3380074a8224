// output = |matrix|ᵀ · 1: the sum of magnitudes of each column over one segment of rows of one panel; the maximum
// over the columns of the sum over the segments is the 1-norm.
//
// Shapes   matrix: items × rows × quads · output: segments × batch × cols
// Access   a lane owns one quad of columns and walks down the rows of a segment.
// Accuracy a lane's sum over the rows of a segment: gamma(segment_rows - 1) in each segment, relative; segments are
//          added on the host, in f64.

struct Params {
    items: u32,
    first_item: u32,
    rows: u32,
    quads: u32,
    cols: u32,
    batch: u32,
    segments: u32,
    segment_rows: u32,
    first_segment: u32,
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
    let quad = index % params.quads;
    let segment = index / params.quads % params.segments;
    let local_item = index / (params.quads * params.segments);
    if local_item >= params.items {
        return;
    }
    let start = local_item * params.rows * params.quads + quad;
    let end = min((segment + 1u) * params.segment_rows, params.rows);
    var sum = vec4f();
    for (var row = segment * params.segment_rows; row < end; row++) {
        sum += abs(matrix_quad(start + row * params.quads));
    }
    let item = params.first_item + local_item;
    let output_start = ((params.first_segment + segment) * params.batch + item) * params.cols;
    for (var part = 0u; part < 4u; part++) {
        if quad * 4u + part < params.cols {
            output[output_start + quad * 4u + part] = sum[part];
        }
    }
}
