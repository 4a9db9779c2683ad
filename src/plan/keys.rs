//! Settings in a text file of `key = value` lines: everything else of the file stays as it was written.

/// The text with the settings in it: in place of the line that sets a key, else at the end.
pub(super) fn edit(text: &str, set: &[(String, String)]) -> Result<String, String> {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    for (key, value) in set {
        let of_key: Vec<usize> = (0..lines.len()).filter(|at| sets(&lines[*at], key)).collect();
        match of_key[..] {
            [] => {
                if let Some(last) = lines.last_mut().filter(|last| !last.ends_with('\n')) {
                    last.push('\n');
                }
                lines.push(format!("{key} = {value}\n"));
            }
            [at] if value_of(&lines[at]) == value => {}
            [at] => lines[at] = format!("{key} = {value}\n"),
            _ => return Err(format!("`{key}` is set in {} lines; take all but one out", of_key.len())),
        }
    }
    Ok(lines.concat())
}

/// Whether a line sets the key; a comment sets nothing.
fn sets(line: &str, key: &str) -> bool {
    line.split_once('=').is_some_and(|(name, _)| name.trim().eq_ignore_ascii_case(key))
}

fn value_of(line: &str) -> &str {
    line.split_once('=').map_or("", |(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(key: &str, value: &str) -> Vec<(String, String)> {
        vec![(key.to_owned(), value.to_owned())]
    }

    #[test]
    fn a_key_is_set_where_it_stands_or_at_the_end() {
        for (text, expected) in [
            ("# num_logs = 1\nnum_logs = 5\nx = y", Ok("# num_logs = 1\nnum_logs = 8\nx = y")),
            ("Num_Logs=5\n", Ok("num_logs = 8\n")),
            ("num_logs =  8\n", Ok("num_logs =  8\n")),
            ("x = y", Ok("x = y\nnum_logs = 8\n")),
            ("", Ok("num_logs = 8\n")),
            ("num_logs = 1\nnum_logs = 2\n", Err(())),
        ] {
            let edited = edit(text, &set("num_logs", "8"));
            assert_eq!(edited.as_deref().map_err(|_| ()), expected, "{text:?}");
        }
    }
}
