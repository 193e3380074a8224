//! Every kernel against its `f64` reference implementation, on the adapter of `OPNORM_ADAPTER`: a row of `table.rs` for
//! each.
//!
//! A row runs over edge sizes, storages, ranges of values and masks, in both profiles, with shaders trusted and
//! checked, and with matrices cut into panels. `OPNORM_FULL=1` takes all edge sizes, of which other runs take a fifth.
//! Bounds are derived (`bounds.rs`): the number of roundings follows from the kernel's shape, and stands at the row's
//! function.

mod bounds;
mod case;
mod columns;
mod comparison;
mod dense;
mod factors;
mod krylov;
mod padding;
mod planted;
mod products;
mod refusals;
mod row;
mod setup;
mod shapes;
mod sliding;
mod sparse;
mod steps;
mod substitution;
mod symmetric;
mod table;
mod tensor;
mod textures;
mod values;
mod vector;
mod whole;
