// What the device makes of + - · fma / sqrt, of the test for finite numbers, and of a sum over the lanes of a group.
//
// Shapes   operands: count × (a, b, c, unused) · results: count · lane_totals: groups, each the sum of its a
// Access   a lane takes one triple; numbers come and go as bits, which nothing rounds or flushes.
// Accuracy what is to be found out.

struct Params {
    count: u32,
}

struct Results {
    sum: u32,
    difference: u32,
    product: u32,
    fused: u32,
    quotient: u32,
    root: u32,
    is_finite: u32,
    unused: u32,
}

@group(0) @binding(0) var<storage, read> operands: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> results: array<Results>;
@group(0) @binding(2) var<storage, read_write> lane_totals: array<u32>;
var<immediate> params: Params;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let own_group = group_index(group, groups);
    let index = own_group * LANES + lane;
    if own_group * LANES >= params.count { // uniform over the group, so the barrier in lane_sum stays legal
        return;
    }
    // Lanes past the end repeat the last triple; what comes of it is not written, and not summed.
    let bits = operands[min(index, params.count - 1u)];
    let a = bitcast<f32>(bits.x);
    let b = bitcast<f32>(bits.y);
    let c = bitcast<f32>(bits.z);
    if index < params.count {
        results[index] = Results(
            bitcast<u32>(a + b),
            bitcast<u32>(a - b),
            bitcast<u32>(a * b),
            bitcast<u32>(fma(a, b, c)),
            bitcast<u32>(a / b),
            bitcast<u32>(sqrt(abs(a))),
            select(0u, 1u, is_finite(a)),
            0u,
        );
    }
    let total = lane_sum(lane, select(0.0, a, index < params.count));
    if lane == 0u {
        lane_totals[own_group] = bitcast<u32>(total);
    }
}
