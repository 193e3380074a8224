// output = matrix · factor as f32: 16-bit storage widened, and each item scaled.
//
// Shapes   matrix: from source_row on, row_count × quads · factors: batch pairs · output: from target_row on, row_count
//          × quads
// Access   a lane decodes segment_quads neighbouring quads.
// Accuracy two roundings; for powers of two, by integers, since floats below 2^-126 may be flushed: exact where the
//          result is an f32, else to the nearest multiple of 2^-149, ties to even.

struct Params {
    first_row: u32,
    item_rows: u32,
    row_count: u32,
    quads: u32,
    source_row: u32,
    target_row: u32,
    segment_quads: u32,
}

@group(0) @binding(1) var<storage, read> factors: array<vec2u>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4u>;
var<immediate> params: Params;

// The bits of 2^exponent times floats.
fn shifted(bits: vec4u, exponent: i32) -> vec4u {
    let magnitude = bits & vec4u(0x7fffffffu);
    let subnormal = magnitude < vec4u(0x00800000u);
    // A subnormal number moves to the left until its first bit is where a normal one has the bit that is not stored.
    let left = select(vec4u(), vec4u(23u) - firstLeadingBit(max(magnitude, vec4u(1u))), subnormal);
    let stored = (magnitude & vec4u(0x007fffffu)) | vec4u(0x00800000u);
    let significand = select(stored, magnitude << left, subnormal);
    let biased = select(vec4i(magnitude >> vec4u(23u)), vec4i(1) - vec4i(left), subnormal) + vec4i(exponent);

    let normal = (vec4u(clamp(biased, vec4i(1), vec4i(254))) << vec4u(23u)) | (significand & vec4u(0x007fffffu));
    // Past 24 bits to the right nothing is left, and nothing rounds up.
    let right = vec4u(clamp(vec4i(1) - biased, vec4i(1), vec4i(25)));
    let kept = significand >> right;
    let rest = significand & ((vec4u(1u) << right) - vec4u(1u));
    let half = vec4u(1u) << (right - vec4u(1u));
    let up = (rest > half) | ((rest == half) & ((kept & vec4u(1u)) == vec4u(1u)));
    let small = kept + select(vec4u(), vec4u(1u), up);

    let within = select(small, normal, biased >= vec4i(1));
    let finite = select(within, vec4u(0x7f800000u), biased >= vec4i(255));
    let changed = (magnitude > vec4u()) & (magnitude < vec4u(0x7f800000u));
    return (bits & vec4u(0x80000000u)) | select(magnitude, finite, changed);
}

// Whether these are the bits of a power of two that is a normal number.
fn is_power(bits: u32) -> bool {
    return (bits & 0x807fffffu) == 0u && bits != 0u && bits != 0x7f800000u;
}

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
        let bits = matrix_bits(params.source_row * params.quads + place);
        let target_place = params.target_row * params.quads + place;
        if is_power(factor.x) && is_power(factor.y) {
            output[target_place] = shifted(bits, i32(factor.x >> 23u) + i32(factor.y >> 23u) - 254);
        } else {
            let product = bitcast<vec4f>(bits) * bitcast<f32>(factor.x) * bitcast<f32>(factor.y);
            output[target_place] = bitcast<vec4u>(product);
        }
    }
}
