// Whole steps of Golub and Kahan's bidiagonalisation, of matrices whose vectors a workgroup holds.
//
//   alpha u = f A v - beta u          beta v' = (1 - V Vᵀ)² (f Aᵀ u - alpha v), V = all slots up to that of v
//
// Shapes   matrix: items × rows × quads · factors (f), mask, states, shifts: vectors · values: steps × 2 × vectors,
//          alphas and then betas · basis: slots × stride, a vector of the short side for each vector in a slot · other:
//          vectors × long; before the steps, shift · other is beta u, and after the steps u and beta are left there
// Access   a group takes all steps of one vector. Both sides of a product lie in workgroup memory; the matrix and the
//          basis are read from memory, which is in the caches.
// Accuracy per step, with n the length of a sum: quads a lane chain of fma and 3 sums; rows, slots and squares n - 1
//          sums; lanes LANES - 1; norms and inverses as the normaliser's.
//
// The first step of a first cycle chooses f, the power of two that brings the largest element of A v to [1, 2). A norm
// of at most `breakdown` √(step + 1) times the largest one so far is rounding noise: it is written as 0, and the vector
// leaves the mask. So does a vector that is not finite, or whose first product is zero.

const SIDE = 512u;
const SLOTS = 64u;

struct Params {
    vectors: u32,
    columns: u32,
    rows: u32,
    cols: u32,
    quads: u32,
    transposed: u32,
    stride: u32,
    first_step: u32,
    steps: u32,
    chooses_range: u32,
    breakdown: f32,
}

@group(0) @binding(1) var<storage, read_write> factors: array<f32>;
@group(0) @binding(2) var<storage, read_write> mask: array<u32>;
@group(0) @binding(3) var<storage, read_write> states: array<State>;
@group(0) @binding(4) var<storage, read_write> values: array<f32>;
@group(0) @binding(5) var<storage, read_write> basis: array<f32>;
@group(0) @binding(6) var<storage, read_write> other: array<f32>;
@group(0) @binding(7) var<storage, read_write> shifts: array<f32>;
var<immediate> params: Params;

// A vector over the columns of the matrix, then one over its rows.
var<workgroup> sides: array<f32, 2u * SIDE>;
var<workgroup> coefficients: array<f32, SLOTS>;
var<workgroup> lane_parts: array<f32, LANES>;
var<workgroup> lane_bits: array<u32, LANES>;
var<workgroup> decision: f32;
var<workgroup> latest_norm: f32;

// rows side = matrix · columns side.
fn multiply(lane: u32, start: u32) {
    for (var row = lane; row < params.rows; row += LANES) {
        var sum = vec4f();
        for (var quad = 0u; quad < params.quads; quad++) {
            let place = quad * 4u;
            let x = vec4f(sides[place], sides[place + 1u], sides[place + 2u], sides[place + 3u]);
            sum = fma(matrix_quad(start + row * params.quads + quad), x, sum);
        }
        sides[SIDE + row] = dot(sum, vec4f(1.0));
    }
}

// columns side = matrixᵀ · rows side.
fn multiply_adjoint(lane: u32, start: u32) {
    for (var quad = lane; quad < params.quads; quad += LANES) {
        var sum = vec4f();
        for (var row = 0u; row < params.rows; row++) {
            sum = fma(matrix_quad(start + row * params.quads + quad), vec4f(sides[SIDE + row]), sum);
        }
        let place = quad * 4u;
        sides[place] = sum.x;
        sides[place + 1u] = sum.y;
        sides[place + 2u] = sum.z;
        sides[place + 3u] = sum.w;
    }
}

// The factor of a vector from its first product, whose largest element a lane holds as bits; 0 where it stops.
fn choose_range(lane: u32, vector: u32, largest_bits: u32) -> f32 {
    lane_bits[lane] = largest_bits;
    workgroupBarrier();
    if lane == 0u {
        var largest = 0u;
        for (var part = 0u; part < LANES; part++) {
            largest = max(largest, lane_bits[part]);
        }
        let factor = range_factor(largest);
        factors[vector] = factor;
        decision = factor;
        if largest == 0u || largest >= 0x7f800000u {
            states[vector].kind = select(NON_FINITE, ZERO, largest == 0u);
            mask[vector] = 0u;
            decision = 0.0;
        }
    }
    return workgroupUniformLoad(&decision);
}

// The norm of a vector, whose squares a lane has added up, into values[place]; 1 / norm, or 0 where the vector stops.
fn normalise(lane: u32, vector: u32, squares: f32, place: u32, half_step: u32) -> f32 {
    lane_parts[lane] = squares;
    workgroupBarrier();
    if lane == 0u {
        var square = 0.0;
        for (var part = 0u; part < LANES; part++) {
            square += lane_parts[part];
        }
        let norm = sqrt(square);
        let breakdown = params.breakdown * sqrt(f32(half_step / 2u + 1u));
        latest_norm = norm;
        values[place] = norm;
        if goes_on(vector, norm, half_step, breakdown) {
            decision = 1.0 / norm;
        } else {
            decision = 0.0;
            mask[vector] = 0u;
            if states[vector].kind == BREAKDOWN {
                values[place] = 0.0;
            }
        }
    }
    return workgroupUniformLoad(&decision);
}

// The vector of the short side less its part in the first slots of the basis.
fn orthogonalise(lane: u32, slots: u32, at_short: u32, basis_start: u32, short: u32) {
    workgroupBarrier();
    for (var slot = lane; slot < slots; slot += LANES) {
        let start = slot * params.stride + basis_start;
        var sum = 0.0;
        for (var place = 0u; place < short; place++) {
            sum = fma(basis[start + place], sides[at_short + place], sum);
        }
        coefficients[slot] = sum;
    }
    workgroupBarrier();
    for (var place = lane; place < short; place += LANES) {
        var sum = sides[at_short + place];
        for (var slot = 0u; slot < slots; slot++) {
            sum = fma(-coefficients[slot], basis[slot * params.stride + basis_start + place], sum);
        }
        sides[at_short + place] = sum;
    }
}

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let vector = group_index(group, groups);
    if vector >= params.vectors {
        return;
    }
    if lane == 0u {
        decision = select(0.0, 1.0, mask[vector] != 0u);
    }
    if workgroupUniformLoad(&decision) == 0.0 {
        return;
    }
    let start = vector / params.columns * params.rows * params.quads;
    let is_transposed = params.transposed != 0u;
    let short = select(params.cols, params.rows, is_transposed);
    let long = select(params.rows, params.cols, is_transposed);
    let at_short = select(0u, SIDE, is_transposed);
    let at_long = SIDE - at_short;
    let basis_start = vector * short;
    let other_start = vector * long;
    // What lies past the columns in their last quad meets zeros of the matrix, and must be finite.
    for (var place = params.cols + lane; place < params.quads * 4u; place += LANES) {
        sides[place] = 0.0;
    }

    var beta = shifts[vector];
    for (var step = params.first_step; step < params.first_step + params.steps; step++) {
        let now = step * params.stride + basis_start;
        let alpha_place = 2u * step * params.vectors + vector;
        for (var place = lane; place < short; place += LANES) {
            sides[at_short + place] = basis[now + place];
        }
        workgroupBarrier();
        if is_transposed {
            multiply_adjoint(lane, start);
        } else {
            multiply(lane, start);
        }
        workgroupBarrier();

        var factor = factors[vector];
        if step == 0u && params.chooses_range != 0u {
            var largest = 0u;
            for (var place = lane; place < long; place += LANES) {
                largest = max(largest, bitcast<u32>(sides[at_long + place]) & 0x7fffffffu);
            }
            factor = choose_range(lane, vector, largest);
            if factor == 0.0 {
                return;
            }
        }
        var squares = 0.0;
        for (var place = lane; place < long; place += LANES) {
            let value = fma(-beta, other[other_start + place], factor * sides[at_long + place]);
            sides[at_long + place] = value;
            squares = fma(value, value, squares);
        }
        let of_alpha = normalise(lane, vector, squares, alpha_place, 2u * step);
        if of_alpha == 0.0 {
            return;
        }
        let alpha = latest_norm;
        for (var place = lane; place < long; place += LANES) {
            let value = of_alpha * sides[at_long + place];
            sides[at_long + place] = value;
            other[other_start + place] = value;
        }
        workgroupBarrier();

        if is_transposed {
            multiply(lane, start);
        } else {
            multiply_adjoint(lane, start);
        }
        workgroupBarrier();
        for (var place = lane; place < short; place += LANES) {
            let at = at_short + place;
            sides[at] = fma(-alpha, basis[now + place], factor * sides[at]);
        }
        orthogonalise(lane, step + 1u, at_short, basis_start, short);
        orthogonalise(lane, step + 1u, at_short, basis_start, short);
        squares = 0.0;
        for (var place = lane; place < short; place += LANES) {
            squares = fma(sides[at_short + place], sides[at_short + place], squares);
        }
        let of_beta = normalise(lane, vector, squares, alpha_place + params.vectors, 2u * step + 1u);
        if of_beta == 0.0 {
            return;
        }
        beta = latest_norm;
        if lane == 0u {
            shifts[vector] = beta;
        }
        for (var place = lane; place < short; place += LANES) {
            basis[now + params.stride + place] = of_beta * sides[at_short + place];
        }
        storageBarrier();
        workgroupBarrier();
    }
}
