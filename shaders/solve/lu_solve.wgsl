// Some steps of substitution with a triangle of LU factors or its transpose, in place.
//
// Shapes   factors: batch × (size + 2) × size, as in lu_panel · solutions: batch × vectors × size
// Access   a group works on one vector. A triangle is read along its rows: a step takes the product of a row with what
//          is solved; with the transpose, a step takes its multiple of a row from what is not.
// Accuracy |T x - b| <= gamma(size + 4) |T| |x|, entrywise: two roundings a step, sums over lanes, and a quotient.

struct Params {
    batch: u32,
    size: u32,
    vectors: u32,
    first: u32,
    end: u32,
    upper: u32,
    transposed: u32,
}

@group(0) @binding(0) var<storage, read> factors: array<f32>;
@group(0) @binding(1) var<storage, read_write> solutions: array<f32>;
var<immediate> params: Params;

var<workgroup> solved: f32;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let vector = group_index(group, groups);
    if vector >= params.batch * params.vectors {
        return;
    }
    let size = params.size;
    let start = vector / params.vectors * (size + 2u) * size;
    let at = vector * size;
    let is_forward = (params.upper != 0u) == (params.transposed != 0u);
    for (var step = params.first; step < params.end; step++) {
        let row = select(size - 1u - step, step, is_forward);
        let line = start + row * size;
        // The part of the row beside the diagonal that belongs to the triangle.
        let from_col = select(0u, row + 1u, params.upper != 0u);
        let to_col = select(row, size, params.upper != 0u);
        var sum = 0.0;
        if params.transposed == 0u {
            for (var col = from_col + lane; col < to_col; col += LANES) {
                sum = fma(factors[line + col], solutions[at + col], sum);
            }
        }
        let total = lane_sum(lane, sum);
        if lane == 0u {
            var value = solutions[at + row] - total;
            if params.upper != 0u {
                value = value / factors[line + row];
            }
            solutions[at + row] = value;
            solved = value;
        }
        let value = workgroupUniformLoad(&solved);
        if params.transposed != 0u {
            for (var col = from_col + lane; col < to_col; col += LANES) {
                solutions[at + col] = fma(-factors[line + col], value, solutions[at + col]);
            }
        }
        storageBarrier();
        workgroupBarrier();
    }
}
