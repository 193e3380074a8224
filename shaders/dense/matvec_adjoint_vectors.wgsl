// output = matrixᵀ · input, summed over the rows of one segment of one panel, for several input vectors: what
// `matvec_adjoint` does, with each quad of the matrix read once for GROUP_VECTORS vectors. Each
// vector goes through the same operations in the same order, so that its bits are the same.
//
// Shapes   matrix: items × rows × quads · input: input_items × vectors × total_rows · output: segments × batch ×
//          vectors × cols
// Access   as `matvec_adjoint`. Vectors that are masked, or past the last vector, are not read.
// Accuracy as `matvec_adjoint`.

const GROUP_QUADS = 4u;
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
    segment_rows: u32,
    first_segment: u32,
    masked: u32,
}

// The quads of a lane in one row, or what has been summed of their products with one vector.
struct Quads {
    quad0: vec4f,
    quad1: vec4f,
    quad2: vec4f,
    quad3: vec4f,
}

@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> mask: array<u32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
var<immediate> params: Params;

fn is_wanted(within: u32, vector: u32) -> bool {
    return within < params.vectors && !skips(vector, params.masked);
}

fn products(quads: Quads, element: f32, sums: Quads) -> Quads {
    let x = vec4f(element);
    return Quads(
        fma(quads.quad0, x, sums.quad0),
        fma(quads.quad1, x, sums.quad1),
        fma(quads.quad2, x, sums.quad2),
        fma(quads.quad3, x, sums.quad3),
    );
}

fn write_quad(start: u32, quad: u32, value: vec4f) {
    let col = quad * 4u;
    for (var part = 0u; part < 4u; part++) {
        if col + part < params.cols {
            output[start + col + part] = value[part];
        }
    }
}

fn write_quads(vector: u32, segment: u32, quad: u32, sums: Quads) {
    let start = ((params.first_segment + segment) * params.batch * params.vectors + vector) * params.cols;
    write_quad(start, quad, sums.quad0);
    write_quad(start, quad + LANES, sums.quad1);
    write_quad(start, quad + 2u * LANES, sums.quad2);
    write_quad(start, quad + 3u * LANES, sums.quad3);
}

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let blocks = (params.quads + LANES * GROUP_QUADS - 1u) / (LANES * GROUP_QUADS);
    let vector_blocks = (params.vectors + GROUP_VECTORS - 1u) / GROUP_VECTORS;
    let index = group_index(group, groups);
    let within = index % vector_blocks * GROUP_VECTORS;
    let block = index / vector_blocks % blocks;
    let segment = index / (vector_blocks * blocks) % params.segments;
    let local_item = index / (vector_blocks * blocks * params.segments);
    if local_item >= params.items {
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

    // Quads past the end repeat the last one; their sums are computed and never written.
    let quad = block * LANES * GROUP_QUADS + lane;
    let last = params.quads - 1u;
    let at0 = min(quad, last);
    let at1 = min(quad + LANES, last);
    let at2 = min(quad + 2u * LANES, last);
    let at3 = min(quad + 3u * LANES, last);

    let start = local_item * params.rows * params.quads;
    let input_start = (item % params.input_items * params.vectors + within) * params.total_rows + params.first_row;
    let end = min((segment + 1u) * params.segment_rows, params.rows);
    var sums0 = Quads();
    var sums1 = Quads();
    var sums2 = Quads();
    var sums3 = Quads();
    for (var row = segment * params.segment_rows; row < end; row++) {
        let place = start + row * params.quads;
        let quads = Quads(
            matrix_quad(place + at0),
            matrix_quad(place + at1),
            matrix_quad(place + at2),
            matrix_quad(place + at3),
        );
        if wanted0 {
            sums0 = products(quads, input[input_start + row], sums0);
        }
        if wanted1 {
            sums1 = products(quads, input[input_start + params.total_rows + row], sums1);
        }
        if wanted2 {
            sums2 = products(quads, input[input_start + 2u * params.total_rows + row], sums2);
        }
        if wanted3 {
            sums3 = products(quads, input[input_start + 3u * params.total_rows + row], sums3);
        }
    }

    if wanted0 {
        write_quads(vector, segment, quad, sums0);
    }
    if wanted1 {
        write_quads(vector + 1u, segment, quad, sums1);
    }
    if wanted2 {
        write_quads(vector + 2u, segment, quad, sums2);
    }
    if wanted3 {
        write_quads(vector + 3u, segment, quad, sums3);
    }
}
