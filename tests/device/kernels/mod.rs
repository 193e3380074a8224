//! Every kernel against its `f64` twin, on the adapter that `OPNORM_ADAPTER` names: one row of `table.rs` a kernel.
//!
//! A row runs over edge sizes, storages, ranges of values and masks, in both profiles, with shaders trusted and
//! checked, and with matrices cut into panels. `OPNORM_FULL=1` takes all edge sizes, and a fifth of them run otherwise.
//! Bounds are derived (`bounds.rs`): how many roundings a kernel has follows from its shape and is said at its row's
//! function.

mod bounds;
mod case;
mod columns;
mod comparison;
mod dense;
mod krylov;
mod padding;
mod planted;
mod products;
mod refusals;
mod row;
mod setup;
mod shapes;
mod sliding;
mod symmetric;
mod table;
mod tensor;
mod values;
mod vector;
