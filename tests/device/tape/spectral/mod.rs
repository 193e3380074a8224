//! Spectral, Ky Fan and nuclear norms and singular triplets on the tape: their derivatives of every order, what is
//! refused, and what an unrolled iteration would have given.

mod derivatives;
mod refusals;
