// response[n, f, y, x] = Σ image[n, c, y stride + i dilation - padding, ...] weight[f, c, i, j], over channels c of the
// group of f and the elements i, j of the window; outside the image are zeros.
//
// Shapes   image: batch × channels × height × width · weight: filters × channels / groups × kernel
//          response: batch × filters × response
// Access   an invocation owns a tile of 4 filters × 4 windows, all of one group; what lies past the edge repeats the
//          last one, and is not written. Elements of a window outside the image for all four are passed over.
// Accuracy sums of RUN products over channels, added up one after another:
//          gamma(min(RUN, channels) + taps ⌈channels / RUN⌉) · Σ|image| |weight|, with the channels of a group

const RUN = 16u;

@group(0) @binding(0) var<storage, read> image: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> response: array<f32>;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = group_index(group, groups) * LANES + lane;
    let size = response_size();
    let area = size.x * size.y;
    let windows = params.batch * area;
    let across = (windows + 3u) / 4u;
    let down = (params.filters + 3u) / 4u;
    let window = index % across * 4u;
    let first_filter = index / across % down * 4u;
    let part = index / (across * down);
    if part >= params.groups {
        return;
    }
    let taps = params.kernel.x * params.kernel.y;
    let pixels = params.image.x * params.image.y;
    let own = neighbours(window, windows);
    let top = vec4i(own % area / size.y * params.stride.x) - i32(params.padding.x);
    let left = vec4i(own % size.y * params.stride.y) - i32(params.padding.y);
    let images = (own / area * params.groups + part) * params.channels * pixels;
    let weights = (part * params.filters + neighbours(first_filter, params.filters)) * params.channels * taps;
    var total = mat4x4f();
    for (var tap = 0u; tap < taps; tap++) {
        let row = top + i32(tap / params.kernel.y * params.dilation.x);
        let col = left + i32(tap % params.kernel.y * params.dilation.y);
        let inside = (row >= vec4i()) & (row < vec4i(i32(params.image.x))) & (col >= vec4i()) & (col < vec4i(i32(params.image.y)));
        if !any(inside) {
            continue;
        }
        let places = select(vec4u(), images + vec4u(row) * params.image.y + vec4u(col), inside);
        for (var first = 0u; first < params.channels; first += RUN) {
            var run = mat4x4f();
            let end = min(first + RUN, params.channels);
            for (var channel = first; channel < end; channel++) {
                let a = places + channel * pixels;
                let b = weights + channel * taps + tap;
                let seen = select(vec4f(), vec4f(image[a.x], image[a.y], image[a.z], image[a.w]), inside);
                run = mat4x4f(
                    fma(seen, vec4f(weight[b.x]), run[0]),
                    fma(seen, vec4f(weight[b.y]), run[1]),
                    fma(seen, vec4f(weight[b.z]), run[2]),
                    fma(seen, vec4f(weight[b.w]), run[3]),
                );
            }
            total += run;
        }
    }
    for (var i = 0u; i < min(4u, params.filters - first_filter); i++) {
        for (var j = 0u; j < min(4u, windows - window); j++) {
            let item = (window + j) / area;
            let place = (item * params.groups + part) * params.filters + first_filter + i;
            response[place * area + (window + j) % area] = total[i][j];
        }
    }
}
