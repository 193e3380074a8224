// Vectors in the order of the rows of LU factors, or back in their own.
//
// Shapes   factors: batch × (size + 2) × size, as in lu_panel · input, output: batch × vectors × size
// Access   an invocation moves one number.
// Accuracy exact.

struct Params {
    batch: u32,
    size: u32,
    vectors: u32,
    inverse: u32,
}

@group(0) @binding(0) var<storage, read> factors: array<f32>;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
var<immediate> params: Params;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = group_index(group, groups) * LANES + lane;
    let size = params.size;
    if index >= params.batch * params.vectors * size {
        return;
    }
    let vector = index / size;
    let row = index % size;
    let permutation = (vector / params.vectors * (size + 2u) + size + 1u) * size;
    let other = vector * size + min(u32(factors[permutation + row]), size - 1u);
    if params.inverse != 0u {
        output[other] = input[index];
    } else {
        output[index] = input[other];
    }
}
