// The elements of an input that fits uniform memory.

@group(0) @binding(1) var<uniform> input: array<vec4f, 4096>;

fn element(index: u32) -> f32 {
    return input[index >> 2u][index & 3u];
}
