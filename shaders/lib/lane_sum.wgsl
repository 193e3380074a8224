// The sum over the lanes of a group, in order; one barrier. Only lane 0 gets it.

var<workgroup> lane_sums: array<f32, LANES>;

fn lane_sum(lane: u32, own: f32) -> f32 {
    lane_sums[lane] = own;
    workgroupBarrier();
    var total = 0.0;
    if lane == 0u {
        for (var other = 0u; other < LANES; other++) {
            total += lane_sums[other];
        }
    }
    return total;
}

