//! Many names in few words.

use std::fmt;

/// How many are written out.
const WRITTEN: usize = 3;

/// The first of some names in alphabetical order, and how many there are: memory does not grow
/// with their number.
#[derive(Debug, Default)]
pub(super) struct Few {
    count: usize,
    first: Vec<String>,
}

impl Few {
    /// Adds a name.
    pub(super) fn add(&mut self, name: String) {
        self.count += 1;
        let place = self.first.partition_point(|known| *known < name);
        self.first.insert(place, name);
        self.first.truncate(WRITTEN);
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }
}

impl fmt::Display for Few {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written: Vec<String> = self.first.iter().map(|name| format!("`{name}`")).collect();
        f.write_str(&written.join(", "))?;
        let more = self.count - self.first.len();
        if more > 0 { write!(f, " and {more} more") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_three_are_named_and_the_others_counted() {
        let few = |names: &[&str]| {
            let mut few = Few::default();
            names.iter().for_each(|name| few.add((*name).to_string()));
            few.to_string()
        };
        assert_eq!(few(&["a"]), "`a`");
        assert_eq!(few(&["c", "a", "b"]), "`a`, `b`, `c`");
        assert_eq!(few(&["e", "c", "d", "a", "b"]), "`a`, `b`, `c` and 2 more");
    }
}
