// Four neighbouring elements of a matrix stored as f32, each row padded with zeros to whole quads.

@group(0) @binding(0) var<storage, read> matrix: array<vec4u>;

fn matrix_bits(index: u32) -> vec4u {
    return matrix[index];
}

fn matrix_quad(index: u32) -> vec4f {
    return bitcast<vec4f>(matrix_bits(index));
}

