// partials[vector, part] = Σ values[k] input[vector, columns[k]] over the nonzeros k of each part of a row.
//
// Shapes   values, columns: nonzeros, row after row · firsts: segments + 1, the first part of each segment · ends: the
//          end of each part · input: vectors × cols · partials: vectors × parts, of which this panel has those from
//          `first_part` on
// Access   a group has a segment of SEGMENT nonzeros, whatever rows these belong to: loads of values and columns are
//          contiguous, and a row with many nonzeros is shared by many groups. Parts end where a row or a segment ends,
//          so that each is summed by one lane, from the products in workgroup memory.
// Accuracy a product, runs of RUN products, and the runs in order: gamma(min(n, RUN) + ⌈n / RUN⌉ - 1) of the sum of
//          magnitudes for a part of n nonzeros.

const SEGMENT = 256u;
const RUN = 16u;

struct Params {
    segments: u32,
    nonzeros: u32,
    cols: u32,
    vectors: u32,
    parts: u32,
    first_part: u32,
    masked: u32,
}

@group(0) @binding(0) var<storage, read> values: array<f32>;
@group(0) @binding(1) var<storage, read> columns: array<u32>;
@group(0) @binding(2) var<storage, read> firsts: array<u32>;
@group(0) @binding(3) var<storage, read> ends: array<u32>;
@group(0) @binding(4) var<storage, read> input: array<f32>;
@group(0) @binding(5) var<storage, read> mask: array<u32>;
@group(0) @binding(6) var<storage, read_write> partials: array<f32>;
var<immediate> params: Params;

var<workgroup> products: array<f32, SEGMENT>;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = group_index(group, groups);
    let vector = index % params.vectors;
    let segment = index / params.vectors;
    if segment >= params.segments || skips(vector, params.masked) { // uniform over the group
        return;
    }
    let start = segment * SEGMENT;
    let count = min(SEGMENT, params.nonzeros - start);
    let input_start = vector * params.cols;
    for (var place = lane; place < count; place += LANES) {
        products[place] = values[start + place] * input[input_start + columns[start + place]];
    }
    workgroupBarrier();

    let first = firsts[segment];
    let end = firsts[segment + 1u];
    let output_start = vector * params.parts + params.first_part;
    for (var part = first + lane; part < end; part += LANES) {
        var place = 0u;
        if part > first {
            place = ends[part - 1u] - start;
        }
        let part_end = ends[part] - start;
        var sum = 0.0;
        while place < part_end {
            let run_end = min(place + RUN, part_end);
            var run = 0.0;
            for (; place < run_end; place++) {
                run += products[place];
            }
            sum += run;
        }
        partials[output_start + part] = sum;
    }
}
