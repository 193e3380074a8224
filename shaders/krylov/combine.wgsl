// output = output + sign · basisᵀ · coefficients: a combination of the basis of each vector, added to it.
//
// Shapes   basis: slots × stride, each slot vectors × length · coefficients: segments × vectors × slots · output:
//          vectors × length
// Access   a group adds up the segments of the coefficients of a vector, then a lane updates one element; one barrier
//          for CHUNK slots. Loops of a constant length keep UNROLLED loads in flight.
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

// The coefficients of one vector, with their sign: of so many slots at a time.
const CHUNK = 256u;
const UNROLLED = 8u;
var<workgroup> factors: array<f32, CHUNK>;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let blocks = (params.length + LANES - 1u) / LANES;
    let index = group_index(group, groups);
    let vector = index / blocks;
    if vector >= params.vectors || skips(vector, params.masked) { // uniform over the group: the barriers stay legal
        return;
    }
    let element = index % blocks * LANES + lane;
    // Lanes past the end repeat the last element, and do not write it.
    let place = vector * params.length + min(element, params.length - 1u);
    let count = params.vectors * params.slots;
    var sum = output[place];
    for (var first = 0u; first < params.slots; first += CHUNK) {
        let slots = min(CHUNK, params.slots - first);
        if first > 0u {
            workgroupBarrier(); // the coefficients before were used
        }
        for (var own = lane; own < slots; own += LANES) {
            var coefficient = 0.0;
            for (var segment = 0u; segment < params.segments; segment++) {
                coefficient += coefficients[segment * count + vector * params.slots + first + own];
            }
            factors[own] = params.sign * coefficient;
        }
        workgroupBarrier();
        let basis_start = first * params.stride + place;
        var slot = 0u;
        for (; slot + UNROLLED <= slots; slot += UNROLLED) {
            for (var next = 0u; next < UNROLLED; next++) {
                sum = fma(factors[slot + next], basis[basis_start + (slot + next) * params.stride], sum);
            }
        }
        for (; slot < slots; slot++) {
            sum = fma(factors[slot], basis[basis_start + slot * params.stride], sum);
        }
    }
    if element < params.length {
        output[place] = sum;
    }
}
