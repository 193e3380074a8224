// image[plane, h, w] = Σ picked[plane, y, x] over the windows that chose this pixel: the adjoint of pool_pick in its
// image. Where a choice is NaN, so are the pixels of its window.
//
// Shapes   picked and choice: planes × response · image: planes × height × width
// Access   a lane goes through the windows that one pixel is part of; neighbours have neighbouring pixels.
// Accuracy gamma(windows - 1) · Σ|picked|, of the windows that a pixel is part of

@group(0) @binding(0) var<storage, read> picked: array<f32>;
@group(0) @binding(1) var<storage, read> choice: array<f32>;
@group(0) @binding(2) var<storage, read_write> image: array<f32>;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = group_index(group, groups) * LANES + lane;
    let size = response_size();
    let pixels = params.image.x * params.image.y;
    let plane = index / pixels;
    if plane >= params.batch {
        return;
    }
    let place = vec2u(index % pixels / params.image.y, index % params.image.y) + params.padding;
    // From the first window whose last element reaches the pixel, to the last that begins no later.
    let reach = min((params.kernel - 1u) * params.dilation, place);
    let first = (place - reach + params.stride - 1u) / params.stride;
    let end = min(place / params.stride + 1u, size);
    var total = 0.0;
    for (var y = first.x; y < end.x; y++) {
        let down = place.x - y * params.stride.x;
        for (var x = first.y; x < end.y; x++) {
            let across = place.y - x * params.stride.y;
            let tap = down / params.dilation.x * params.kernel.y + across / params.dilation.y;
            let met = down % params.dilation.x == 0u && across % params.dilation.y == 0u;
            let window = (plane * size.x + y) * size.y + x;
            if met && is_nan(choice[window]) {
                total = choice[window];
            } else if met && !is_nan(total) && u32(choice[window]) == tap {
                total += picked[window];
            }
        }
    }
    image[index] = total;
}
