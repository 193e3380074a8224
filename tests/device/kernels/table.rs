//! The table: a row for each kernel, and a test for each row and set-up.
//!
//! `cargo test --test device table::matvec::` runs a row, `hardware_panels` all rows of a set-up. `--nocapture` shows
//! the worst error / bound of each row.

use opnorm::low_level::ops;
use opnorm::tensor::Storage;

use super::row::Row;
use super::setup::Setup;
use super::{dense, factors, krylov, products, sliding, sparse, steps, substitution, symmetric, tensor, vector, whole};

const ALL: &[Storage] = &[Storage::F32, Storage::F16, Storage::Bf16];

// Long sizes are (batch, rows, cols); vector kernels take `batch` vectors of `cols` elements, in `rows` slots or
// segments.

/// 2^21 elements in one item: 65 536 trips of a lane of the software profile, if the sum were not cut.
const SQUARE: (usize, usize, usize) = (1, 2048, 1024);
const LONG: (usize, usize, usize) = (1, 1, 1 << 21);
const MANY: (usize, usize, usize) = (70_000, 1, 3);
const DEEP: (usize, usize, usize) = (1, 60_000, 2);
const WIDE: (usize, usize, usize) = (1, 1, 600_000);

macro_rules! tests_in {
    ($($test:ident = $setup:ident),*) => { $(#[test] fn $test() { row().run(Setup::$setup); })* };
}

/// The set-ups of a kernel without panels.
macro_rules! others {
    () => {
        tests_in! {
            software_trusted = SoftwareTrusted, software_checked = SoftwareChecked,
            hardware_trusted = HardwareTrusted, hardware_checked = HardwareChecked
        }
    };
}

/// The set-ups of a kernel that reads a matrix in one piece, which may be a texture.
macro_rules! pieces {
    () => {
        others! {}
        tests_in! { software_textures = SoftwareTextures }
    };
}

/// The set-ups of a kernel that writes a matrix, which may be cut into panels.
macro_rules! written {
    () => {
        others! {}
        tests_in! { software_panels = SoftwarePanels, hardware_panels = HardwarePanels }
    };
}

/// The set-ups of a kernel that reads a matrix, which may be cut into panels, each of which may be a texture.
macro_rules! matrices {
    () => {
        written! {}
        tests_in! { software_textures = SoftwareTextures, hardware_textures = HardwareTextures }
    };
}

/// A module for each kernel, of the same name, with its row and a test for each of its set-ups.
macro_rules! table {
    ($($setups:ident { $($kernel:ident = $check:path { $($field:ident: $value:expr),* $(,)? })* })*) => {
        $($(mod $kernel {
            use super::*;

            pub(super) fn row() -> Row {
                Row { $($field: $value,)* ..Row::of(stringify!($kernel), $check) }
            }

            $setups! {}
        })*)*

        fn names() -> Vec<&'static str> {
            vec![$($($kernel::row().name),*),*]
        }
    };
}

// kernel = comparison { the differences from `Row::of` }
table! {
    matrices {
        matvec = dense::matvec { storages: ALL, masks: true, long: &[(1, 2, 600_000), (1, 300_001, 4), (70_000, 2, 3)] }
        matvec_adjoint = dense::matvec_adjoint {
            storages: ALL, masks: true, long: &[(1, 70_000, 3), (1, 600_000, 1), (70_000, 3, 2)],
        }
        matvec_vectors = dense::matvec_vectors {
            storages: ALL, masks: true, long: &[(1, 2, 600_000), (1, 300_001, 4), (70_000, 2, 3)],
        }
        matvec_adjoint_vectors = dense::matvec_adjoint_vectors {
            storages: ALL, masks: true, long: &[(1, 70_000, 3), (1, 600_000, 1), (70_000, 3, 2)],
        }
        matvec_both = steps::matvec_both { storages: ALL, masks: true, long: &[(1, 300_001, 4), (70_000, 2, 3)] }
        row_abs_sums = dense::row_abs_sums { storages: ALL, long: &[(1, 3, 600_000), (1, 600_000, 3)] }
        column_abs_sums = dense::column_abs_sums { storages: ALL, long: &[(1, 600_000, 3), (1, 2, 2_200_000)] }
        square_sums = dense::square_sums { storages: ALL, long: &[SQUARE, LONG, MANY] }
        screen = dense::screen { storages: ALL, long: &[SQUARE, LONG, MANY] }
        decode = dense::decode { storages: ALL, long: &[SQUARE, LONG] }
        gram = symmetric::gram { long: &[(1, 70_000, 3), (70_000, 3, 2), (1, 2, 1500)] }
    }

    written {
        pack = dense::pack { long: &[SQUARE, LONG, (1, 600_000, 3)] }
        sparse_product = sparse::sparse_product {
            masks: true, long: &[(1, 3, 600_000), (1, 300_001, 4), (70_000, 2, 3)],
        }
        outer = dense::outer { long: &[SQUARE, (70_000, 3, 2)] }
        mirror = symmetric::mirror { long: &[(1, 1, 1500), (70_000, 1, 2)] }
    }

    pieces {
        bidiagonalise = whole::bidiagonalise { storages: ALL, masks: true, long: &[(70_000, 2, 3)] }
    }

    others {
        arithmetic = vector::arithmetic { long: &[(1, 1, 600_000)] }
        dot = vector::dot { masks: true, long: &[LONG, MANY] }
        sum_squares = vector::sum_squares { masks: true, long: &[LONG, MANY] }
        residual_squares = vector::residual_squares { masks: true, long: &[LONG, MANY] }
        max_abs = vector::max_abs { long: &[LONG, MANY, (600_000, 1, 3)] }
        axpby = vector::axpby { masks: true, long: &[LONG, MANY] }
        scale = vector::scale { masks: true, long: &[LONG, MANY] }
        sum_partials = vector::sum_partials { masks: true, long: &[(1, 45_000, 2), LONG] }
        project = krylov::project { masks: true, long: &[(1, 2, 1 << 20), (700, 100, 3)] }
        combine = krylov::combine { masks: true, long: &[(1, 20_000, 2), LONG] }
        range = krylov::range { masks: true, long: &[DEEP, WIDE] }
        normaliser = krylov::normaliser { masks: true, long: &[DEEP, WIDE] }
        remainder = steps::remainder { masks: true, long: &[(1, 45_000, 2), LONG] }
        step_norms = steps::step_norms { masks: true, long: &[DEEP, WIDE] }
        power_check = krylov::power_check { masks: true, long: &[DEEP, WIDE] }
        unary = tensor::unary { long: &[(70_000, 1, 3)] }
        binary = tensor::binary { long: &[LONG, MANY] }
        strided = tensor::strided { long: &[LONG, MANY] }
        window = tensor::window { long: &[LONG, MANY] }
        sum_axis = tensor::sum_axis { long: &[LONG, MANY, (1, 3, 70_000)] }
        sparse_sums = sparse::sparse_sums { masks: true, long: &[(1, 3000, 300), MANY] }
        matmul = products::matmul { long: &[(1, 5, 40_000), MANY, (1, 600, 70)] }
        matmul_side = products::matmul_side { long: &[(1, 70_000, 9), MANY, (1, 3, 600_000)] }
        matmul_tiles = products::matmul_tiles { long: &[(1, 5, 40_000), MANY, (1, 600, 70)] }
        gather = tensor::gather { long: &[LONG, MANY] }
        insert = tensor::insert { long: &[LONG, MANY] }
        conv2d = sliding::conv2d { long: &[(1, 1, 20_000), MANY] }
        conv2d_transposed = sliding::conv2d_transposed { long: &[(1, 1, 20_000), MANY] }
        conv2d_weight = sliding::conv2d_weight { long: &[(1, 1, 70_000), MANY] }
        pool_choice = sliding::pool_choice { long: &[(1, 50_000, 3), MANY] }
        pool_pick = sliding::pool_pick { long: &[(1, 50_000, 3), MANY] }
        pool_unpick = sliding::pool_unpick { long: &[MANY] }
        lu_panel = factors::lu_panel { long: &[(1, 1, 2048), MANY] }
        lu_rows = factors::lu_rows { long: &[MANY] }
        lu_update = factors::lu_update { long: &[MANY] }
        lu_solve = substitution::lu_solve { long: &[(1, 1, 2048), MANY] }
        lu_permute = substitution::lu_permute { long: &[(1, 1, 2048), MANY] }
        lu_diagonal = substitution::lu_diagonal { long: &[(1, 1, 2048), MANY] }
    }
}

#[test]
fn every_kernel_has_a_row_and_every_row_a_kernel() {
    let (rows, kernels) = (names(), ops::kernels());
    let without: Vec<_> =
        kernels.iter().filter(|kernel| !rows.contains(&kernel.stem)).map(|kernel| kernel.name).collect();
    assert!(without.is_empty(), "no row for {without:?}");
    let unknown: Vec<_> = rows.iter().filter(|row| !kernels.iter().any(|kernel| kernel.stem == **row)).collect();
    assert!(unknown.is_empty(), "no kernel for {unknown:?}");
}
