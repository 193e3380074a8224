// output = matrix · input, for several input vectors: what `matvec` does, with each quad of the matrix read once for
// GROUP_VECTORS vectors. Each vector goes through the same operations in the same order, so that its bits are the same.
//
// Shapes   matrix: items × rows × quads · input: input_items × vectors × cols · output: segments × batch × vectors ×
//          total_rows
// Access   as `matvec`. Vectors that are masked, or past the last vector, are not read.
// Accuracy as `matvec`.

const GROUP_ROWS = 4u;
const GROUP_VECTORS = 4u;

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

// A quad of each row of the group, or what has been summed of its products with one vector.
struct Rows {
    row0: vec4f,
    row1: vec4f,
    row2: vec4f,
    row3: vec4f,
}

@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> mask: array<u32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
var<immediate> params: Params;

var<workgroup> lane_sums: array<mat4x4f, LANES>; // one column for each input vector

fn is_wanted(within: u32, vector: u32) -> bool {
    return within < params.vectors && !skips(vector, params.masked);
}

// The quad that the last column cuts: past it the matrix is zero, and the input repeats its last element.
fn input_quad(start: u32, quad: u32) -> vec4f {
    let last = start + params.cols - 1u;
    let place = start + quad * 4u;
    return vec4f(input[place], input[min(place + 1u, last)], input[min(place + 2u, last)], input[min(place + 3u, last)]);
}

fn products(rows: Rows, x: vec4f, sums: Rows) -> Rows {
    return Rows(
        fma(rows.row0, x, sums.row0),
        fma(rows.row1, x, sums.row1),
        fma(rows.row2, x, sums.row2),
        fma(rows.row3, x, sums.row3),
    );
}

fn parts_sum(sums: Rows) -> vec4f {
    let ones = vec4f(1.0);
    return vec4f(dot(sums.row0, ones), dot(sums.row1, ones), dot(sums.row2, ones), dot(sums.row3, ones));
}

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let blocks = (params.rows + GROUP_ROWS - 1u) / GROUP_ROWS;
    let vector_blocks = (params.vectors + GROUP_VECTORS - 1u) / GROUP_VECTORS;
    let index = group_index(group, groups);
    let within = index % vector_blocks * GROUP_VECTORS;
    let block = index / vector_blocks % blocks;
    let local_item = index / (vector_blocks * blocks) % params.items;
    let segment = index / (vector_blocks * blocks * params.items);
    if segment >= params.segments { // uniform over the group, so the barrier below stays legal
        return;
    }
    let item = params.first_item + local_item;
    let vector = item * params.vectors + within;
    let wanted0 = is_wanted(within, vector);
    let wanted1 = is_wanted(within + 1u, vector + 1u);
    let wanted2 = is_wanted(within + 2u, vector + 2u);
    let wanted3 = is_wanted(within + 3u, vector + 3u);
    if !(wanted0 || wanted1 || wanted2 || wanted3) {
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
    var sums0 = Rows();
    var sums1 = Rows();
    var sums2 = Rows();
    var sums3 = Rows();
    for (var quad = segment * params.segment_quads + lane; quad < end; quad += LANES) {
        let rows = Rows(
            matrix_quad(row0 + quad),
            matrix_quad(row1 + quad),
            matrix_quad(row2 + quad),
            matrix_quad(row3 + quad),
        );
        if wanted0 {
            sums0 = products(rows, input_quad(input_start, quad), sums0);
        }
        if wanted1 {
            sums1 = products(rows, input_quad(input_start + params.cols, quad), sums1);
        }
        if wanted2 {
            sums2 = products(rows, input_quad(input_start + 2u * params.cols, quad), sums2);
        }
        if wanted3 {
            sums3 = products(rows, input_quad(input_start + 3u * params.cols, quad), sums3);
        }
    }

    lane_sums[lane] = mat4x4f(parts_sum(sums0), parts_sum(sums1), parts_sum(sums2), parts_sum(sums3));
    workgroupBarrier();

    let wanted = vec4<bool>(wanted0, wanted1, wanted2, wanted3);
    for (var entry = lane; entry < GROUP_ROWS * GROUP_VECTORS; entry += LANES) {
        let row = first_row + entry % GROUP_ROWS;
        let offset = entry / GROUP_ROWS;
        if row < params.rows && wanted[offset] {
            var sum = 0.0;
            for (var other = 0u; other < LANES; other++) {
                sum += lane_sums[other][offset][entry % GROUP_ROWS];
            }
            let all_vectors = params.batch * params.vectors;
            let place = (segment * all_vectors + vector + offset) * params.total_rows + params.first_row + row;
            output[place] = sum;
        }
    }
}
