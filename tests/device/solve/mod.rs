//! Linear solvers, each against exact solutions.

mod counts;
mod ends;
mod families;
mod table;
