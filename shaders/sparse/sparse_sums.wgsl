// output[vector, row] = Σ partials[vector, part] over the parts of each row.
//
// Shapes   partials: vectors × parts · firsts: rows + 1, the first part of each row · output: vectors × rows
// Access   a lane adds up a row; most rows have one part, and neighbours are contiguous.
// Accuracy runs of 16, and a tree of their sums: gamma(min(parts, 16) - 1 + ⌈log2 ⌈parts / 16⌉⌉) of the sum of
//          magnitudes; exact for rows of one part, 0 for rows of none.

struct Params {
    vectors: u32,
    rows: u32,
    parts: u32,
    masked: u32,
}

@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read> firsts: array<u32>;
@group(0) @binding(2) var<storage, read> mask: array<u32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
var<immediate> params: Params;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = group_index(group, groups) * LANES + lane;
    let vector = index / params.rows;
    if vector >= params.vectors || skips(vector, params.masked) {
        return;
    }
    let row = index % params.rows;
    let start = vector * params.parts;
    var part = firsts[row];
    let end = firsts[row + 1u];
    if end == part + 1u {
        output[index] = partials[start + part];
        return;
    }
    while part < end {
        let run_end = min(part + RUN, end);
        var run = 0.0;
        for (; part < run_end; part++) {
            run += partials[start + part];
        }
        tree_add(run);
    }
    output[index] = tree_total();
}
