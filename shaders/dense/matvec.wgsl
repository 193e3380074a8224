// output = matrix · input, for the rows of one panel, every input vector and every batch item.
//
// Shapes   matrix: items × rows × quads · input: input_items × vectors × cols · output: segments × batch × vectors ×
//          total_rows
// Access   a group walks GROUP_ROWS rows together, lanes along the row: loads are contiguous, and each quad of
//          `input` is loaded once for all of them. One barrier: barriers are what costs on software adapters.
//          Several vectors are `matvec_vectors`' work, which reads the matrix once for four of them.
// Accuracy a lane's chain over its quads of a segment, 3 sums of their 4 parts, the lanes in order, then the segments:
//          gamma(⌈segment_quads / LANES⌉ + 3 + LANES - 1 + segments - 1) · |matrix| · |input|, entrywise.

const GROUP_ROWS = 4u;

struct Params {
    items: u32,
    first_item: u32,
    rows: u32,
    first_row: u32,
    quads: u32,
    cols: u32,
    vectors: u32,
    input_items: u32,
    total_rows: u32,
    batch: u32,
    segments: u32,
    segment_quads: u32,
    masked: u32,
}

@group(0) @binding(2) var<storage, read> mask: array<u32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
var<immediate> params: Params;

var<workgroup> lane_sums: array<vec4f, LANES>;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let blocks = (params.rows + GROUP_ROWS - 1u) / GROUP_ROWS;
    let index = group_index(group, groups);
    let within = index % params.vectors;
    let block = index / params.vectors % blocks;
    let local_item = index / (params.vectors * blocks) % params.items;
    let segment = index / (params.vectors * blocks * params.items);
    if segment >= params.segments { // uniform over the group, so the barrier below stays legal
        return;
    }
    let item = params.first_item + local_item;
    let vector = item * params.vectors + within;
    if skips(vector, params.masked) {
        return;
    }

    // Rows past the end repeat the last one; their sums are computed and never written.
    let first_row = block * GROUP_ROWS;
    let last_row = params.rows - 1u;
    let start = local_item * params.rows * params.quads;
    let row0 = start + first_row * params.quads;
    let row1 = start + min(first_row + 1u, last_row) * params.quads;
    let row2 = start + min(first_row + 2u, last_row) * params.quads;
    let row3 = start + min(first_row + 3u, last_row) * params.quads;

    let input_start = (item % params.input_items * params.vectors + within) * params.cols;
    let end = min((segment + 1u) * params.segment_quads, params.quads);
    let whole = min(end, params.cols / 4u);
    var sum0 = vec4f();
    var sum1 = vec4f();
    var sum2 = vec4f();
    var sum3 = vec4f();
    var quad = segment * params.segment_quads + lane;
    for (; quad < whole; quad += LANES) {
        let place = input_start + quad * 4u;
        let x = vec4f(element(place), element(place + 1u), element(place + 2u), element(place + 3u));
        sum0 = fma(matrix_quad(row0 + quad), x, sum0);
        sum1 = fma(matrix_quad(row1 + quad), x, sum1);
        sum2 = fma(matrix_quad(row2 + quad), x, sum2);
        sum3 = fma(matrix_quad(row3 + quad), x, sum3);
    }
    // The quad that the last column cuts: past it the matrix is zero, and the input repeats its last element.
    if quad < end {
        let place = input_start + quad * 4u;
        let last = input_start + params.cols - 1u;
        let x = vec4f(element(place), element(min(place + 1u, last)), element(min(place + 2u, last)), element(last));
        sum0 = fma(matrix_quad(row0 + quad), x, sum0);
        sum1 = fma(matrix_quad(row1 + quad), x, sum1);
        sum2 = fma(matrix_quad(row2 + quad), x, sum2);
        sum3 = fma(matrix_quad(row3 + quad), x, sum3);
    }

    let ones = vec4f(1.0);
    lane_sums[lane] = vec4f(dot(sum0, ones), dot(sum1, ones), dot(sum2, ones), dot(sum3, ones));
    workgroupBarrier();

    let row = first_row + lane;
    if lane < GROUP_ROWS && row < params.rows {
        var sum = 0.0;
        for (var other = 0u; other < LANES; other++) {
            sum += lane_sums[other][lane];
        }
        let all_vectors = params.batch * params.vectors;
        output[(segment * all_vectors + vector) * params.total_rows + params.first_row + row] = sum;
    }
}
