//! Functions that are compiled for the vectors of the processor that runs them.

/// Compiles a function once for each width of vectors, of which a call takes the widest that the processor has.
///
/// The body must be in loops that a compiler can turn into vectors. What it calls must be inlined into it, because
/// another function is compiled for the narrowest vectors, and without `mul_add` as an instruction.
macro_rules! wide {
    (
        $(#[$meta:meta])*
        $visibility:vis fn $name:ident $(<$($generic:ident: $bound:path),*>)? (
            $($argument:ident: $type:ty),* $(,)?
        ) $(-> $result:ty)? $body:block
    ) => {
        $(#[$meta])*
        $visibility fn $name $(<$($generic: $bound),*>)? ($($argument: $type),*) $(-> $result)? {
            struct Call<Arguments, Generics>(Arguments, std::marker::PhantomData<Generics>);

            impl $(<$($generic: $bound),*>)? pulp::NullaryFnOnce for Call<($($type,)*), ($($($generic,)*)?)> {
                type Output = $crate::native::wide::result!($($result)?);

                #[inline(always)]
                fn call(self) -> Self::Output {
                    let ($($argument,)*) = self.0;
                    $body
                }
            }

            pulp::Arch::new().dispatch(Call(($($argument,)*), std::marker::PhantomData::<($($($generic,)*)?)>))
        }
    };
}

/// The type of a result, which is `()` where none is written.
macro_rules! result {
    () => {
        ()
    };
    ($result:ty) => {
        $result
    };
}

pub(super) use {result, wide};
