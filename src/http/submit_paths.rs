//! Paths beside `/submit` at which reports are taken, for clients whose address cannot be chosen freely.

/// Patterns of paths. In each a `*` stands for one step.
#[derive(Clone, Debug, Default)]
pub struct SubmitPaths(Vec<String>);

impl SubmitPaths {
    pub fn new(patterns: Vec<String>) -> Self {
        Self(patterns)
    }

    /// Whether reports are taken at `path`. A slash at its end makes no difference.
    pub fn has(&self, path: &str) -> bool {
        self.0.iter().any(|pattern| matches(pattern, path))
    }
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
        let paths = SubmitPaths::new(paths.to_vec());
        for path in [
            "/api/42/minidump/",
            "/api/a-b/minidump",
            "/crash",
            "/crash/",
        ] {
            assert!(paths.has(path), "{path}");
        }
        for path in [
            "/api//minidump/",
            "/api/1/2/minidump/",
            "/api/42",
            "/",
            "/crash/x",
            "/api/42/minidump/x",
        ] {
            assert!(!paths.has(path), "{path}");
        }
        assert!(!SubmitPaths::default().has("/submit/"));
    }
}
