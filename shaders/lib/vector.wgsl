// The elements of an input.

@group(0) @binding(1) var<storage, read> input: array<f32>;

fn element(index: u32) -> f32 {
    return input[index];
}
