// The rest of a matrix, below and right of a factored panel: A - L U, with L below the panel and U right of it.
//
// Shapes   factors: batch × (size + 2) × size, as in lu_panel
// Access   an invocation adds up 4 × 4 entries, of which each number of L and of U serves four.
// Accuracy gamma(columns + 1) (|A| + |L| |U|), entrywise: a chain of products, and the difference.

struct Params {
    batch: u32,
    size: u32,
    first: u32,
    end: u32,
}

@group(0) @binding(0) var<storage, read_write> factors: array<f32>;
var<immediate> params: Params;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = group_index(group, groups) * LANES + lane;
    let size = params.size;
    let tiles = (size - params.end + 3u) / 4u;
    if index >= params.batch * tiles * tiles {
        return;
    }
    let start = index / (tiles * tiles) * (size + 2u) * size;
    let row = params.end + index / tiles % tiles * 4u;
    let col = params.end + index % tiles * 4u;
    // Tiles at the edges read the last row or column again.
    let last = vec4u(size - 1u);
    let rows = min(vec4u(row, row + 1u, row + 2u, row + 3u), last) * size + start;
    let cols = min(vec4u(col, col + 1u, col + 2u, col + 3u), last) + start;
    var sums = array<vec4f, 4>();
    for (var step = params.first; step < params.end; step++) {
        let line = step * size;
        let upper = vec4f(factors[line + cols.x], factors[line + cols.y], factors[line + cols.z], factors[line + cols.w]);
        for (var part = 0u; part < 4u; part++) {
            sums[part] = fma(vec4f(factors[rows[part] + step]), upper, sums[part]);
        }
    }
    for (var part = 0u; part < 4u && row + part < size; part++) {
        for (var next = 0u; next < 4u && col + next < size; next++) {
            let place = rows[part] + col + next;
            factors[place] = factors[place] - sums[part][next];
        }
    }
}
