//! The directory: who is where. Many threads look up, few write.
//!
//! A look-up clones the value out, so no lock is ever held by a caller: holding one over an await or a second
//! look-up can block for ever. The order of the map underneath is random, so listings are sorted copies.
//!
//! Invariant: no guard leaves this file.
//! Elsewhere: state that has one owner belongs into that owner, not here.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;

/// A shared map for look-ups. Clones are handles to the same map; values should be cheap to clone.
pub struct Directory<K, V>(Arc<DashMap<K, V>>);

impl<K: Eq + Hash + Ord + Clone, V: Clone> Directory<K, V> {
    /// An empty directory.
    pub fn new() -> Self {
        Directory(Arc::new(DashMap::new()))
    }

    /// The value of `key`.
    pub fn get(&self, key: &K) -> Option<V> {
        self.0.get(key).map(|value| value.value().clone())
    }

    /// Sets the value of `key` and returns the one before.
    pub fn insert(&self, key: K, value: V) -> Option<V> {
        self.0.insert(key, value)
    }

    /// Sets the value of a `key` that has none yet.
    ///
    /// # Errors
    ///
    /// Gives `value` back if the key is taken.
    pub fn insert_new(&self, key: K, value: V) -> Result<(), V> {
        match self.0.entry(key) {
            Entry::Occupied(_) => Err(value),
            Entry::Vacant(place) => {
                place.insert(value);
                Ok(())
            }
        }
    }

    /// Takes `key` out and returns its value.
    pub fn remove(&self, key: &K) -> Option<V> {
        self.0.remove(key).map(|(_, value)| value)
    }

    /// A copy of everything, sorted by key. Entries written meanwhile may be missing.
    pub fn snapshot(&self) -> Vec<(K, V)> {
        let mut all: Vec<_> = self
            .0
            .iter()
            .map(|e| (e.key().clone(), e.value().clone()))
            .collect();
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        all
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Eq + Hash + Ord + Clone, V: Clone> Default for Directory<K, V> {
    fn default() -> Self {
        Directory::new()
    }
}

impl<K, V> Clone for Directory<K, V> {
    fn clone(&self) -> Self {
        Directory(Arc::clone(&self.0))
    }
}

impl<K: Eq + Hash + Ord + Clone + fmt::Debug, V: Clone> fmt::Debug for Directory<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.snapshot().into_iter().map(|(key, _)| key))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_is_sorted_whatever_the_order_of_writing() {
        for _ in 0..10 {
            let directory = Directory::new();
            for key in [7, 3, 9, 1, 5, 8, 2, 6, 4, 0] {
                assert_eq!(directory.insert(key, key * 10), None);
            }
            let listed: Vec<_> = directory.snapshot();
            assert_eq!(
                listed,
                (0..10).map(|key| (key, key * 10)).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn handles_share_the_map_and_a_taken_key_stays_with_its_holder() {
        let directory = Directory::new();
        let other = directory.clone();
        assert_eq!(directory.insert_new("qa-1", 1), Ok(()));
        assert_eq!(other.insert_new("qa-1", 2), Err(2));
        // Writing while holding a looked-up value cannot block: it is a copy.
        let held = other.get(&"qa-1");
        assert_eq!(directory.insert("qa-1", 3), held);
        assert_eq!(other.remove(&"qa-1"), Some(3));
        assert!(directory.is_empty());
    }
}
