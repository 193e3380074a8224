// output = matrixᵀ · input, summed over the rows of one segment of one panel, for every vector and batch item.
//
// Shapes   matrix: items × rows × quads · input: input_items × vectors × total_rows · output: segments × batch ×
//          vectors × cols
// Access   a lane owns GROUP_QUADS quads of columns, LANES apart, and walks down the rows: a group reads runs of
//          LANES · GROUP_QUADS quads, long enough for prefetching (4x over one quad a lane on lavapipe). No barrier.
//          Several vectors are `matvec_adjoint_vectors`' work, which reads the matrix once for four of them.
// Accuracy a lane's chain over the rows of a segment, then the segments:
//          gamma(segment_rows + segments - 1) · |matrix|ᵀ · |input|, entrywise.

const GROUP_QUADS = 4u;

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
    segment_rows: u32,
    first_segment: u32,
    masked: u32,
}

@group(0) @binding(2) var<storage, read> mask: array<u32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
var<immediate> params: Params;

fn write_quad(start: u32, quad: u32, value: vec4f) {
    let col = quad * 4u;
    for (var part = 0u; part < 4u; part++) {
        if col + part < params.cols {
            output[start + col + part] = value[part];
        }
    }
}

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let blocks = (params.quads + LANES * GROUP_QUADS - 1u) / (LANES * GROUP_QUADS);
    let index = group_index(group, groups);
    let within = index % params.vectors;
    let block = index / params.vectors % blocks;
    let segment = index / (params.vectors * blocks) % params.segments;
    let local_item = index / (params.vectors * blocks * params.segments);
    if local_item >= params.items {
        return;
    }
    let item = params.first_item + local_item;
    let vector = item * params.vectors + within;
    if skips(vector, params.masked) {
        return;
    }

    // Quads past the end repeat the last one; their sums are computed and never written.
    let quad0 = block * LANES * GROUP_QUADS + lane;
    let last = params.quads - 1u;
    let at0 = min(quad0, last);
    let at1 = min(quad0 + LANES, last);
    let at2 = min(quad0 + 2u * LANES, last);
    let at3 = min(quad0 + 3u * LANES, last);

    let start = local_item * params.rows * params.quads;
    let input_start = (item % params.input_items * params.vectors + within) * params.total_rows + params.first_row;
    let end = min((segment + 1u) * params.segment_rows, params.rows);
    var sum0 = vec4f();
    var sum1 = vec4f();
    var sum2 = vec4f();
    var sum3 = vec4f();
    for (var row = segment * params.segment_rows; row < end; row++) {
        let x = vec4f(element(input_start + row));
        let place = start + row * params.quads;
        sum0 = fma(matrix_quad(place + at0), x, sum0);
        sum1 = fma(matrix_quad(place + at1), x, sum1);
        sum2 = fma(matrix_quad(place + at2), x, sum2);
        sum3 = fma(matrix_quad(place + at3), x, sum3);
    }

    let all_vectors = params.batch * params.vectors;
    let output_start = ((params.first_segment + segment) * all_vectors + vector) * params.cols;
    write_quad(output_start, quad0, sum0);
    write_quad(output_start, quad0 + LANES, sum1);
    write_quad(output_start, quad0 + 2u * LANES, sum2);
    write_quad(output_start, quad0 + 3u * LANES, sum3);
}
