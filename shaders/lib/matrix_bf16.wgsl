// Four neighbouring elements of a matrix stored as bf16, two to a word, each row padded with zeros to whole quads.

@group(0) @binding(0) var<storage, read> matrix: array<vec2u>;

fn matrix_bits(index: u32) -> vec4u {
    let words = matrix[index];
    // A bf16 is the upper half of the f32 of the same value.
    return vec4u(words.x << 16u, words.x & 0xffff0000u, words.y << 16u, words.y & 0xffff0000u);
}

fn matrix_quad(index: u32) -> vec4f {
    return bitcast<vec4f>(matrix_bits(index));
}

