// Windows that slide over images: the sizes of a convolution or a pooling, pairs along height and along width.
struct Params {
    image: vec2u,
    kernel: vec2u,
    stride: vec2u,
    padding: vec2u,
    dilation: vec2u,
    batch: u32,
    groups: u32,
    // Of one group.
    channels: u32,
    filters: u32,
    // Of a sum that is cut.
    segment: u32,
    segments: u32,
}
var<immediate> params: Params;

// How many windows there are.
fn response_size() -> vec2u {
    return (params.image + 2u * params.padding - params.dilation * (params.kernel - 1u) - 1u) / params.stride + 1u;
}

// Four neighbours from the first on; what lies past the end repeats the last.
fn neighbours(first: u32, size: u32) -> vec4u {
    return min(vec4u(first) + vec4u(0u, 1u, 2u, 3u), vec4u(size - 1u));
}

