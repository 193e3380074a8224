// output = left · right, one product for each item of a batch, from sides that `matmul_side` laid out, or that lie so.
//
// Shapes   left: batch × length × ⌈rows / 4⌉ quads · right: batch × length × ⌈cols / 4⌉ quads · output: batch × rows ×
//          cols
// Access   an invocation owns a tile of sums (TILE_QUADS quads wide and high, from lib/tile_*) and walks along the
//          inner axis: what it reads of either side are neighbours. A group is a block of tiles, `across` of them side
//          by side, so that neighbouring lanes read neighbouring columns. What pads a last quad is multiplied, and
//          never written.
// Accuracy sums of RUN products, sums of RUNS of these, and the sum of those, each one after another: with r = ⌈length
//          / RUN⌉, gamma(RUN + min(r, RUNS) + ⌈r / RUNS⌉ - 2) · |left| · |right|

const RUN = 16u;
const RUNS = 32u;

struct Params {
    batch: u32,
    rows: u32,
    length: u32,
    cols: u32,
    across: u32,
}

@group(0) @binding(0) var<storage, read> left: array<vec4f>;
@group(0) @binding(1) var<storage, read> right: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
var<immediate> params: Params;

var<private> output_start: u32;

fn left_quad(place: u32) -> vec4f {
    return left[place];
}

fn right_quad(place: u32) -> vec4f {
    return right[place];
}

fn block_products(left: vec4f, right: vec4f, sums: mat4x4f) -> mat4x4f {
    return mat4x4f(
        fma(left, vec4f(right.x), sums[0]),
        fma(left, vec4f(right.y), sums[1]),
        fma(left, vec4f(right.z), sums[2]),
        fma(left, vec4f(right.w), sums[3]),
    );
}

// No loops: with them a tile of 12 × 12 took four times as long to compile on lavapipe.
fn write_quad(row: u32, col: u32, sums: vec4f) {
    if row >= params.rows {
        return;
    }
    let place = output_start + row * params.cols + col;
    if col < params.cols {
        output[place] = sums.x;
    }
    if col + 1u < params.cols {
        output[place + 1u] = sums.y;
    }
    if col + 2u < params.cols {
        output[place + 2u] = sums.z;
    }
    if col + 3u < params.cols {
        output[place + 3u] = sums.w;
    }
}

fn write_block(left: u32, right: u32, sums: mat4x4f) {
    let rows = transpose(sums);
    write_quad(left * 4u, right * 4u, rows[0]);
    write_quad(left * 4u + 1u, right * 4u, rows[1]);
    write_quad(left * 4u + 2u, right * 4u, rows[2]);
    write_quad(left * 4u + 3u, right * 4u, rows[3]);
}

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let left_quads_all = (params.rows + 3u) / 4u;
    let right_quads_all = (params.cols + 3u) / 4u;
    let tiles_down = (left_quads_all + TILE_QUADS - 1u) / TILE_QUADS;
    let tiles_across = (right_quads_all + TILE_QUADS - 1u) / TILE_QUADS;
    let down = LANES / params.across;
    let blocks_down = (tiles_down + down - 1u) / down;
    let blocks_across = (tiles_across + params.across - 1u) / params.across;
    let index = group_index(group, groups);
    let left_tile = index / blocks_across % blocks_down * down + lane / params.across;
    let right_tile = index % blocks_across * params.across + lane % params.across;
    let item = index / (blocks_across * blocks_down);
    if item >= params.batch || left_tile >= tiles_down || right_tile >= tiles_across {
        return;
    }

    let left_first = left_tile * TILE_QUADS;
    let right_first = right_tile * TILE_QUADS;
    let at_left = places(left_first, left_quads_all - 1u);
    let at_right = places(right_first, right_quads_all - 1u);
    let start = item * params.length;
    var total = Tile();
    var step = 0u;
    while step < params.length {
        let outer_end = min(step + RUN * RUNS, params.length);
        var outer = Tile();
        while step < outer_end {
            let run_end = min(step + RUN, outer_end);
            var run = Tile();
            for (; step < run_end; step++) {
                let a = left_quads((start + step) * left_quads_all, at_left);
                let b = right_quads((start + step) * right_quads_all, at_right);
                run = tile_products(a, b, run);
            }
            outer = tile_sum(outer, run);
        }
        total = tile_sum(total, outer);
    }
    output_start = item * params.rows * params.cols;
    write_tile(left_first, right_first, total);
}
