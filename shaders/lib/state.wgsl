// The state of each vector of an iteration: its largest norm, the reason for which it left the mask, and the number of
// its last norm.

const ZERO = 1u;
const NON_FINITE = 2u;
const BREAKDOWN = 3u;

struct State {
    largest: f32,
    kind: u32,
    step: u32,
}

// Whether a vector goes on after a norm, which its state takes in. A norm of at most `breakdown` times the largest one
// so far is rounding noise.
fn goes_on(vector: u32, norm: f32, number: u32, breakdown: f32) -> bool {
    let largest = max(states[vector].largest, norm);
    states[vector].step = number;
    if !is_finite(norm) {
        states[vector].kind = NON_FINITE;
        return false;
    }
    if norm <= breakdown * largest {
        states[vector].kind = BREAKDOWN;
        return false;
    }
    states[vector].largest = largest;
    return true;
}

