// output = output + sign · basisᵀ · coefficients: a combination of the basis of each vector, added to it.
//
// Shapes   basis: slots × stride, each slot vectors × length · coefficients: segments × vectors × slots · output:
//          vectors × length
// Access   a lane updates one element; it adds up the segments of each coefficient as it goes.
// Accuracy gamma(slots + segments + 1) · (|output| + |basis|ᵀ · |coefficients|), entrywise.

struct Params {
    slots: u32,
    stride: u32,
    vectors: u32,
    length: u32,
    segments: u32,
    sign: f32,
    masked: u32,
}

@group(0) @binding(0) var<storage, read> basis: array<f32>;
@group(0) @binding(1) var<storage, read> coefficients: array<f32>;
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
    let vector = index / params.length;
    if vector >= params.vectors || skips(vector, params.masked) {
        return;
    }
    let count = params.vectors * params.slots;
    var sum = output[index];
    for (var slot = 0u; slot < params.slots; slot++) {
        var coefficient = 0.0;
        for (var segment = 0u; segment < params.segments; segment++) {
            coefficient += coefficients[segment * count + vector * params.slots + slot];
        }
        sum = fma(params.sign * coefficient, basis[slot * params.stride + index], sum);
    }
    output[index] = sum;
}
