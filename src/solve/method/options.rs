//! The options that every method has.

/// Declares a method with the options of all methods, its name, and its entry as a solver; further options in braces.
macro_rules! options {
    (
        $(#[$meta:meta])* $solver:ident, $name:literal
        $(, { $($(#[$of_option:meta])* $option:ident: $type:ty = $default:expr,)* } )?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $solver {
            /// The largest |b - A x| / |b| of a converged vector (1e-6).
            pub relative: f64,
            /// The limit of steps of a vector, over all its starts (1000).
            pub iterations: usize,
            /// Whether x and residuals are kept in `f64` on the host between starts, for operators with
            /// [`crate::operator::LinearOperator::products_on_host`]; [`crate::solve::Solutions::refined`] has that x.
            pub refine: bool,
            $($($(#[$of_option])* pub $option: $type,)*)?
            #[doc(hidden)]
            pub open_ended: crate::OpenEnded,
        }

        impl Default for $solver {
            fn default() -> Self {
                Self {
                    relative: 1e-6,
                    iterations: 1000,
                    refine: false,
                    $($($option: $default,)*)?
                    open_ended: crate::OpenEnded::default(),
                }
            }
        }

        impl $solver {
            const NAME: &'static str = $name;

            /// The settings of a method without restarts, from its problem and its products before and within a step.
            fn common(
                &self,
                problem: crate::solve::outer::round::Problem,
                products: (usize, usize),
            ) -> crate::solve::outer::round::Settings {
                let Self { relative, iterations, refine, .. } = *self;
                let name = Self::NAME;
                crate::solve::outer::round::Settings { name, problem, relative, iterations, refine, restart: None, products }
            }
        }

        impl crate::solve::LinearSolver for $solver {
            fn name(&self) -> &'static str {
                Self::NAME
            }

            fn solve_system_async<'a>(
                &'a self,
                system: crate::solve::System<'a>,
                control: crate::iterate::Control<'a>,
            ) -> futures::future::LocalBoxFuture<'a, crate::Result<crate::solve::Solutions>> {
                Box::pin(crate::solve::outer::rounds::solve(self, system, control))
            }
        }
    };
}
pub(in crate::solve) use options;
