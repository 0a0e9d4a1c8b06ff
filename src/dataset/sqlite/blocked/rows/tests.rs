//! Who stays, who goes, and in which order.

use proptest::prelude::*;

use super::*;

fn row(number: i64) -> Row {
    Row { table: usize::from(number >= 5), number }
}

/// Rows 0 to 9 of two tables, of which some go; each pair is a child and its parent.
fn rows(going: &[i64], pairs: &[(i64, i64)]) -> Rows {
    rows_by(going, &pairs.iter().map(|(child, parent)| (*child, *parent, 0)).collect::<Vec<_>>())
}

/// The same, with the number of the key.
fn rows_by(going: &[i64], pairs: &[(i64, i64, usize)]) -> Rows {
    let going = going.iter().map(|number| (row(*number), 0)).collect();
    let naming = pairs.iter().filter(|(child, parent, _)| child != parent);
    let naming =
        naming.map(|(child, parent, key)| Named { child: row(*child), parent: row(*parent), key: *key });
    Rows::new(going, naming, vec![OnDelete::Waits, OnDelete::Refuses, OnDelete::Cascades])
}

fn groups(rows: &Rows) -> Vec<Vec<i64>> {
    rows.groups().iter().map(|group| group.iter().map(|row| row.number).collect()).collect()
}

#[test]
fn a_row_that_stays_keeps_all_that_it_names_in_turn() {
    let chain = [(1, 0), (2, 1), (3, 2)];
    assert_eq!(groups(&rows(&[0, 1, 2, 3], &chain)), [[3], [2], [1], [0]]);
    assert_eq!(groups(&rows(&[0, 1, 2], &chain)), Vec::<Vec<i64>>::new());
    assert_eq!(groups(&rows(&[0, 2, 3], &chain)), [[3], [2]]);
    let kept = |by: Option<i64>| Kept { key: 0, by: by.map(row) };
    let blocked = rows(&[0, 1, 2], &chain).blocked();
    assert_eq!([0, 1, 2].map(|number| blocked[&row(number)]), [kept(None), kept(None), kept(Some(3))]);
}

#[test]
fn rows_in_a_circle_stand_together() {
    let circle = [(1, 0), (0, 1), (2, 1), (5, 5)];
    let mut together = groups(&rows(&[0, 1, 2, 5], &circle));
    together.iter_mut().for_each(|group| group.sort_unstable());
    assert_eq!(together, [vec![2], vec![0, 1], vec![5]]);
    assert_eq!(groups(&rows(&[0, 1, 5], &circle)), [[5]]);
}

#[test]
fn in_a_circle_those_come_first_that_a_key_lets_not_go_last() {
    let all = [(1, 0), (2, 1), (7, 2), (0, 7), (3, 9)];
    let refusing = |but: usize| {
        let pairs = all
            .iter()
            .enumerate()
            .map(|(place, (child, parent))| (*child, *parent, usize::from(place != but)));
        rows_by(&[0, 1, 2, 7], &pairs.collect::<Vec<_>>())
    };
    for but in 0..4 {
        let order = groups(&refusing(but)).concat();
        for (child, parent) in
            all[..4].iter().enumerate().filter(|(place, _)| *place != but).map(|(_, pair)| pair)
        {
            let place = |row: i64| order.iter().position(|number| *number == row);
            assert!(place(*child) < place(*parent), "{order:?} {child} {parent}");
        }
    }
    assert_eq!(groups(&refusing(9)), Vec::<Vec<i64>>::new());
    let blocked = refusing(9).blocked();
    assert_eq!((blocked.len(), blocked[&row(7)]), (4, Kept { key: 1, by: None }));
}

#[test]
fn what_a_cascade_would_delete_waits_for_the_same_rows() {
    // The first names the second, which refuses; the second goes with the third.
    let circle = [(0, 1, 1), (1, 2, 2), (2, 0, 0)];
    let order = groups(&rows_by(&[0, 1, 2], &circle)).concat();
    assert_eq!(order[0], 0, "{order:?}");
    // The third must not go after the first as well: it would have to go before itself.
    let more = [&circle[..], &[(2, 0, 1)]].concat();
    assert_eq!(groups(&rows_by(&[0, 1, 2], &more)), Vec::<Vec<i64>>::new());
}

#[test]
fn what_a_row_takes_with_it_does_not_refuse() {
    // A customer names its main contact, by a key that refuses, and takes its contacts with it.
    assert_eq!(groups(&rows_by(&[0, 1], &[(0, 1, 1), (1, 0, 2)])), [[0, 1]]);
    // The same by way of a row between them.
    let between = [(0, 2, 1), (1, 0, 2), (2, 1, 2)];
    assert_eq!(groups(&rows_by(&[0, 1, 2], &between)).concat()[0], 0);
}

#[test]
fn an_order_is_found_without_looking_at_each_pair() {
    // Each row takes the next with it, and for each a row of its own has to go before.
    let rungs = 40_000_i64;
    let row = |number: i64| Row { table: usize::from(number >= rungs), number };
    let named = |child: i64, parent: i64, key: usize| Named { child: row(child), parent: row(parent), key };
    let mut naming = vec![named(0, rungs - 1, 0)];
    for rung in 0..rungs {
        naming.push(named(rungs + rung, rung, 1));
        naming.push(named(rung, rungs + (rung + 1) % rungs, 0));
        naming.extend((rung > 0).then(|| named(rung, rung - 1, 2)));
    }
    let going = (0..2 * rungs).map(|number| (row(number), 0)).collect();
    let on_delete = vec![OnDelete::Waits, OnDelete::Refuses, OnDelete::Cascades];
    let groups = Rows::new(going, naming, on_delete).groups();
    assert_eq!((groups.len(), groups[0].len()), (1, 80_000));
    let first = groups[0].iter().position(|other| *other == row(0)).unwrap();
    let refusing = groups[0].iter().filter(|row| row.table == 1);
    assert!(refusing.count() == 40_000 && first >= 40_000, "the last of them waits for all");
}

#[test]
fn a_chain_as_long_as_a_table_is_no_deep_recursion() {
    let long: Vec<Row> = (0..200_000).map(|number| Row { table: 0, number }).collect();
    let named = |pair: &[Row]| Named { child: pair[1], parent: pair[0], key: 0 };
    let going = long.iter().map(|row| (*row, 0)).collect();
    let groups = Rows::new(going, long.windows(2).map(named), vec![OnDelete::Refuses]).groups();
    assert_eq!(groups.len(), long.len());
    assert_eq!([&groups[0][..], &groups[199_999][..]], [[long[199_999]], [long[0]]]);
}

proptest! {
    /// A row can go where every row that names it, directly or not, goes as well.
    #[test]
    fn what_goes_leaves_no_orphan(going in proptest::collection::hash_set(0i64..10, 0..10),
                                  pairs in proptest::collection::vec((0i64..10, 0i64..10), 0..15)) {
        let going: Vec<i64> = going.into_iter().collect();
        let groups = groups(&rows(&going, &pairs));
        let gone: Vec<i64> = groups.iter().flatten().copied().collect();
        let mut naive: HashSet<i64> = going.iter().copied().collect();
        for _ in 0..10 {
            let stays = |row: &i64| pairs.iter().any(|(child, parent)| parent == row && child != row && !naive.contains(child));
            naive = naive.iter().filter(|row| !stays(row)).copied().collect();
        }
        prop_assert_eq!(gone.iter().copied().collect::<HashSet<i64>>(), naive);
        for (place, group) in groups.iter().enumerate() {
            let before: HashSet<i64> = groups[..=place].iter().flatten().copied().collect();
            let named_from = |row: &i64| pairs.iter().all(|(child, parent)| parent != row || child == row || before.contains(child));
            prop_assert!(group.iter().all(named_from), "{:?} before its children", group);
        }
    }
}
