// Sums of runs of 4 × 4 numbers, added up as a binary tree: the sum of 2^k runs waits at level k until a second one of
// its size is there.
//
// Accuracy ⌈log2 runs⌉ roundings at the most. Each level has a place of its own in memory, so that no compiler reorders
//          the tree.

const RUN = 16u;

// 2^12 runs of 16 are more than the loop budget lets an invocation add.
var<private> tile_sums: array<mat4x4f, 13>;
var<private> tile_runs: u32;

fn tile_tree_add(run: mat4x4f) {
    var sum = run;
    var level = 0u;
    for (var before = tile_runs; (before & 1u) == 1u; before >>= 1u) {
        sum = tile_sums[level] + sum;
        level++;
    }
    tile_sums[level] = sum;
    tile_runs++;
}

// The sum of all runs: the levels that wait, from the smallest up.
fn tile_tree_total() -> mat4x4f {
    var total = mat4x4f();
    var level = 0u;
    for (var left = tile_runs; left > 0u; left >>= 1u) {
        if (left & 1u) == 1u {
            total = tile_sums[level] + total;
        }
        level++;
    }
    return total;
}

