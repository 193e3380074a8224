// factor = 2^-e for each vector, e the exponent of its largest magnitude: the range that a solver works in.
//
// Shapes   screens: segments × vectors, as max_abs writes them · factors: vectors · mask and states: vectors
// Access   a lane reads one vector's segments.
// Accuracy exact: a power of two is put together from its bits.
//
// A vector that is zero or not finite is told by its state and taken out of the mask.

struct Params {
    vectors: u32,
    segments: u32,
}

@group(0) @binding(0) var<storage, read> screens: array<vec2u>;
@group(0) @binding(1) var<storage, read_write> factors: array<f32>;
@group(0) @binding(2) var<storage, read_write> mask: array<u32>;
@group(0) @binding(3) var<storage, read_write> states: array<State>;
var<immediate> params: Params;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let vector = group_index(group, groups) * LANES + lane;
    if vector >= params.vectors || mask[vector] == 0u {
        return;
    }
    var largest = 0u;
    var bad = 0xffffffffu;
    for (var segment = 0u; segment < params.segments; segment++) {
        let screen = screens[segment * params.vectors + vector];
        largest = max(largest, screen.x);
        bad = min(bad, screen.y);
    }
    factors[vector] = range_factor(largest);
    if bad != 0xffffffffu {
        states[vector].kind = NON_FINITE;
        mask[vector] = 0u;
    } else if largest == 0u {
        states[vector].kind = ZERO;
        mask[vector] = 0u;
    }
}
