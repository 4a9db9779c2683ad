//! Credentials that tools keep in homes, and whether the agent's account can read them. Of their content only this
//! is asked: whether it holds something that can be used.

mod proof;
pub(super) mod table;

use std::io;

use schemars::JsonSchema;
use serde::Serialize;

use super::ProbeError;
use super::people::{Home, homes};
use super::reach::{Reach, list, unseen};
use crate::host::{Host, Kind, Want};
use crate::model::{AbsPath, Look, Scope, Subject, Unseen};
use table::{KNOWN, Known};

/// The largest file that is read: 256 KiB. A larger one counts as holding something.
const LIMIT: u64 = 256 << 10;
/// How many files of one folder are looked at.
const FILES: usize = 200;

/// Credentials in homes.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// Every home that was searched, and every credential file in it that can be used as it lies or that the agent's
    /// account cannot read. Within the user scope only the agent's own home is searched.
    places: Vec<Place>,
}

/// A home, or a credential file in it.
#[derive(Serialize, JsonSchema)]
struct Place {
    /// Where it is.
    path: AbsPath,
    /// Which product it is for; `home` for a home.
    product: String,
    /// Whose home it lies in.
    owner: String,
    /// Whether it opens production: clouds, clusters, databases, vaults. Not known of a home that cannot be searched.
    production: Look<bool>,
    /// Whether it opens a developer's tools. Not known of a home that cannot be searched.
    developer: Look<bool>,
    /// Whether the agent's account can read it; false for a home.
    readable: Look<bool>,
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let reach = Reach::of_agent(host, subject)?;
    let mut places = Vec::new();
    for home in homes(host, subject)? {
        if subject.scope >= Scope::Host || home.uid == reach.uid() {
            Search { host, reach: &reach, home: &home }.run(&mut places);
        }
    }
    Ok(Fact { places })
}

struct Search<'a> {
    host: &'a dyn Host,
    reach: &'a Reach<'a>,
    home: &'a Home,
}

impl Search<'_> {
    fn run(&self, places: &mut Vec<Place>) {
        let at = places.len();
        let mut closed = None;
        match self.reach.may(&self.home.path, Want::Execute) {
            Ok(Some(true)) => {
                for known in KNOWN {
                    if let Err(unseen) = self.known(known, places) {
                        closed = closed.or(Some(unseen));
                    }
                }
                closed = self.service_accounts(places).err().or(closed);
            }
            Ok(_) => {}
            Err(unseen) => closed = Some(unseen),
        }
        let told = |unseen: &Option<Unseen>| unseen.clone().map_or(Look::Known(false), Look::Unknown);
        let home = Place {
            path: self.home.path.clone(),
            product: "home".into(),
            owner: self.home.owner.clone(),
            production: told(&closed),
            developer: told(&closed),
            readable: told(&closed),
        };
        places.insert(at, home);
    }

    fn known(&self, known: &Known, places: &mut Vec<Place>) -> Result<(), Unseen> {
        let Some(folder) = known.path.strip_suffix("/*") else {
            places.extend(self.file(&self.home.path.join(known.path), known)?);
            return Ok(());
        };
        let folder = self.home.path.join(folder);
        if self.reach.may(&folder, Want::Execute)? != Some(true) {
            return Ok(());
        }
        for entry in list(self.host, &folder, FILES)?.into_iter().flatten() {
            let name = entry.name.to_string_lossy();
            if entry.kind != Kind::Dir && !name.ends_with(".pub") && !name.starts_with("known_hosts") {
                places.extend(self.file(&folder.join(&entry.name), known)?);
            }
        }
        Ok(())
    }

    fn file(&self, path: &AbsPath, known: &Known) -> Result<Option<Place>, Unseen> {
        let Some((real, stat)) = self.reach.look(path)? else { return Ok(None) };
        if stat.kind != Kind::File || stat.size == 0 {
            return Ok(None);
        }
        let place = |readable| Place {
            path: path.clone(),
            product: known.product.into(),
            owner: self.home.owner.clone(),
            production: Look::Known(known.production),
            developer: Look::Known(!known.production),
            readable,
        };
        if !self.reach.may(&real, Want::Read)?.unwrap_or(false) {
            return Ok(Some(place(Look::Known(false))));
        }
        Ok(match self.host.read(&real, LIMIT) {
            Ok(bytes) => known.proof.holds(&String::from_utf8_lossy(&bytes)).then(|| place(Look::Known(true))),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Some(place(Look::Known(true))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => Some(place(Look::Unknown(unseen(&real, &error)))),
        })
    }

    /// Keys of cloud service accounts are files of any name: those at the top of the home are looked at.
    fn service_accounts(&self, places: &mut Vec<Place>) -> Result<(), Unseen> {
        let known = Known {
            path: "",
            product: "service account",
            production: true,
            proof: proof::Proof::Text(&["\"type\": \"service_account\"", "\"type\":\"service_account\""]),
        };
        for folder in [self.home.path.clone(), self.home.path.join("Downloads")] {
            if self.reach.may(&folder, Want::Execute)? != Some(true) {
                continue;
            }
            let entries = list(self.host, &folder, FILES)?.unwrap_or_default();
            for entry in entries.iter().filter(|entry| entry.kind == Kind::File) {
                let path = folder.join(&entry.name);
                let json = path.as_path().extension().is_some_and(|end| end == "json");
                // One that cannot be read may be anything: it is none of these as far as anyone can tell.
                if json && self.reach.may(&path, Want::Read)? == Some(true) {
                    places.extend(self.file(&path, &known)?);
                }
            }
        }
        Ok(())
    }
}
