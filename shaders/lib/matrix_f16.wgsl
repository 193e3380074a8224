// Four neighbouring elements of a matrix stored as f16, two to a word, each row padded with zeros to whole quads.
//
// Decoded with integers, because unpack2x16float may flush values below 2^-14 to zero.

@group(0) @binding(0) var<storage, read> matrix: array<vec2u>;

fn matrix_bits(index: u32) -> vec4u {
    let words = matrix[index];
    let bits = vec4u(words.x & 0xffffu, words.x >> 16u, words.y & 0xffffu, words.y >> 16u);
    let sign = (bits & vec4u(0x8000u)) << vec4u(16u);
    let magnitude = bits & vec4u(0x7fffu);
    let normal = (magnitude << vec4u(13u)) + vec4u(112u << 23u); // from bias 15 to bias 127
    let subnormal = bitcast<vec4u>(vec4f(magnitude) * 0x1p-24); // a normal f32, so nothing is flushed
    let special = (magnitude << vec4u(13u)) | vec4u(0x7f800000u); // infinite or NaN
    let finite = select(normal, subnormal, magnitude < vec4u(0x400u));
    return sign | select(finite, special, magnitude >= vec4u(0x7c00u));
}

fn matrix_quad(index: u32) -> vec4f {
    return bitcast<vec4f>(matrix_bits(index));
}

