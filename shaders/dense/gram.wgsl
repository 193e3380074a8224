// output = factor · matrixᵀ · matrix, on and below the diagonal, for some rows of one panel of the matrix and a band of
// rows of one panel of the output, added to what is there from the rows before.
//
// Shapes   matrix: items × panel_rows × quads · factors: batch · output: items × rows × quads
// Access   an invocation owns a tile of sums (TILE_QUADS quads wide and high, from lib/tile_*) and walks down the rows
//          of the matrix: both sides of a product are neighbours in a row. A group is a block of tiles. No barrier.
//          Tiles on the diagonal are computed whole; what they write above it is written over by `mirror`.
// Accuracy sums of RUN products, and three levels of sums of at most `runs` of these; then the sums of earlier rows.
//          Each level has loops and variables of its own: WGSL reorders what is inside an expression, and any order
//          inside a run counts the same. Nothing lets it join loops whose lengths are known at run time alone.

const RUN = 16u;

struct Params {
    items: u32,
    first_item: u32,
    source_item: u32,
    target_item: u32,
    panel_rows: u32,
    first_row: u32,
    end_row: u32,
    runs: u32,
    quads: u32,
    target_start: u32,
    target_rows: u32,
    band_start: u32,
    band_end: u32,
    adds: u32,
}

@group(0) @binding(1) var<storage, read> factors: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4f>;
var<immediate> params: Params;

var<private> factor: f32;
var<private> output_start: u32;

fn left_quad(place: u32) -> vec4f {
    return matrix_quad(place);
}

fn right_quad(place: u32) -> vec4f {
    return matrix_quad(place);
}

fn block_products(left: vec4f, right: vec4f, sums: mat4x4f) -> mat4x4f {
    return mat4x4f(
        fma(left, vec4f(right.x), sums[0]),
        fma(left, vec4f(right.y), sums[1]),
        fma(left, vec4f(right.z), sums[2]),
        fma(left, vec4f(right.w), sums[3]),
    );
}

fn write_quad(row: u32, quad: u32, sums: vec4f) {
    if row >= params.band_start && row < params.band_end && quad < params.quads {
        let place = output_start + (row - params.target_start) * params.quads + quad;
        var value = sums * factor;
        if params.adds != 0u {
            value += output[place];
        }
        output[place] = value;
    }
}

fn write_block(left: u32, right: u32, sums: mat4x4f) {
    let rows = transpose(sums);
    write_quad(left * 4u, right, rows[0]);
    write_quad(left * 4u + 1u, right, rows[1]);
    write_quad(left * 4u + 2u, right, rows[2]);
    write_quad(left * 4u + 3u, right, rows[3]);
}

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    // Tiles of a group: 2 × 4 for 8 lanes, 8 × 8 for 64.
    let across = 4u + LANES / 16u;
    let down = LANES / across;
    let edge = TILE_QUADS * 4u;
    let first = params.band_start / edge;
    let last = (params.band_end - 1u) / edge;
    let blocks_down = (last - first) / down + 1u;
    let blocks_across = last / across + 1u;
    let index = group_index(group, groups);
    let left_tile = first + index / blocks_across % blocks_down * down + lane / across;
    let right_tile = index % blocks_across * across + lane % across;
    let local_item = index / (blocks_across * blocks_down);
    if local_item >= params.items || left_tile > last || right_tile > left_tile {
        return;
    }

    let left = left_tile * TILE_QUADS;
    let right = right_tile * TILE_QUADS;
    let at_left = places(left, params.quads - 1u);
    let at_right = places(right, params.quads - 1u);
    let start = (params.source_item + local_item) * params.panel_rows * params.quads;
    var total = Tile();
    var row = params.first_row;
    while row < params.end_row {
        let outer_end = min(row + RUN * params.runs * params.runs, params.end_row);
        var outer = Tile();
        while row < outer_end {
            let inner_end = min(row + RUN * params.runs, outer_end);
            var inner = Tile();
            while row < inner_end {
                let run_end = min(row + RUN, inner_end);
                var run = Tile();
                for (; row < run_end; row++) {
                    let place = start + row * params.quads;
                    run = tile_products(left_quads(place, at_left), right_quads(place, at_right), run);
                }
                inner = tile_sum(inner, run);
            }
            outer = tile_sum(outer, inner);
        }
        total = tile_sum(total, outer);
    }

    factor = factors[params.first_item + local_item];
    output_start = (params.target_item + local_item) * params.target_rows * params.quads;
    write_tile(left, right, total);
}
