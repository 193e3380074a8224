// image[n, c, h, w] = Σ response[n, f, y, x] weight[f, c, i, j], over filters f of the group of c, and over windows y,
// x and their elements i, j with h = y stride + i dilation - padding, and so for w: the adjoint of conv2d in its image.
//
// Shapes   response: batch × filters × response · weight: filters × channels / groups × kernel
//          image: batch × channels × height × width
// Access   an invocation owns a tile of 4 channels × 4 pixels, all of one group; what lies past the edge repeats the
//          last one, and is not written. Elements of which none of the four is part are passed over.
// Accuracy sums of RUN products over filters, added up one after another:
//          gamma(min(RUN, filters) + taps ⌈filters / RUN⌉) · Σ|response| |weight|, with the filters of a group

const RUN = 16u;

@group(0) @binding(0) var<storage, read> response: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> image: array<f32>;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = group_index(group, groups) * LANES + lane;
    let size = response_size();
    let area = size.x * size.y;
    let pixels = params.image.x * params.image.y;
    let all = params.batch * pixels;
    let across = (all + 3u) / 4u;
    let down = (params.channels + 3u) / 4u;
    let pixel = index % across * 4u;
    let channel = index / across % down * 4u;
    let part = index / (across * down);
    if part >= params.groups {
        return;
    }
    let taps = params.kernel.x * params.kernel.y;
    let own = neighbours(pixel, all);
    let row = own % pixels / params.image.y + params.padding.x;
    let col = own % params.image.y + params.padding.y;
    let responses = (own / pixels * params.groups + part) * params.filters * area;
    let weights = (part * params.filters * params.channels + neighbours(channel, params.channels)) * taps;
    var total = mat4x4f();
    for (var tap = 0u; tap < taps; tap++) {
        let down_by = vec4u(tap / params.kernel.y * params.dilation.x);
        let right_by = vec4u(tap % params.kernel.y * params.dilation.y);
        let y = (row - down_by) / params.stride.x;
        let x = (col - right_by) / params.stride.y;
        let inside = (row >= down_by) & (y * params.stride.x + down_by == row) & (y < vec4u(size.x))
            & (col >= right_by) & (x * params.stride.y + right_by == col) & (x < vec4u(size.y));
        if !any(inside) {
            continue;
        }
        let places = select(vec4u(), responses + y * size.y + x, inside);
        for (var first = 0u; first < params.filters; first += RUN) {
            var run = mat4x4f();
            let end = min(first + RUN, params.filters);
            for (var step = first; step < end; step++) {
                let a = places + step * area;
                let b = weights + step * params.channels * taps + tap;
                let seen = select(vec4f(), vec4f(response[a.x], response[a.y], response[a.z], response[a.w]), inside);
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
    for (var i = 0u; i < min(4u, params.channels - channel); i++) {
        for (var j = 0u; j < min(4u, all - pixel); j++) {
            let item = (pixel + j) / pixels;
            let place = (item * params.groups + part) * params.channels + channel + i;
            image[place * pixels + (pixel + j) % pixels] = total[i][j];
        }
    }
}
