// norm = root of a sum of squares, and inverse = factor / norm, which turns the vector into a unit vector.
//
// Shapes   squares: segments × vectors, as sum_squares writes them · factors, inverses, mask, states: vectors ·
//          norms: at first_norm, vectors
// Access   a lane adds up one vector's segments.
// Accuracy segments - 1 sums count half under the root; WGSL promises a root as 1 / inverseSqrt, to 2.5 + 2 ulp, and a
//          quotient to 2.5: gamma((segments - 1) / 2 + 4.5) for the norm and 2.5 more for the inverse, relative.
//
// A norm of at most `breakdown` times the largest one so far is rounding noise: the space is invariant, and the vector
// leaves the mask with inverse 0 and the number of the step in its state. So does one that is not finite.

struct Params {
    vectors: u32,
    segments: u32,
    first_norm: u32,
    step: u32,
    breakdown: f32,
}

@group(0) @binding(0) var<storage, read> squares: array<f32>;
@group(0) @binding(1) var<storage, read> factors: array<f32>;
@group(0) @binding(2) var<storage, read_write> norms: array<f32>;
@group(0) @binding(3) var<storage, read_write> inverses: array<f32>;
@group(0) @binding(4) var<storage, read_write> mask: array<u32>;
@group(0) @binding(5) var<storage, read_write> states: array<State>;
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
    var square = 0.0;
    for (var segment = 0u; segment < params.segments; segment++) {
        square += squares[segment * params.vectors + vector];
    }
    let norm = sqrt(square);
    norms[params.first_norm + vector] = norm;
    if goes_on(vector, norm, params.step, params.breakdown) {
        inverses[vector] = factors[vector] / norm;
    } else {
        inverses[vector] = 0.0;
        mask[vector] = 0u;
    }
}
