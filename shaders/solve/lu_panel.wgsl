// Some columns of an LU factorisation with partial pivoting, from their diagonal down.
//
// Shapes   factors: batch × (size + 2) × size: L below the diagonal and U from the diagonal on, a row of pivots, and
//          the row of the permutation
// Access   a group works on one matrix. Rows are shared by the lanes, each of which takes the columns of its rows.
// Accuracy P A = L U with an error of gamma(columns + 4) |L| |U|, entrywise: two roundings a step, and a quotient.
//
// The pivot of a column is the entry of largest magnitude, and of those the first. A column of zeros keeps its zeros.

struct Params {
    batch: u32,
    size: u32,
    first: u32,
    end: u32,
}

@group(0) @binding(0) var<storage, read_write> factors: array<f32>;
var<immediate> params: Params;

var<workgroup> lane_bits: array<u32, LANES>;
var<workgroup> lane_rows: array<u32, LANES>;
var<workgroup> chosen: u32;

// The row of the pivot: largest bits, and of those the first row.
fn choose(lane: u32, bits: u32, row: u32) -> u32 {
    lane_bits[lane] = bits;
    lane_rows[lane] = row;
    workgroupBarrier();
    if lane == 0u {
        var best = 0u;
        for (var other = 1u; other < LANES; other++) {
            let is_tie = lane_bits[other] == lane_bits[best] && lane_rows[other] < lane_rows[best];
            if lane_bits[other] > lane_bits[best] || is_tie {
                best = other;
            }
        }
        chosen = lane_rows[best];
    }
    return workgroupUniformLoad(&chosen);
}

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let item = group_index(group, groups);
    if item >= params.batch {
        return;
    }
    let size = params.size;
    let start = item * (size + 2u) * size;
    let pivots = start + size * size;
    let permutation = pivots + size;
    if params.first == 0u {
        for (var row = lane; row < size; row += LANES) {
            factors[permutation + row] = f32(row);
        }
        storageBarrier();
        workgroupBarrier();
    }
    for (var step = params.first; step < params.end; step++) {
        var largest = 0u;
        var place = step;
        for (var row = step + lane; row < size; row += LANES) {
            let bits = bitcast<u32>(factors[start + row * size + step]) & 0x7fffffffu;
            if bits > largest {
                largest = bits;
                place = row;
            }
        }
        let pivot_row = choose(lane, largest, place);
        let top = start + step * size;
        if pivot_row != step {
            let other = start + pivot_row * size;
            for (var col = params.first + lane; col < params.end; col += LANES) {
                let held = factors[top + col];
                factors[top + col] = factors[other + col];
                factors[other + col] = held;
            }
        }
        if lane == 0u {
            factors[pivots + step] = f32(pivot_row);
            let held = factors[permutation + step];
            factors[permutation + step] = factors[permutation + pivot_row];
            factors[permutation + pivot_row] = held;
        }
        storageBarrier();
        workgroupBarrier();
        let pivot = factors[top + step];
        for (var row = step + 1u + lane; row < size; row += LANES) {
            let line = start + row * size;
            var multiple = factors[line + step];
            if (bitcast<u32>(pivot) & 0x7fffffffu) != 0u {
                multiple = multiple / pivot;
            }
            factors[line + step] = multiple;
            for (var col = step + 1u; col < params.end; col++) {
                factors[line + col] = fma(-multiple, factors[top + col], factors[line + col]);
            }
        }
        storageBarrier();
        workgroupBarrier();
    }
}
