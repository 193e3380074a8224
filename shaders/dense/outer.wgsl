// output = coefficient · Σ left · rightᵀ over pairs of vectors, for the rows of one panel: the gradient of a spectral
// norm.
//
// Shapes   coefficients: batch · left: vector_items × vectors × total_rows · right: vector_items × vectors × cols ·
//          output: items × rows × quads
// Access   a lane writes one quad of one row.
// Accuracy two roundings a pair, and their sum: gamma(vectors + 1) · |coefficient| · Σ |left| · |right|ᵀ, entrywise.

struct Params {
    items: u32,
    first_item: u32,
    rows: u32,
    first_row: u32,
    quads: u32,
    cols: u32,
    total_rows: u32,
    vector_items: u32,
    vectors: u32,
}

@group(0) @binding(0) var<storage, read> coefficients: array<f32>;
@group(0) @binding(1) var<storage, read> left: array<f32>;
@group(0) @binding(2) var<storage, read> right: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<vec4f>;
var<immediate> params: Params;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = group_index(group, groups) * LANES + lane;
    let quad = index % params.quads;
    let row = index / params.quads % params.rows;
    let local_item = index / (params.quads * params.rows);
    if local_item >= params.items {
        return;
    }
    let item = params.first_item + local_item;
    let first = item % params.vector_items * params.vectors;
    var value = vec4f();
    for (var vector = first; vector < first + params.vectors; vector++) {
        let scaled = coefficients[item] * left[vector * params.total_rows + params.first_row + row];
        for (var part = 0u; part < 4u; part++) {
            if quad * 4u + part < params.cols {
                value[part] = fma(scaled, right[vector * params.cols + quad * 4u + part], value[part]);
            }
        }
    }
    output[index] = value;
}
