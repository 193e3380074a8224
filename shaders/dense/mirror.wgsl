// The entries below the diagonal of a square matrix, copied to above it, from one panel of rows to one panel of rows.
//
// Shapes   source: one item's rows from source_start to source_end, which counts the padding as rows · output: items ×
//          rows from target_start on, each × quads
// Access   a lane owns SPAN columns of one row of the output; neighbours own neighbouring rows, so that what a group
//          reads lies side by side. Padding is set to zero. A panel that is its own source is bound as the output
//          alone.
// Accuracy exact.

const SPAN = 64u;

struct Params {
    items: u32,
    quads: u32,
    cols: u32,
    source_start: u32,
    source_end: u32,
    target_start: u32,
    target_end: u32,
    own: u32,
}

@group(0) @binding(0) var<storage, read> source: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;
var<immediate> params: Params;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let wide = params.quads * 4u;
    let target_rows = params.target_end - params.target_start;
    let row_blocks = (target_rows + LANES - 1u) / LANES;
    let spans = (params.source_end - params.source_start + SPAN - 1u) / SPAN;
    let index = group_index(group, groups);
    let offset = index % row_blocks * LANES + lane;
    let span = index / row_blocks % spans;
    let local_item = index / (row_blocks * spans);
    if local_item >= params.items || offset >= target_rows {
        return;
    }

    let row = params.target_start + offset;
    let output_start = (local_item * target_rows + offset) * wide;
    let source_start = local_item * target_rows;
    let first = params.source_start + span * SPAN;
    let end = min(first + SPAN, params.source_end);
    for (var col = max(first, row + 1u); col < end; col++) {
        var bits = 0u;
        if col < params.cols {
            let place = (source_start + col - params.source_start) * wide + row;
            if params.own != 0u {
                bits = output[place];
            } else {
                bits = source[place];
            }
        }
        output[output_start + col] = bits;
    }
}
