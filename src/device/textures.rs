//! A measurement of an adapter: whether it reads matrices faster as textures, and vectors as uniform memory.
//!
//! On a processor without AVX-512, lavapipe loads each element of a storage buffer with a store that stalls the next
//! load; SwiftShader loads textures no faster. So the time decides, and no name.

use std::time::{Duration, Instant};

use super::buffer::Buffer;
use super::field::Field;
use super::grid::Grid;
use super::handle::Device;
use super::kernel::{Access, Kernel};
use crate::Result;

/// A kernel that adds up columns as `shaders/dense/matvec_adjoint.wgsl` does, with the texts of one form before it.
macro_rules! columns {
    ($name:literal, $matrix:literal, $vector:literal, [$($access:ident),*]) => {
        Kernel {
            name: $name,
            stem: $name,
            source: &[
                include_str!("../../shaders/lib/group.wgsl"),
                include_str!(concat!("../../shaders/lib/", $matrix, ".wgsl")),
                include_str!(concat!("../../shaders/lib/", $vector, ".wgsl")),
                COLUMNS,
            ],
            access: &[$(Access::$access),*],
            params: &[Field::of::<u32>("rows", 0), Field::of::<u32>("quads", 4)],
            host: |_, _| {},
        }
    };
}

static IN_BUFFERS: Kernel = columns!("columns_of_a_buffer", "matrix_f32", "vector", [Read, Read, Write]);
static IN_TEXTURES: Kernel =
    columns!("columns_of_a_texture", "matrix_texels", "vector_uniform", [Texels, Uniform, Write]);

const COLUMNS: &str = "
struct Params {
    rows: u32,
    quads: u32,
}

@group(0) @binding(2) var<storage, read_write> output: array<vec4f>;
var<immediate> params: Params;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let first = group.x * LANES * 4u + lane;
    var sums = array<vec4f, 4>();
    for (var row = 0u; row < params.rows; row++) {
        let x = vec4f(element(row));
        let place = row * params.quads + first;
        sums[0] = fma(matrix_quad(place), x, sums[0]);
        sums[1] = fma(matrix_quad(place + LANES), x, sums[1]);
        sums[2] = fma(matrix_quad(place + 2u * LANES), x, sums[2]);
        sums[3] = fma(matrix_quad(place + 3u * LANES), x, sums[3]);
    }
    output[group.x * LANES + lane] = sums[0] + sums[1] + sums[2] + sums[3];
}
";

/// A matrix of 1 MiB: small enough for some milliseconds, large enough that its loads take the time.
const ROWS: usize = 128;
const QUADS: usize = 512;

/// Rounds of each form, of which the first is not timed: it compiles.
const ROUNDS: usize = 4;

/// Launches of a round, next to which a submit takes no time.
const LAUNCHES: usize = 4;

/// The least ratio of times for which textures are used.
const GAIN: f64 = 1.1;

/// Whether products with a matrix in a texture and a vector in uniform memory are faster than with both in buffers;
/// false where the matrix of the measurement exceeds a binding.
///
/// # Errors
/// As [`Buffer::zeros`]; a refusal of the driver.
pub(super) async fn are_faster(device: &Device) -> Result<bool> {
    let operation = "measure textures";
    let words = ROWS * QUADS * 4;
    if device.capabilities().binding_elements() < words {
        return Ok(false);
    }
    let forms = [
        (&IN_BUFFERS, Buffer::<u32>::zeros(device, operation, words)?),
        (&IN_TEXTURES, Buffer::<u32>::texels(device, operation, words)?),
    ];
    let input = Buffer::<f32>::zeros(device, operation, ROWS)?;
    let output = Buffer::<[f32; 4]>::zeros(device, operation, QUADS / 4)?;
    let grid = Grid::groups(QUADS / (4 * device.capabilities().profile.lanes as usize));
    let mut fastest = [Duration::MAX; 2];
    for round in 0..ROUNDS {
        for ((kernel, matrix), fastest) in forms.iter().zip(&mut fastest) {
            let start = Instant::now();
            let mut recorder = device.recorder();
            for _ in 0..LAUNCHES {
                let bindings = [matrix.into(), (&input).into(), (&output).into()];
                recorder.dispatch(kernel, grid, &[ROWS as u32, QUADS as u32], &bindings)?;
            }
            let done = recorder.read(&output.slice(0..1))?;
            recorder.submit()?;
            done.contents().await?;
            if round > 0 {
                *fastest = start.elapsed().min(*fastest);
            }
        }
    }
    let [buffers, textures] = fastest.map(|time| time.as_secs_f64());
    Ok(buffers >= GAIN * textures)
}
