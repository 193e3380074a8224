// The diagonal of U, and for each pivot the sum |L| |U| of the products that were taken from it, and its row.
//
// Shapes   factors: batch × (size + 2) × size, as in lu_panel · output: batch × size × 3
// Access   an invocation adds up one entry.
// Accuracy the pivots and rows are exact; gamma(size) of the sums.

struct Params {
    batch: u32,
    size: u32,
}

@group(0) @binding(0) var<storage, read> factors: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;
var<immediate> params: Params;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = group_index(group, groups) * LANES + lane;
    let size = params.size;
    if index >= params.batch * size {
        return;
    }
    let start = index / size * (size + 2u) * size;
    let row = index % size;
    var sum = 0.0;
    for (var step = 0u; step < row; step++) {
        sum = fma(abs(factors[start + row * size + step]), abs(factors[start + step * size + row]), sum);
    }
    output[3u * index] = factors[start + row * size + row];
    output[3u * index + 1u] = sum;
    output[3u * index + 2u] = factors[start + size * size + row];
}
