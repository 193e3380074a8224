// t = scale · matrix · input + sign · a · shift, and matrixᵀ · t with |t|², summed over the rows of one segment.
//
// Shapes   matrix: items × rows × quads · input: batch × vectors × cols · scale: batch × vectors · a: at first_a,
//          batch × vectors · shift and product: batch × vectors × total_rows · sums: segments × batch × vectors
//          squares, and at first_back segments × batch × vectors × cols
// Access   a group walks down the rows of a segment, GROUP_ROWS together and lanes along the row: first for t, then,
//          while the rows are in the cache, for the sums, which stay in the cache too. One barrier for GROUP_ROWS rows.
// Accuracy as matvec for t, of one segment, with 3 roundings more; ⌈rows / GROUP_ROWS⌉ + 3 for a square; a
//          chain over the rows of a segment for the product back.

const GROUP_ROWS = 4u;

struct Params {
    items: u32,
    first_item: u32,
    rows: u32,
    first_row: u32,
    quads: u32,
    cols: u32,
    vectors: u32,
    total_rows: u32,
    batch: u32,
    segments: u32,
    segment_rows: u32,
    first_segment: u32,
    first_a: u32,
    sign: f32,
    first_back: u32,
    masked: u32,
}

@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> scale: array<f32>;
@group(0) @binding(3) var<storage, read> a: array<f32>;
@group(0) @binding(4) var<storage, read> shift: array<f32>;
@group(0) @binding(5) var<storage, read> mask: array<u32>;
@group(0) @binding(6) var<storage, read_write> product: array<f32>;
@group(0) @binding(7) var<storage, read_write> sums: array<f32>;
var<immediate> params: Params;

// Two blocks of rows in turn, so that no lane writes what another still reads.
var<workgroup> lane_sums: array<array<vec4f, 2>, LANES>;

// The input past the last column repeats its last element, because the matrix is zero there.
fn input_quad(start: u32, quad: u32) -> vec4f {
    let place = start + quad * 4u;
    let last = start + params.cols - 1u;
    return vec4f(input[place], input[min(place + 1u, last)], input[min(place + 2u, last)], input[min(place + 3u, last)]);
}

// No loops over the four parts: their trips would count for every quad.
fn read_quad(start: u32, quad: u32) -> vec4f {
    let place = start + quad * 4u;
    let last = start + params.cols - 1u;
    return vec4f(sums[place], sums[min(place + 1u, last)], sums[min(place + 2u, last)], sums[min(place + 3u, last)]);
}

fn write_quad(start: u32, quad: u32, value: vec4f) {
    let place = start + quad * 4u;
    let left = params.cols - quad * 4u;
    sums[place] = value.x;
    if left > 1u {
        sums[place + 1u] = value.y;
    }
    if left > 2u {
        sums[place + 2u] = value.z;
    }
    if left > 3u {
        sums[place + 3u] = value.w;
    }
}

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = group_index(group, groups);
    let within = index % params.vectors;
    let segment = index / params.vectors % params.segments;
    let local_item = index / (params.vectors * params.segments);
    if local_item >= params.items { // uniform over the group, so the barrier below stays legal
        return;
    }
    let item = params.first_item + local_item;
    let vector = item * params.vectors + within;
    if skips(vector, params.masked) {
        return;
    }

    let start = local_item * params.rows * params.quads;
    let input_start = vector * params.cols;
    let product_start = vector * params.total_rows + params.first_row;
    let partial = (params.first_segment + segment) * params.batch * params.vectors + vector;
    let back_start = params.first_back + partial * params.cols;
    let factor = scale[vector];
    let multiple = params.sign * a[params.first_a + vector];

    let first_row = segment * params.segment_rows;
    let end = min(first_row + params.segment_rows, params.rows);
    var turn = 0u;
    var square = 0.0;
    for (var row = first_row; row < end; row += GROUP_ROWS) {
        // Rows past the end repeat the last one; their part of t is 0.
        let row0 = start + row * params.quads;
        let row1 = start + min(row + 1u, end - 1u) * params.quads;
        let row2 = start + min(row + 2u, end - 1u) * params.quads;
        let row3 = start + min(row + 3u, end - 1u) * params.quads;
        var sum0 = vec4f();
        var sum1 = vec4f();
        var sum2 = vec4f();
        var sum3 = vec4f();
        for (var quad = lane; quad < params.quads; quad += LANES) {
            let x = input_quad(input_start, quad);
            sum0 = fma(matrix_quad(row0 + quad), x, sum0);
            sum1 = fma(matrix_quad(row1 + quad), x, sum1);
            sum2 = fma(matrix_quad(row2 + quad), x, sum2);
            sum3 = fma(matrix_quad(row3 + quad), x, sum3);
        }
        let ones = vec4f(1.0);
        lane_sums[lane][turn] = vec4f(dot(sum0, ones), dot(sum1, ones), dot(sum2, ones), dot(sum3, ones));
        workgroupBarrier();

        var total = vec4f();
        for (var other = 0u; other < LANES; other++) {
            total += lane_sums[other][turn];
        }
        turn = 1u - turn;
        var t = vec4f();
        for (var part = 0u; part < GROUP_ROWS; part++) {
            if row + part < end {
                let place = product_start + row + part;
                t[part] = fma(multiple, shift[place], factor * total[part]);
                if lane == part {
                    product[place] = t[part];
                }
            }
        }
        square += dot(t, t);
        for (var quad = lane; quad < params.quads; quad += LANES) {
            var back = vec4f();
            if row > first_row {
                back = read_quad(back_start, quad);
            }
            back = fma(matrix_quad(row0 + quad), vec4f(t.x), back);
            back = fma(matrix_quad(row1 + quad), vec4f(t.y), back);
            back = fma(matrix_quad(row2 + quad), vec4f(t.z), back);
            back = fma(matrix_quad(row3 + quad), vec4f(t.w), back);
            write_quad(back_start, quad, back);
        }
    }
    if lane == 0u {
        sums[partial] = square;
    }
}
