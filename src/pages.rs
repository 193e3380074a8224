//! The Rust of the README and of the pages in `docs/`, as documentation tests.

#[doc = include_str!("../README.md")]
struct Readme;

#[doc = include_str!("../docs/library.md")]
struct Library;

#[doc = include_str!("../docs/solvers.md")]
struct Solvers;

#[doc = include_str!("../docs/layers.md")]
struct Layers;

#[doc = include_str!("../docs/differentiable-solves.md")]
struct DifferentiableSolves;

#[doc = include_str!("../docs/fixed-points.md")]
struct FixedPoints;

#[doc = include_str!("../docs/invertible.md")]
struct Invertible;

#[doc = include_str!("../docs/equilibrium.md")]
struct Equilibrium;

#[doc = include_str!("../docs/sparse.md")]
struct Sparse;

#[cfg(feature = "io")]
#[doc = include_str!("../docs/training.md")]
struct Training;
