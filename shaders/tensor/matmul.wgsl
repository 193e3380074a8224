// output = left · right, one product for each item of a batch; either side may lie transposed, as its strides say.
//
// Shapes   left: batch × rows × length · right: batch × length × cols · output: batch × rows × cols
// Access   an invocation owns a tile of 4 × 4 sums; what lies past the edge repeats the last row or column, and is not
//          written.
// Accuracy runs of 16 products, and a tree of their sums: gamma(16 + ⌈log2 ⌈length / 16⌉⌉) · |left| · |right|

struct Params {
    batch: u32,
    rows: u32,
    length: u32,
    cols: u32,
    left_row: u32,
    left_step: u32,
    right_col: u32,
    right_step: u32,
}

@group(0) @binding(0) var<storage, read> left: array<f32>;
@group(0) @binding(1) var<storage, read> right: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
var<immediate> params: Params;

// Four neighbours from the first on, as distances in memory.
fn places(first: u32, size: u32, stride: u32) -> vec4u {
    return min(vec4u(first) + vec4u(0u, 1u, 2u, 3u), vec4u(size - 1u)) * stride;
}

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = group_index(group, groups) * LANES + lane;
    let across = (params.cols + 3u) / 4u;
    let down = (params.rows + 3u) / 4u;
    let col = index % across * 4u;
    let row = index / across % down * 4u;
    let item = index / (across * down);
    if item >= params.batch {
        return;
    }
    let rows = places(row, params.rows, params.left_row) + item * params.rows * params.length;
    let cols = places(col, params.cols, params.right_col) + item * params.length * params.cols;
    for (var first = 0u; first < params.length; first += RUN) {
        var run = mat4x4f();
        let end = min(first + RUN, params.length);
        for (var step = first; step < end; step++) {
            let a = rows + step * params.left_step;
            let b = cols + step * params.right_step;
            let one = vec4f(left[a.x], left[a.y], left[a.z], left[a.w]);
            run = mat4x4f(
                fma(one, vec4f(right[b.x]), run[0]),
                fma(one, vec4f(right[b.y]), run[1]),
                fma(one, vec4f(right[b.z]), run[2]),
                fma(one, vec4f(right[b.w]), run[3]),
            );
        }
        tile_tree_add(run);
    }
    let total = tile_tree_total();
    for (var i = 0u; i < min(4u, params.rows - row); i++) {
        for (var j = 0u; j < min(4u, params.cols - col); j++) {
            output[(item * params.rows + row + i) * params.cols + col + j] = total[j][i];
        }
    }
}
