// Four neighbouring elements of a matrix stored as f32 in a texture, each row padded with zeros to whole quads.

@group(0) @binding(0) var matrix: texture_2d<f32>;

// Quads follow each other along rows of 2048, as `src/device/driver/texels.rs` lays them.
fn matrix_quad(index: u32) -> vec4f {
    return textureLoad(matrix, vec2u(index & 2047u, index >> 11u), 0);
}

fn matrix_bits(index: u32) -> vec4u {
    return bitcast<vec4u>(matrix_quad(index));
}
