//! The methods, one a file.

pub(super) mod bicgstab;
pub(super) mod cgnr;
pub(super) mod conjugate_gradients;
pub(super) mod direct;
pub(super) mod gmres;
pub(super) mod hessenberg;
pub(super) mod lsmr;
pub(super) mod minres;
pub(super) mod neumann;
pub(super) mod options;
