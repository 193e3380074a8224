// The columns beside a factored panel: their rows in the order of its pivots, and right of it the rows of U.
//
// Shapes   factors: batch × (size + 2) × size, as in lu_panel
// Access   an invocation works on one column, so that neighbours read neighbours.
// Accuracy L U = A of the panel's rows, with an error of gamma(columns) |L| |U|, entrywise: two roundings a step.

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
    let beside = size - (params.end - params.first);
    if index >= params.batch * beside {
        return;
    }
    let start = index / beside * (size + 2u) * size;
    var col = index % beside;
    if col >= params.first {
        col += params.end - params.first;
    }
    for (var step = params.first; step < params.end; step++) {
        let pivot_row = min(u32(factors[start + size * size + step]), size - 1u);
        let held = factors[start + step * size + col];
        factors[start + step * size + col] = factors[start + pivot_row * size + col];
        factors[start + pivot_row * size + col] = held;
    }
    if col < params.end {
        return;
    }
    for (var step = params.first; step < params.end; step++) {
        let value = factors[start + step * size + col];
        for (var row = step + 1u; row < params.end; row++) {
            let place = start + row * size + col;
            factors[place] = fma(-factors[start + row * size + step], value, factors[place]);
        }
    }
}
