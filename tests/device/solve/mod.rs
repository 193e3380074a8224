//! Linear solvers, each against exact solutions.

mod counts;
mod ends;
mod extras;
mod families;
mod table;
