//! A value that many hold and few change: clones share one copy, and whoever changes it gets a copy of its own.
//!
//! A sprint's tasks are in the command that submits it, in the event, in the engine's table, in every assignment,
//! and in each copy of the state that a simulation makes. None of them changes a task, so one copy serves all.
//!
//! Invariant: encoded, it is the value and nothing else.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A shared value, changed by copying. Clones cost one counter.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shared<T>(Arc<T>);

impl<T> Shared<T> {
    /// Shares `value`.
    pub fn new(value: T) -> Self {
        Self(Arc::new(value))
    }

    /// Whether both are one copy.
    pub fn is_same(one: &Self, other: &Self) -> bool {
        Arc::ptr_eq(&one.0, &other.0)
    }
}

impl<T: Clone> Shared<T> {
    /// A copy that nobody else holds, for another thread: a counter that two threads change holds up both.
    #[must_use]
    pub fn apart(&self) -> Self {
        Self::new((**self).clone())
    }

    /// The value itself; copied if anyone else holds it.
    pub fn into_inner(self) -> T {
        Arc::unwrap_or_clone(self.0)
    }
}

impl<T> From<T> for Shared<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    /// The value to change; copied first if anyone else holds it.
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

impl<T> AsRef<T> for Shared<T> {
    fn as_ref(&self) -> &T {
        &self.0
    }
}

impl<T: Serialize> Serialize for Shared<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(to)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Shared<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        T::deserialize(from).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec;

    #[test]
    fn a_change_is_seen_only_where_it_is_made_and_the_bytes_are_the_values() {
        let one = Shared::new(vec![1u32, 2]);
        let mut other = one.clone();
        assert!(Shared::is_same(&one, &other));
        other.push(3);
        assert_eq!((one.len(), other.len()), (2, 3));
        let bytes = codec::encode(&other).unwrap();
        assert_eq!(bytes, codec::encode(&vec![1u32, 2, 3]).unwrap());
        assert_eq!(codec::decode::<Shared<Vec<u32>>>(&bytes).unwrap(), other);
    }
}
