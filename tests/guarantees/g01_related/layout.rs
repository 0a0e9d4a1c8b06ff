//! The same customers and calls in one source or in two, of either kind.

use std::collections::BTreeSet;
use std::fmt::Write;

use proptest::prelude::*;

use super::World;
use crate::support::{Place, open};

/// Where the customers and the calls to them are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Layout {
    /// In one database.
    Together,
    /// In two sources: whether the customers, and whether the calls, are in a CSV file.
    Apart { customers_in_csv: bool, calls_in_csv: bool },
}

impl Layout {
    pub(super) fn sources(self) -> String {
        let csv = |name: &str| format!("[source.{name}]\ncsv = \"{name}.csv\"\n");
        let other = "[source.other]\nsqlite = \"other.db\"\n".to_owned();
        let db = "[source.db]\nsqlite = \"data.db\"\n".to_owned();
        match self {
            Layout::Together => db,
            Layout::Apart { customers_in_csv, calls_in_csv } => {
                let customers = if customers_in_csv { csv("customers") } else { db };
                customers + &if calls_in_csv { csv("calls") } else { other }
            }
        }
    }

    pub(super) fn customers(self) -> &'static str {
        match self {
            Layout::Apart { customers_in_csv: true, .. } => "customers",
            _ => "db.customers",
        }
    }

    pub(super) fn calls(self) -> &'static str {
        match self {
            Layout::Apart { calls_in_csv: false, .. } => "other.calls",
            _ => "calls",
        }
    }

    /// What names a customer in a listing.
    pub(super) fn key(self, id: usize) -> String {
        match self {
            // Behind the header, from 1.
            Layout::Apart { customers_in_csv: true, .. } => format!("customers.csv:{}", id + 2),
            _ => id.to_string(),
        }
    }

    pub(super) fn write(self, world: &World, place: &Place) {
        let (customers, calls) = (customers_sql(world), calls_sql(world));
        match self {
            Layout::Together => drop(place.database(&(customers + &calls))),
            Layout::Apart { customers_in_csv, calls_in_csv } => {
                if customers_in_csv {
                    std::fs::write(place.path("customers.csv"), customers_csv(world)).unwrap();
                } else {
                    place.database(&customers);
                }
                if calls_in_csv {
                    std::fs::write(place.path("calls.csv"), calls_csv(world)).unwrap();
                } else {
                    open(&place.path("other.db")).execute_batch(&calls).unwrap();
                }
            }
        }
    }

    /// The customers that are there.
    pub(super) fn left(self, place: &Place) -> BTreeSet<usize> {
        if let Layout::Apart { customers_in_csv: true, .. } = self {
            let text = std::fs::read_to_string(place.path("customers.csv")).unwrap();
            return text
                .lines()
                .skip(1)
                .map(|line| line.split(',').next().unwrap().parse().unwrap())
                .collect();
        }
        let connection = place.database("");
        let mut statement = connection.prepare("SELECT id FROM customers").unwrap();
        let ids = statement.query_map([], |row| row.get::<_, u32>(0).map(|id| id as usize)).unwrap();
        ids.map(Result::unwrap).collect()
    }
}

pub(super) fn any_layout() -> impl Strategy<Value = Layout> {
    let apart = (any::<bool>(), any::<bool>())
        .prop_map(|(customers_in_csv, calls_in_csv)| Layout::Apart { customers_in_csv, calls_in_csv });
    prop_oneof![2 => Just(Layout::Together), 4 => apart]
}

fn customers_sql(world: &World) -> String {
    let mut sql =
        format!("CREATE TABLE customers (id INTEGER PRIMARY KEY, tenant {}, a, b);", world.on.types[1]);
    for (id, [a, b]) in world.customers.iter().enumerate() {
        let tenant = world.tenants[id].sql();
        write!(sql, "INSERT INTO customers VALUES ({id}, {tenant}, {}, {});", a.sql(), b.sql()).unwrap();
    }
    sql
}

fn calls_sql(world: &World) -> String {
    let mut sql = format!("CREATE TABLE calls (tenant {}, customer, at, kind);", world.on.types[0]);
    for row in &world.calls {
        let customer = row.customer.map_or("NULL".to_owned(), |id| id.to_string());
        let tenant = row.tenant.sql();
        write!(sql, "INSERT INTO calls VALUES ({tenant}, {customer}, {}, {});", row.at.sql(), row.kind.sql())
            .unwrap();
    }
    sql
}

/// What a file holds where a table holds a literal of SQL.
fn field(sql: &str) -> &str {
    if sql == "NULL" { "" } else { sql.trim_matches('\'') }
}

fn customers_csv(world: &World) -> String {
    let mut csv = "id,tenant,a,b\n".to_owned();
    for (id, [a, b]) in world.customers.iter().enumerate() {
        let tenant = field(world.tenants[id].sql());
        writeln!(csv, "{id},{tenant},{},{}", field(&a.sql()), field(&b.sql())).unwrap();
    }
    csv
}

fn calls_csv(world: &World) -> String {
    let mut csv = "kind,at,customer,tenant\n".to_owned();
    for row in &world.calls {
        let customer = row.customer.map_or(String::new(), |id| id.to_string());
        // A line of delimiters alone is a record; one that is empty would be none.
        let tenant = field(row.tenant.sql());
        writeln!(csv, "{},{},{customer},{tenant}", field(row.kind.sql()), field(&row.at.sql())).unwrap();
    }
    csv
}
