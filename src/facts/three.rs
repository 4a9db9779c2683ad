//! *And* and *or* over answers that may be missing.

/// False where one is, unknown where none is but one could be.
pub(super) fn all(answers: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    any(answers.into_iter().map(|answer| answer.map(|is| !is))).map(|is| !is)
}

/// True where one is, unknown where none is but one could be.
pub(super) fn any(answers: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    let mut unclear = false;
    for answer in answers {
        match answer {
            Some(true) => return Some(true),
            Some(false) => {}
            None => unclear = true,
        }
    }
    (!unclear).then_some(false)
}

#[cfg(test)]
mod tests {
    use super::{all, any};

    #[test]
    fn what_is_missing_matters_only_where_the_rest_has_not_decided() {
        let (t, f, u) = (Some(true), Some(false), None);
        for (a, b, both, one) in [(t, t, t, t), (t, f, f, t), (f, f, f, f), (t, u, u, t), (u, f, f, u), (u, u, u, u)] {
            assert_eq!((all([a, b]), any([a, b])), (both, one), "{a:?}, {b:?}");
        }
        assert_eq!((all([]), any([])), (t, f));
    }
}
