//! Options before a command: which words are options, which their values.

use crate::facts::launcher::words::Word;

/// Splits leading options off: each with its value, be it joined (`-uagent`, `--user=agent`) or the next word.
/// `short` are letters that take a value; long options take one unless they are in `bare` or joined.
pub(super) fn options<'a>(args: &'a [Word], short: &str, bare: &[&str]) -> (Vec<(String, Option<String>)>, &'a [Word]) {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(text) = args.get(at).map(Word::start).filter(|text| text.starts_with('-') && text.len() > 1) {
        let whole = args[at].plain();
        at += 1;
        if text == "--" {
            break;
        }
        if text.starts_with("--") {
            let (flag, joined) = match text.split_once('=') {
                Some((flag, _)) => {
                    (flag, whole.as_ref().and_then(|w| w.split_once('=')).map(|(_, value)| value.to_owned()))
                }
                None if bare.contains(&text) || short.is_empty() => (text, None),
                None => {
                    // A long option without `=`: its value is the next word, unless that is an option too.
                    let value = args.get(at).filter(|next| !next.start().starts_with('-') && bare_value(text));
                    at += usize::from(value.is_some());
                    (text, value.and_then(Word::plain))
                }
            };
            found.push((flag.to_owned(), joined));
            continue;
        }
        let letters: Vec<char> = text.chars().skip(1).collect();
        let valued = letters.iter().position(|letter| short.contains(*letter));
        let value = match valued {
            Some(last) if last + 1 < letters.len() => Some(letters[last + 1..].iter().collect()),
            Some(_) => {
                let value = args.get(at).and_then(Word::plain);
                at += 1;
                value
            }
            None => None,
        };
        let shown = valued.map_or(letters.len(), |last| last + 1);
        for (place, letter) in letters[..shown].iter().enumerate() {
            let value = if Some(place) == valued { value.clone() } else { None };
            found.push((format!("-{letter}"), value));
        }
    }
    (found, args.get(at..).unwrap_or_default())
}

/// Long options of the known wrappers that take the next word as value.
fn bare_value(option: &str) -> bool {
    matches!(
        option,
        "--user"
            | "--group"
            | "--chdir"
            | "--unset"
            | "--reuid"
            | "--regid"
            | "--ruid"
            | "--euid"
            | "--groups"
            | "--uid"
            | "--gid"
            | "--setenv"
            | "--property"
            | "--working-directory"
            | "--shell"
            | "--command"
            | "--signal"
            | "--kill-after"
            | "--adjustment"
            | "--class"
            | "--host"
            | "--prompt"
            | "--unit"
            | "--slice"
            | "--description"
            | "--inh-caps"
            | "--ambient-caps"
            | "--bounding-set"
            | "--securebits"
            | "--session-command"
    )
}
