//! A bounded number of open files.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// The values that were used last, by number.
#[derive(Debug)]
pub struct Recent<T> {
    most: usize,
    /// The one used last is at the back.
    values: Mutex<VecDeque<(usize, Arc<T>)>>,
}

impl<T> Recent<T> {
    /// At most `most` values.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            values: Mutex::default(),
        }
    }

    /// At most `most` values, with one that is there.
    pub fn with(number: usize, value: T, most: usize) -> Self {
        Self {
            most,
            values: Mutex::new(VecDeque::from([(number, Arc::new(value))])),
        }
    }

    /// The value of this number, made by `open` if it is not there.
    ///
    /// # Errors
    /// Those of `open`.
    pub fn get<E>(&self, number: usize, open: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        // A poisoned lock has whole values: each is moved in one piece.
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        let found = values.iter().position(|(own, _)| *own == number);
        let value = match found.and_then(|place| values.remove(place)) {
            Some((_, value)) => value,
            None => {
                let value = Arc::new(open()?);
                while values.len() >= self.most {
                    values.pop_front();
                }
                value
            }
        };
        values.push_back((number, value.clone()));
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_that_were_used_last_are_kept() {
        let recent = Recent::new(2);
        let mut opened = Vec::new();
        for number in [0, 1, 0, 2, 0, 1] {
            let mut open = || {
                opened.push(number);
                Ok::<_, ()>(number * 10)
            };
            assert_eq!(*recent.get(number, &mut open).unwrap(), number * 10);
        }
        assert_eq!(opened, [0, 1, 2, 1]);
        assert!(recent.get(7, || Err("no")).is_err());
        assert_eq!(*recent.get(1, || Err("was there")).unwrap(), 10);
    }
}
