// output[step, quad] = four neighbours across one step of the inner axis: a side of a product as `matmul_tiles` reads
// it.
//
// Shapes   input: batch × size × length, or batch × length × size, as its strides say · output: batch × length × ⌈size
//          / 4⌉ quads
// Access   a lane moves a block of 4 steps × 4 neighbours, and neighbouring lanes write neighbouring quads. What pads a
//          last quad repeats the last number.
// Accuracy exact.

struct Params {
    batch: u32,
    size: u32,
    length: u32,
    across: u32,
    along: u32,
}

@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4u>;
var<immediate> params: Params;

fn gathered(at: vec4u) -> vec4u {
    return vec4u(input[at.x], input[at.y], input[at.z], input[at.w]);
}

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = group_index(group, groups) * LANES + lane;
    let quads = (params.size + 3u) / 4u;
    let blocks = (params.length + 3u) / 4u;
    let quad = index % quads;
    let step = index / quads % blocks * 4u;
    let item = index / (quads * blocks);
    if item >= params.batch {
        return;
    }
    let places = min(vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u), vec4u(params.size - 1u)) * params.across;
    let at = places + item * params.size * params.length + step * params.along;
    let to = (item * params.length + step) * quads + quad;
    output[to] = gathered(at);
    if step + 1u < params.length {
        output[to + quads] = gathered(at + params.along);
    }
    if step + 2u < params.length {
        output[to + 2u * quads] = gathered(at + 2u * params.along);
    }
    if step + 3u < params.length {
        output[to + 3u * quads] = gathered(at + 3u * params.along);
    }
}
