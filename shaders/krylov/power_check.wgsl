// The stopping test of a power iteration: residual <= rtol · sigma + atol stops its vector.
//
// Shapes   squares: segments × vectors, of the residual · norms: 2 × vectors, |A v| and |Aᵀ u| · factors, mask: vectors
//          · reports: vectors
// Access   a lane tests one vector.
// Accuracy of the residual, that of a norm: gamma((segments - 1) / 2 + 4.5), relative; of sigma, exact in the two-sided
//          form, and gamma(10) in the Gram form: two roots of 4.5 ulp and their product.
//
// Two forms. Two-sided: sigma = |A v|, residual of Aᵀ u = sigma v. Gram: sigma² = |AᵀA v|, residual of AᵀA v = sigma²
// v, divided by |A v|; both are in units of the scaled operator, so neither depends on the scale of the matrix.

const GRAM = 1u;

struct Params {
    vectors: u32,
    segments: u32,
    iteration: u32,
    form: u32,
    rtol: f32,
    atol: f32,
}

struct Report {
    sigma: f32,
    residual: f32,
    converged: u32,
    iteration: u32,
}

@group(0) @binding(0) var<storage, read> squares: array<f32>;
@group(0) @binding(1) var<storage, read> norms: array<f32>;
@group(0) @binding(2) var<storage, read_write> mask: array<u32>;
@group(0) @binding(3) var<storage, read_write> reports: array<Report>;
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
    let forward = norms[vector];
    let backward = norms[params.vectors + vector];
    let residual = sqrt(square);
    let scale = select(forward, backward, params.form == GRAM);
    let sigma = select(forward, sqrt(forward) * sqrt(backward), params.form == GRAM);
    // The Gram residual was divided by |A v|, so is its absolute tolerance, which is in units of sigma² there.
    let absolute = select(params.atol, params.atol / forward, params.form == GRAM);
    reports[vector].sigma = sigma;
    reports[vector].residual = residual;
    reports[vector].iteration = params.iteration;
    if residual <= params.rtol * scale + absolute {
        reports[vector].converged = 1u;
        mask[vector] = 0u;
    }
}
