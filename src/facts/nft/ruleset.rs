//! The output of `nft -j list ruleset` and `nft -a list ruleset` as chains, rules and sets.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Everything that is loaded.
#[derive(Debug, Default)]
pub(in crate::facts) struct Ruleset {
    pub(in crate::facts) chains: Vec<Chain>,
    /// Elements of sets and maps by table and name.
    pub(super) sets: BTreeMap<(Table, String), Vec<Value>>,
    /// Tables that are listed and switched off.
    pub(super) dormant: BTreeSet<Table>,
    /// Rules that are known to exist and that nft does not list.
    pub(in crate::facts) unseen: Option<String>,
}

/// Family and name of a table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::facts) struct Table {
    pub(in crate::facts) family: String,
    pub(in crate::facts) name: String,
}

/// A chain; a base chain where it has a hook.
#[derive(Debug)]
pub(in crate::facts) struct Chain {
    pub(in crate::facts) table: Table,
    pub(in crate::facts) name: String,
    pub(in crate::facts) hook: Option<Hook>,
    pub(in crate::facts) rules: Vec<Rule>,
}

/// Where a base chain stands in a packet's way.
#[derive(Debug)]
pub(in crate::facts) struct Hook {
    pub(in crate::facts) name: String,
    pub(super) priority: i64,
    pub(in crate::facts) drops: bool,
    pub(super) nat: bool,
    pub(super) devices: Vec<String>,
}

/// A rule.
#[derive(Debug)]
pub(in crate::facts) struct Rule {
    pub(in crate::facts) handle: u64,
    pub(in crate::facts) expr: Vec<Value>,
    /// As nft writes it.
    pub(in crate::facts) text: String,
}

impl Rule {
    /// The rule as nft writes it; None where the text listing was not to be had.
    pub(in crate::facts) fn words(&self) -> Option<String> {
        (!self.text.starts_with("rule with handle ")).then(|| self.text.clone())
    }
}

impl Chain {
    /// `inet filter output`.
    pub(in crate::facts) fn place(&self) -> String {
        format!("{} {} {}", self.table.family, self.table.name, self.name)
    }
}

impl Ruleset {
    /// Parses the JSON listing; the text listing adds the words of each rule where it could be had.
    pub(in crate::facts) fn parse(json: &str, text: &str) -> Result<Self, String> {
        let root: Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
        let items = root.get("nftables").and_then(Value::as_array).ok_or("no `nftables` list")?;
        let words = Words::parse(text);
        let mut rules = Self { dormant: words.dormant, ..Self::default() };
        for item in items {
            let Some((kind, body)) = item.as_object().and_then(|object| object.iter().next()) else { continue };
            match kind.as_str() {
                "table" => rules.table(body),
                "chain" => rules.chains.push(chain(body)?),
                "rule" => rules.rule(body, &words.rules)?,
                "set" | "map" => {
                    let elements = body.get("elem").and_then(Value::as_array).cloned().unwrap_or_default();
                    rules.sets.insert((table(body), text_of(body, "name")), elements);
                }
                _ => {}
            }
        }
        Ok(rules)
    }

    fn table(&mut self, body: &Value) {
        let flags = match body.get("flags") {
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(flag)) => vec![flag.as_str()],
            _ => Vec::new(),
        };
        if flags.contains(&"dormant") {
            let name = text_of(body, "name");
            self.dormant.insert(Table { family: text_of(body, "family"), name });
        }
    }

    fn rule(&mut self, body: &Value, words: &BTreeMap<(Table, u64), String>) -> Result<(), String> {
        let (table, chain) = (table(body), text_of(body, "chain"));
        let handle = body.get("handle").and_then(Value::as_u64).unwrap_or(0);
        let expr = body.get("expr").and_then(Value::as_array).cloned().unwrap_or_default();
        let text = words.get(&(table.clone(), handle)).cloned();
        let expr = super::xt::translate(expr, text.as_deref().unwrap_or_default());
        let text = text.unwrap_or_else(|| format!("rule with handle {handle}"));
        let home = self.chains.iter_mut().find(|c| c.table == table && c.name == chain);
        home.ok_or_else(|| format!("rule {handle} stands in a chain `{chain}` that is not listed"))?.rules.push(Rule {
            handle,
            expr,
            text,
        });
        Ok(())
    }

    /// The chain that `name` means in `table`.
    pub(super) fn chain(&self, table: &Table, name: &str) -> Option<&Chain> {
        self.chains.iter().find(|chain| chain.table == *table && chain.name == name)
    }

    /// Base chains on a hook that see packets of a family, in the order the packet meets them.
    pub(super) fn on_hook(&self, hook: &str, families: &[&str]) -> Vec<&Chain> {
        let mut found: Vec<(&Chain, i64)> = self
            .chains
            .iter()
            .filter(|chain| families.contains(&chain.table.family.as_str()) && !self.dormant.contains(&chain.table))
            .filter_map(|chain| Some((chain, chain.hook.as_ref().filter(|at| at.name == hook).map(|at| at.priority)?)))
            .collect();
        found.sort_by_key(|(_, priority)| *priority);
        found.into_iter().map(|(chain, _)| chain).collect()
    }

    /// The chains that a chain's rules lead to, itself first, as positions.
    pub(in crate::facts) fn reached_from(&self, start: usize) -> Vec<usize> {
        let mut reached = vec![start];
        let mut next = 0;
        while let Some(chain) = reached.get(next).and_then(|at| self.chains.get(*at)) {
            for target in chain.rules.iter().flat_map(|rule| self.targets(&chain.table, &rule.expr)) {
                let at = self.chains.iter().position(|c| c.table == chain.table && c.name == target);
                reached.extend(at.filter(|at| !reached.contains(at)));
            }
            next += 1;
        }
        reached
    }

    /// The chains that statements jump to, verdict maps included.
    pub(in crate::facts) fn targets(&self, table: &Table, expr: &[Value]) -> Vec<String> {
        let mut found = Vec::new();
        for statement in expr {
            found.extend(jump_target(statement));
            let Some(data) = statement.get("vmap").and_then(|map| map.get("data")) else { continue };
            let elements = self.elements(table, data).unwrap_or_default();
            found.extend(elements.iter().filter_map(|pair| jump_target(pair.get(1)?)));
        }
        found
    }

    /// The elements of an anonymous set, or of the set that `@name` means.
    pub(super) fn elements<'a>(&'a self, table: &Table, set: &'a Value) -> Option<&'a [Value]> {
        match set {
            Value::String(name) => {
                let key = (table.clone(), name.strip_prefix('@')?.to_owned());
                self.sets.get(&key).map(Vec::as_slice)
            }
            _ => set.get("set").and_then(Value::as_array).map(Vec::as_slice),
        }
    }

    /// Why a chain's rules never meet a packet that leaves; None where they do.
    pub(in crate::facts) fn out_of_path(&self, at: usize) -> Option<String> {
        let chain = self.chains.get(at)?;
        if self.dormant.contains(&chain.table) {
            return Some(format!("the table `{} {}` is dormant", chain.table.family, chain.table.name));
        }
        if !matches!(chain.table.family.as_str(), "inet" | "ip" | "ip6" | "netdev") {
            return Some(format!("the {} family does not see what programs send", chain.table.family));
        }
        let outward = |hook: &Hook| matches!(hook.name.as_str(), "output" | "postrouting" | "egress");
        let starts: Vec<(usize, &Hook)> =
            self.chains.iter().enumerate().filter_map(|(n, c)| Some((n, c.hook.as_ref()?))).collect();
        let leading = |hook: &&(usize, &Hook)| self.reached_from(hook.0).contains(&at);
        let hooks: Vec<&Hook> = starts.iter().filter(leading).map(|(_, hook)| *hook).collect();
        if hooks.iter().any(|hook| outward(hook)) {
            return None;
        }
        Some(hooks.first().map_or_else(
            || "no chain with a hook leads to it".to_owned(),
            |hook| format!("it stands on the {} hook, not on output", hook.name),
        ))
    }
}

/// The chain that a `jump` or `goto` names.
pub(super) fn jump_target(statement: &Value) -> Option<String> {
    let verdict = statement.get("jump").or_else(|| statement.get("goto"))?;
    verdict.get("target").and_then(Value::as_str).map(str::to_owned)
}

fn text_of(body: &Value, key: &str) -> String {
    body.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn table(body: &Value) -> Table {
    Table { family: text_of(body, "family"), name: text_of(body, "table") }
}

fn chain(body: &Value) -> Result<Chain, String> {
    let devices = match body.get("dev") {
        Some(Value::String(name)) => vec![name.clone()],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let hook = body.get("hook").and_then(Value::as_str).map(|name| Hook {
        name: name.to_owned(),
        priority: body.get("prio").and_then(Value::as_i64).unwrap_or(0),
        drops: body.get("policy").and_then(Value::as_str) == Some("drop"),
        nat: body.get("type").and_then(Value::as_str) == Some("nat"),
        devices,
    });
    Ok(Chain { table: table(body), name: text_of(body, "name"), hook, rules: Vec::new() })
}

/// What only the text listing tells. Some versions of nft print the flags of a table wrongly in JSON.
#[derive(Default)]
struct Words {
    rules: BTreeMap<(Table, u64), String>,
    dormant: BTreeSet<Table>,
}

impl Words {
    fn parse(text: &str) -> Self {
        let mut words = Self::default();
        let mut table: Option<Table> = None;
        for line in text.lines() {
            let mut head = line.split_whitespace();
            if let (Some("table"), Some(family), Some(name)) = (head.next(), head.next(), head.next()) {
                table = Some(Table { family: family.to_owned(), name: name.to_owned() });
            }
            let Some(table) = &table else { continue };
            if line.starts_with("\tflags ") && line.contains("dormant") {
                words.dormant.insert(table.clone());
            }
            let Some((rule, handle)) = line.rsplit_once(" # handle ") else { continue };
            if let (false, Ok(handle)) = (rule.ends_with('{'), handle.trim().parse()) {
                words.rules.insert((table.clone(), handle), rule.trim().to_owned());
            }
        }
        words
    }
}
