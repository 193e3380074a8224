//! Facts about a device that higher floors find out once and keep with it.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// One fact of each type.
#[derive(Default)]
pub(crate) struct Facts {
    known: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl Facts {
    /// The fact of this type, where it is known.
    pub(crate) fn get<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&TypeId::of::<T>()).and_then(|fact| Arc::clone(fact).downcast().ok())
    }

    /// The fact of this type, made by default where nobody has kept one.
    pub(crate) fn of<T: Any + Default + Send + Sync>(&self) -> Arc<T> {
        self.get().unwrap_or_else(|| self.keep(T::default()))
    }

    /// Keeps a fact. The first of a type stays: two threads that found out at once agree on one.
    pub(crate) fn keep<T: Any + Send + Sync>(&self, fact: T) -> Arc<T> {
        let fact = Arc::new(fact);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = known.entry(TypeId::of::<T>()).or_insert_with(|| Arc::clone(&fact) as Arc<dyn Any + Send + Sync>);
        Arc::clone(kept).downcast().unwrap_or(fact)
    }
}

impl fmt::Debug for Facts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        formatter.debug_struct("Facts").field("count", &known.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_fact_of_a_type_stays() {
        let facts = Facts::default();
        assert!(facts.get::<u32>().is_none());
        assert_eq!((*facts.keep(1u32), *facts.keep(2u32), *facts.keep(3u64)), (1, 1, 3));
        assert_eq!((facts.get::<u32>().as_deref(), facts.get::<i8>()), (Some(&1), None));
    }
}
