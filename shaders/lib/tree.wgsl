// Sums of runs, added up as a binary tree: the sum of 2^k runs waits at level k until a second one of its size is
// there.
//
// Accuracy ⌈log2 runs⌉ roundings at the most. Each level has a place of its own in memory, so that no compiler reorders
//          the tree.

const RUN = 16u;

// 2^16 runs of 16 are more than the loop budget lets an invocation add.
var<private> tree_sums: array<f32, 17>;
var<private> tree_runs: u32;

fn tree_add(run: f32) {
    var sum = run;
    var level = 0u;
    for (var before = tree_runs; (before & 1u) == 1u; before >>= 1u) {
        sum = tree_sums[level] + sum;
        level++;
    }
    tree_sums[level] = sum;
    tree_runs++;
}

// The sum of all runs: the levels that wait, from the smallest up.
fn tree_total() -> f32 {
    var total = 0.0;
    var level = 0u;
    for (var left = tree_runs; left > 0u; left >>= 1u) {
        if (left & 1u) == 1u {
            total = tree_sums[level] + total;
        }
        level++;
    }
    return total;
}

