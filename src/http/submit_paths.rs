//! Paths beside `/submit` at which reports are taken, for clients whose address cannot be chosen freely.

/// Whether reports are taken at `path`; in a pattern a `*` stands for one step. A slash at the end makes no difference.
pub fn has(patterns: &[String], path: &str) -> bool {
    patterns.iter().any(|pattern| matches(pattern, path))
}

fn matches(pattern: &str, path: &str) -> bool {
    let mut steps = path.trim_end_matches('/').split('/');
    let mut wanted = pattern.trim_end_matches('/').split('/');
    let all = wanted.by_ref().all(|wanted| {
        let step = steps.next();
        step.is_some_and(|step| wanted == step || (wanted == "*" && !step.is_empty()))
    });
    all && steps.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_one_step() {
        let paths = ["/api/*/minidump/", "/crash"].map(str::to_owned);
        for path in [
            "/api/42/minidump/",
            "/api/a-b/minidump",
            "/crash",
            "/crash/",
        ] {
            assert!(has(&paths, path), "{path}");
        }
        for path in [
            "/api//minidump/",
            "/api/1/2/minidump/",
            "/api/42",
            "/",
            "/crash/x",
            "/api/42/minidump/x",
        ] {
            assert!(!has(&paths, path), "{path}");
        }
        assert!(!has(&[], "/submit/"));
    }
}
