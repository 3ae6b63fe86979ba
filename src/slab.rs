//! A bounded table whose slots can be re-used without confusing a late event with the new occupant.

use std::fmt;

/// Index of a connection in its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot(pub u32);

impl Slot {
    /// This slot as an array index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// How often a slot has been freed, modulo 2^24, so that it fits in a [`Token`](crate::token::Token).
///
/// A wrap can only confuse an operation that stayed in flight while its slot was freed 2^24 times; a slot is
/// freed only when nothing of it is in flight, so there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generation(u32);

impl Generation {
    const MASK: u32 = (1 << 24) - 1;

    /// The generation of a slot that was never freed.
    pub const FIRST: Self = Self(0);

    /// The low 24 bits of `bits`.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits & Self::MASK)
    }

    /// The number, below 2^24.
    pub const fn get(self) -> u32 {
        self.0
    }

    const fn next(self) -> Self {
        Self::from_bits(self.0.wrapping_add(1))
    }
}

struct Entry<T> {
    generation: Generation,
    value: Option<T>,
}

/// A table of at most `capacity` values, allocated once.
///
/// Free slots are handed out last-freed-first, so that a small number of connections touches a small part of
/// the table.
pub struct Slab<T> {
    entries: Box<[Entry<T>]>,
    free: Vec<Slot>,
}

impl<T> Slab<T> {
    /// An empty table of `capacity` slots.
    ///
    /// # Panics
    /// If `capacity` does not fit in a slot number.
    pub fn new(capacity: usize) -> Self {
        let capacity = u32::try_from(capacity).expect("a slot number is 32 bits");
        let entries = (0..capacity).map(|_| Entry { generation: Generation::FIRST, value: None }).collect();
        Self { entries, free: (0..capacity).rev().map(Slot).collect() }
    }

    /// How many values the table can hold.
    pub fn capacity(&self) -> usize {
        self.entries.len()
    }

    /// How many values it holds.
    pub fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether an insert would fail.
    pub fn is_full(&self) -> bool {
        self.free.is_empty()
    }

    /// Takes a free slot for `value`, or gives `value` back when the table is full.
    pub fn insert(&mut self, value: T) -> Result<(Slot, Generation), T> {
        let Some(slot) = self.free.pop() else { return Err(value) };
        let entry = &mut self.entries[slot.index()];
        assert!(entry.value.is_none(), "slot {slot} is on the free list and occupied");
        entry.value = Some(value);
        Ok((slot, entry.generation))
    }

    /// Empties `slot` and bumps its generation.
    ///
    /// # Panics
    /// If the slot is empty: it would be handed out twice.
    pub fn remove(&mut self, slot: Slot) -> T {
        let entry = &mut self.entries[slot.index()];
        let value = entry.value.take().unwrap_or_else(|| panic!("slot {slot} freed twice"));
        entry.generation = entry.generation.next();
        self.free.push(slot);
        value
    }

    /// The generation that `slot` has now.
    pub fn generation(&self, slot: Slot) -> Generation {
        self.entries[slot.index()].generation
    }

    /// The occupant of `slot`, if it is still of this `generation`.
    pub fn get_mut(&mut self, slot: Slot, generation: Generation) -> Option<&mut T> {
        let entry = self.entries.get_mut(slot.index())?;
        if entry.generation == generation { entry.value.as_mut() } else { None }
    }

    /// The occupant of a slot that the caller knows to be taken.
    ///
    /// # Panics
    /// If it is not.
    pub fn at(&mut self, slot: Slot) -> &mut T {
        self.entries[slot.index()].value.as_mut().unwrap_or_else(|| panic!("slot {slot} is empty"))
    }

    /// The occupied slots, in slot order.
    pub fn slots(&self) -> impl Iterator<Item = Slot> + '_ {
        (0u32..)
            .zip(self.entries.iter())
            .filter(|(_, entry)| entry.value.is_some())
            .map(|(slot, _)| Slot(slot))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[test]
    fn a_stale_generation_finds_nothing() {
        let mut slab = Slab::new(1);
        let (slot, old) = slab.insert('a').unwrap();
        slab.remove(slot);
        let (again, new) = slab.insert('b').unwrap();
        assert_eq!(again, slot);
        assert_eq!(slab.get_mut(slot, old), None);
        assert_eq!(slab.get_mut(slot, new), Some(&mut 'b'));
    }

    #[test]
    fn a_full_table_gives_the_value_back() {
        let mut slab = Slab::new(1);
        slab.insert(1).unwrap();
        assert!(slab.is_full());
        assert_eq!(slab.insert(2), Err(2));
    }

    #[test]
    #[should_panic(expected = "freed twice")]
    fn a_double_free_is_a_bug() {
        let mut slab = Slab::new(1);
        let (slot, _) = slab.insert(()).unwrap();
        slab.remove(slot);
        slab.remove(slot);
    }

    proptest! {
        #[test]
        fn a_slab_behaves_as_a_map(steps in prop::collection::vec(any::<(bool, u8)>(), 0..200)) {
            let mut slab = Slab::new(16);
            let mut model: HashMap<u32, (u32, usize)> = HashMap::new();
            for (step, (insert, pick)) in steps.into_iter().enumerate() {
                if insert {
                    match slab.insert(step) {
                        Ok((slot, generation)) => {
                            prop_assert!(model.insert(slot.0, (generation.get(), step)).is_none());
                        }
                        Err(_) => prop_assert_eq!(model.len(), 16),
                    }
                } else if let Some(slot) = model.keys().copied().nth(usize::from(pick) % model.len().max(1)) {
                    let (generation, value) = model.remove(&slot).unwrap();
                    prop_assert_eq!(slab.get_mut(Slot(slot), Generation::from_bits(generation)), Some(&mut value.clone()));
                    prop_assert_eq!(slab.remove(Slot(slot)), value);
                }
                prop_assert_eq!(slab.len(), model.len());
                let mut slots: Vec<u32> = model.keys().copied().collect();
                slots.sort_unstable();
                prop_assert_eq!(slab.slots().map(|slot| slot.0).collect::<Vec<_>>(), slots);
            }
        }
    }
}
