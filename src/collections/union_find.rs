//! Joins numbers into groups (union-find with path halving; Tarjan and van Leeuwen, 1984).

/// Numbers from 0 on, each in one group. The smallest number of a group is its root.
pub(crate) struct UnionFind {
    parents: Vec<usize>,
}

impl UnionFind {
    /// Each number is a group of its own.
    pub(crate) fn new(numbers: usize) -> Self {
        Self { parents: (0..numbers).collect() }
    }

    /// The root of the number's group; a number out of range is its own root.
    pub(crate) fn root(&mut self, mut number: usize) -> usize {
        while let Some(&parent) = self.parents.get(number).filter(|&&parent| parent != number) {
            let above = self.parents.get(parent).copied().unwrap_or(parent);
            if let Some(place) = self.parents.get_mut(number) {
                *place = above;
            }
            number = above;
        }
        number
    }

    /// Joins the groups of two numbers.
    pub(crate) fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        if let Some(place) = self.parents.get_mut(a.max(b)) {
            *place = a.min(b);
        }
    }

    /// The root of each number.
    pub(crate) fn into_roots(mut self) -> Vec<usize> {
        (0..self.parents.len()).map(|number| self.root(number)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_number_is_the_root() {
        let mut groups = UnionFind::new(6);
        for (a, b) in [(5, 4), (1, 3), (4, 3)] {
            groups.join(a, b);
        }
        assert_eq!(groups.into_roots(), [0, 1, 2, 1, 1, 1]);
    }
}
