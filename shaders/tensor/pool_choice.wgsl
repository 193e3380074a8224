// choice[plane, y, x] = the number, counted row by row, of the window's element that is the largest of those in the
// image; the first of equals, and NaN where there is one.
//
// Shapes   image: planes × height × width · choice: planes × response
// Access   a lane looks through one window; neighbours have neighbouring windows.
// Accuracy exact.

@group(0) @binding(0) var<storage, read> image: array<f32>;
@group(0) @binding(1) var<storage, read_write> choice: array<f32>;

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
    let taps = params.kernel.x * params.kernel.y;
    var best = BELOW_ALL;
    var chosen = 0u;
    for (var tap = 0u; tap < taps; tap++) {
        let place = corner + vec2i(vec2u(tap / params.kernel.y, tap % params.kernel.y) * params.dilation);
        if any(place < vec2i()) || any(place >= vec2i(params.image)) {
            continue;
        }
        let own = order(image[(plane * params.image.x + u32(place.x)) * params.image.y + u32(place.y)]);
        if own > best {
            best = own;
            chosen = tap;
        }
    }
    choice[index] = nan_where(best == ABOVE_ALL, f32(chosen));
}
