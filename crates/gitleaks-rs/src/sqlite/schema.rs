//! Which table or index a page belongs to: the schema is walked, and from each root the tree below it.

use std::collections::{HashMap, HashSet};

use super::columns::{Columns, of_index, of_table};
use super::node::Node;
use super::pages::{Pages, Then, View};
use super::place::{Owner, shown};
use super::record::{fields, integer};
use super::tree::{Visit, Walk, beginning};

/// Names and root are read from this much of a row of the schema; the statement from this much.
const NAMES: usize = 4 << 10;
const STATEMENT: usize = 64 << 10;

/// The table of all tables, whose own statement stands nowhere.
const SCHEMA: &str = "CREATE TABLE sqlite_schema(type, name, tbl_name, rootpage, sql)";

/// A table or index with what its records hold.
#[derive(Debug)]
pub(super) struct Described {
    pub(super) owner: Owner,
    pub(super) columns: Columns,
    /// An index of a table with row numbers, which ends each of its records with one.
    pub(super) ends_with_rowid: bool,
}

/// A row of the schema.
struct Object {
    is_index: bool,
    name: String,
    table: String,
    root: u32,
}

/// Tables and indexes, and which of them the pages that were asked for belong to.
#[derive(Default)]
pub(super) struct Owners {
    all: Vec<Described>,
    of_page: HashMap<u32, usize>,
}

impl Owners {
    pub(super) fn of(&self, page: u32) -> Option<&Described> {
        self.all.get(*self.of_page.get(&page)?)
    }

    /// Finds the owners of pages in one state of the database. A page that no tree leads to has none.
    pub(super) fn find(pages: &Pages, view: View, wanted: &HashSet<u32>) -> Self {
        let mut owners = Self::default();
        if wanted.is_empty() {
            return owners;
        }
        let mut trees = Walk::new(pages, view);
        if owners.claim(&mut trees, 1, wanted) {
            let owner = Owner { name: "sqlite_schema".into(), index_of: None };
            owners.all.push(Described { owner, columns: of_table(SCHEMA), ends_with_rowid: false });
        }
        // By the name of the table, since whether that has row numbers stands in another row.
        let mut indexes: HashMap<String, Vec<usize>> = HashMap::new();
        each_object(pages, view, &mut |object, statement| {
            if owners.of_page.len() == wanted.len() {
                return Then::Stop;
            }
            if owners.claim(&mut trees, object.root, wanted) {
                if object.is_index {
                    indexes.entry(object.table.clone()).or_default().push(owners.all.len());
                }
                owners.all.push(described(object, &statement()));
            }
            Then::GoOn
        });
        owners.ask_tables(pages, view, indexes);
        owners
    }

    /// Notes the wanted pages of a tree as those of the next owner; false if there were none.
    fn claim(&mut self, trees: &mut Walk, root: u32, wanted: &HashSet<u32>) -> bool {
        let (owner, before) = (self.all.len(), self.of_page.len());
        trees.tree(root, false, &mut |page, _| {
            if wanted.contains(&page) {
                self.of_page.insert(page, owner);
            }
            if self.of_page.len() == wanted.len() { Then::Stop } else { Then::GoOn }
        });
        self.of_page.len() > before
    }

    fn ask_tables(&mut self, pages: &Pages, view: View, mut indexes: HashMap<String, Vec<usize>>) {
        if indexes.is_empty() {
            return;
        }
        each_object(pages, view, &mut |object, statement| {
            if object.is_index {
                return Then::GoOn;
            }
            if let Some(known) = indexes.remove(&object.name) {
                let with_rowid = !of_table(&statement()).without_rowid;
                known.into_iter().for_each(|index| self.all[index].ends_with_rowid = with_rowid);
            }
            if indexes.is_empty() { Then::Stop } else { Then::GoOn }
        });
    }
}

fn described(object: &Object, statement: &str) -> Described {
    let index_of = object.is_index.then(|| shown(&object.table));
    let columns = if object.is_index { of_index(statement) } else { of_table(statement) };
    Described { owner: Owner { name: shown(&object.name), index_of }, columns, ends_with_rowid: false }
}

/// Gives each table and index that has a tree, with a way to read the statement that made it.
fn each_object(pages: &Pages, view: View, visit: &mut dyn FnMut(&Object, &dyn Fn() -> String) -> Then) {
    Walk::new(pages, view).tree(1, true, &mut |_, seen| {
        let Visit::Read(node) = seen else { return Then::GoOn };
        for (index, _) in node.cells() {
            let Some(object) = object(pages, view, &node, index) else { continue };
            let statement = || statement(pages, view, &node, index).unwrap_or_default();
            if visit(&object, &statement) == Then::Stop {
                return Then::Stop;
            }
        }
        Then::GoOn
    });
}

fn object(pages: &Pages, view: View, node: &Node, index: u16) -> Option<Object> {
    let row = beginning(pages, view, node, index, NAMES);
    let total = node.cell(usize::from(index))?.total;
    let root = u32::try_from(integer(&row, total, 3)?).ok().filter(|root| *root > 1)?;
    let text = |column| text(pages, &row, total, column);
    let is_index = text(0)? == "index";
    Some(Object { is_index, name: text(1)?, table: text(2)?, root })
}

fn statement(pages: &Pages, view: View, node: &Node, index: u16) -> Option<String> {
    let row = beginning(pages, view, node, index, STATEMENT);
    text(pages, &row, node.cell(usize::from(index))?.total, 4)
}

/// A text of a row, cut where what is at hand ends.
fn text(pages: &Pages, row: &[u8], total: u64, column: usize) -> Option<String> {
    let field = *fields(row, total)?.get(column)?;
    let end = usize::try_from(field.end).map_or(row.len(), |end| end.min(row.len()));
    Some(pages.shape.encoding.decode(row.get(usize::try_from(field.start).ok()?..end)?))
}
