//! The agents that the program knows.

use std::sync::Arc;

use super::error::{CatalogError, nearest};
use crate::model::Agent;

/// All of them, `generic` last. Those that are an edition of another are found in that one's `others`.
pub fn agents() -> Result<Vec<Arc<Agent>>, CatalogError> {
    let mut all: Vec<Agent> = Vec::new();
    for (file, text) in super::embedded::AGENTS {
        // Enums are written as maps of one key, not with YAML's tags.
        let yaml = serde_yaml::Deserializer::from_str(text);
        let agent: Agent = serde_yaml::with::singleton_map_recursive::deserialize(yaml)
            .map_err(|error| CatalogError::yaml(file, text, &error))?;
        all.push(agent);
    }
    let is_other = |agent: &Agent| agent.edition.as_ref().is_some_and(|edition| edition.of != agent.agent);
    let (mut others, mut all): (Vec<Agent>, Vec<Agent>) = all.into_iter().partition(is_other);
    // All editions go by one id: findings, waivers and baselines outlive an upgrade.
    for agent in &mut others {
        agent.agent = agent.edition.as_ref().map(|edition| edition.of.clone()).unwrap_or_default();
    }
    for agent in &mut all {
        let own = agent.clone();
        let of_name = others.iter().filter(|other| other.agent == agent.agent).cloned();
        agent.others = of_name.map(|other| Arc::new(Agent { others: vec![Arc::new(own.clone())], ..other })).collect();
    }
    all.sort_by_key(|agent| (agent.agent == "generic", agent.agent.clone()));
    Ok(all.into_iter().map(Arc::new).collect())
}

/// The agent of this id.
pub fn agent(id: &str) -> Result<Arc<Agent>, CatalogError> {
    let all = agents()?;
    let found = all.iter().find(|agent| agent.agent == id).cloned();
    found.ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|agent| agent.agent.as_str()).collect();
        let near = nearest(id, names.iter().copied()).map(|near| format!("did you mean `{near}`? "));
        CatalogError::file(
            "--agent",
            format!("no agent is called `{id}`"),
            format!("{}known: {}", near.unwrap_or_default(), names.join(", ")),
        )
    })
}
