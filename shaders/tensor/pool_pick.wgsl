// picked[plane, y, x] = the element of image whose number in the window is choice[plane, y, x]; 0 where that lies
// outside, and NaN where the choice is.
//
// Shapes   image: planes × height × width · choice and picked: planes × response
// Access   a lane copies one element, by its bits.
// Accuracy exact.

@group(0) @binding(0) var<storage, read> image: array<u32>;
@group(0) @binding(1) var<storage, read> choice: array<f32>;
@group(0) @binding(2) var<storage, read_write> picked: array<u32>;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = group_index(group, groups) * LANES + lane;
    let size = response_size();
    let area = size.x * size.y;
    let plane = index / area;
    if plane >= params.batch {
        return;
    }
    let corner = vec2i(vec2u(index % area / size.y, index % size.y) * params.stride) - vec2i(params.padding);
    if is_nan(choice[index]) {
        picked[index] = bitcast<u32>(choice[index]);
        return;
    }
    let tap = min(u32(choice[index]), params.kernel.x * params.kernel.y - 1u);
    let place = corner + vec2i(vec2u(tap / params.kernel.y, tap % params.kernel.y) * params.dilation);
    var bits = 0u;
    if all(place >= vec2i()) && all(place < vec2i(params.image)) {
        bits = image[(plane * params.image.x + u32(place.x)) * params.image.y + u32(place.y)];
    }
    picked[index] = bits;
}
