// alpha and beta of a step: beta = root of a sum of squares, inverse = 1 / beta, and shift = beta / alpha.
//
// Shapes   squares: segments × vectors, as sum_squares writes them · norms: at first_alpha, vectors that are read, and
//          after them vectors that are written · inverses, shifts, mask, states: vectors
// Access   a lane adds up one vector's segments.
// Accuracy as normaliser: gamma((segments - 1) / 2 + 4.5) for beta, and 2.5 more for the quotients, relative.
//
// A norm of at most `breakdown` times the largest one so far is rounding noise: the space is invariant, and the vector
// leaves the mask with inverse and shift 0 and the number of the norm in its state. So does one that is not finite.
// Where alpha ends the space, beta is 0.

struct Params {
    vectors: u32,
    segments: u32,
    first_alpha: u32,
    step: u32,
    breakdown: f32,
}

@group(0) @binding(0) var<storage, read> squares: array<f32>;
@group(0) @binding(1) var<storage, read_write> norms: array<f32>;
@group(0) @binding(2) var<storage, read_write> inverses: array<f32>;
@group(0) @binding(3) var<storage, read_write> shifts: array<f32>;
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
    let alpha = norms[params.first_alpha + vector];
    var beta = 0.0;
    var inverse = 0.0;
    var shift = 0.0;
    var running = goes_on(vector, alpha, 2u * params.step, params.breakdown);
    if running {
        var square = 0.0;
        for (var segment = 0u; segment < params.segments; segment++) {
            square += squares[segment * params.vectors + vector];
        }
        beta = sqrt(square);
        running = goes_on(vector, beta, 2u * params.step + 1u, params.breakdown);
    }
    if running {
        inverse = 1.0 / beta;
        shift = beta / alpha;
    } else {
        mask[vector] = 0u;
    }
    norms[params.first_alpha + params.vectors + vector] = beta;
    inverses[vector] = inverse;
    shifts[vector] = shift;
}
