// weight[segment, f, c, i, j] = Σ image[n, c, y stride + i dilation - padding, ...] response[n, f, y, x], over one
// segment of all windows n, y, x; outside the image are zeros: the adjoint of conv2d in its weight, in parts.
//
// Shapes   image: batch × channels × height × width · response: batch × filters × response
//          weight: segments × filters × channels / groups × kernel
// Access   an invocation owns a tile of 4 filters × 4 neighbours in channels × kernel, all of one group, for one
//          segment; what lies past the edge repeats the last one, and is not written.
// Accuracy runs of 16 products, and a tree of their sums: gamma(16 + ⌈log2 ⌈segment / 16⌉⌉) · Σ|image| |response|

@group(0) @binding(0) var<storage, read> image: array<f32>;
@group(0) @binding(1) var<storage, read> response: array<f32>;
@group(0) @binding(2) var<storage, read_write> weight: array<f32>;

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
    let taps = params.kernel.x * params.kernel.y;
    let pixels = params.image.x * params.image.y;
    let cols = params.channels * taps;
    let across = (cols + 3u) / 4u;
    let down = (params.filters + 3u) / 4u;
    let col = index % across * 4u;
    let first_filter = index / across % down * 4u;
    let part = index / (across * down) % params.groups;
    let segment = index / (across * down * params.groups);
    if segment >= params.segments {
        return;
    }
    let own = neighbours(col, cols);
    let down_by = vec4i(own % taps / params.kernel.y * params.dilation.x) - i32(params.padding.x);
    let right_by = vec4i(own % params.kernel.y * params.dilation.y) - i32(params.padding.y);
    let planes = own / taps * pixels;
    let filters = neighbours(first_filter, params.filters) * area;
    let start = segment * params.segment;
    let stop = min(start + params.segment, windows);
    for (var first = start; first < stop; first += RUN) {
        var run = mat4x4f();
        let end = min(first + RUN, stop);
        for (var window = first; window < end; window++) {
            let item = window / area * params.groups + part;
            let y = vec4i(i32(window % area / size.y * params.stride.x)) + down_by;
            let x = vec4i(i32(window % size.y * params.stride.y)) + right_by;
            let inside = (y >= vec4i()) & (y < vec4i(i32(params.image.x))) & (x >= vec4i()) & (x < vec4i(i32(params.image.y)));
            let pixel = select(vec4u(), vec4u(y) * params.image.y + vec4u(x), inside);
            let a = item * params.channels * pixels + planes + pixel;
            let b = item * params.filters * area + filters + window % area;
            var seen = vec4f();
            if any(inside) {
                seen = select(vec4f(), vec4f(image[a.x], image[a.y], image[a.z], image[a.w]), inside);
            }
            run = mat4x4f(
                fma(seen, vec4f(response[b.x]), run[0]),
                fma(seen, vec4f(response[b.y]), run[1]),
                fma(seen, vec4f(response[b.z]), run[2]),
                fma(seen, vec4f(response[b.w]), run[3]),
            );
        }
        tile_tree_add(run);
    }
    let total = tile_tree_total();
    let place = (segment * params.groups + part) * params.filters + first_filter;
    for (var i = 0u; i < min(4u, params.filters - first_filter); i++) {
        for (var j = 0u; j < min(4u, cols - col); j++) {
            weight[(place + i) * cols + col + j] = total[i][j];
        }
    }
}
