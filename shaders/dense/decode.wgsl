// output = matrix · factor as f32: 16-bit storage widened, exactly where the factor is 1 or a power of two in range.
//
// Shapes   matrix: from source_row on, row_count × quads · factors: batch pairs · output: from target_row on, row_count × quads
// Access   a lane decodes segment_quads neighbouring quads.
// Accuracy one rounding; none for a power of two.

struct Params {
    first_row: u32,
    item_rows: u32,
    row_count: u32,
    quads: u32,
    source_row: u32,
    target_row: u32,
    segment_quads: u32,
}

@group(0) @binding(1) var<storage, read> factors: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4f>;
var<immediate> params: Params;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let first = (group_index(group, groups) * LANES + lane) * params.segment_quads;
    let end = min(first + params.segment_quads, params.row_count * params.quads);
    for (var place = first; place < end; place++) {
        let item = (params.first_row + place / params.quads) / params.item_rows;
        // Two factors, since a power of two such as 2^140 is no f32 though the product with it may be.
        let factor = factors[item];
        let value = matrix_quad(params.source_row * params.quads + place);
        output[params.target_row * params.quads + place] = value * factor.x * factor.y;
    }
}
