//! What the three settings of the throttler mean: built-in sets, the original's names, files. Read once, at start.

use std::collections::BTreeMap;

use super::Throttler;
use super::aliases::Aliases;
use super::mistakes::{Mistake, RulesError};
use super::rules_file::{RulesFile, Section, parse};
use super::supported::Supported;

const MOZILLA: &str = include_str!("mozilla.toml");
const MOZILLA_PATH: &str = "mozilla (built in)";
const ACCEPT_ALL: &str = "[[rule]]\nname = \"accept_everything\"\nresult = \"accept\"\n";
const ACCEPT_ALL_PATH: &str = "accept_all (built in)";

/// Where one of the settings points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source<'a> {
    Mozilla,
    All,
    File(&'a str),
}

impl Section {
    /// The names that the original knows for its built-in sets: Mozilla's, and the one that lets everything through.
    fn original_names(self) -> [&'static str; 2] {
        match self {
            Self::Rules => [
                "antenna.throttler.MOZILLA_RULES",
                "antenna.throttler.ACCEPT_ALL",
            ],
            Self::Products => [
                "antenna.throttler.MOZILLA_PRODUCTS",
                "antenna.throttler.ALL_PRODUCTS",
            ],
            Self::PackageNames => [
                "antenna.throttler.MOZILLA_PRODUCT_PACKAGENAMES",
                "antenna.throttler.ALL_PRODUCT_PACKAGENAMES",
            ],
        }
    }

    fn source(self, word: &str) -> Source<'_> {
        let [mozilla, all] = self.original_names();
        match word {
            "mozilla" => Source::Mozilla,
            "all" | "accept_all" => Source::All,
            _ if word == mozilla => Source::Mozilla,
            _ if word == all => Source::All,
            path => Source::File(path),
        }
    }
}

/// Reads what is named; of all aliases for one annotation, those in the file with the products go first.
///
/// # Errors
/// Every mistake in every file, and every file that cannot be read.
pub(super) fn load(named: [(Section, &str); 3]) -> Result<Throttler, RulesError> {
    let chosen = named.map(|(section, word)| (section, section.source(word)));
    let mut files = BTreeMap::new();
    let mut mistakes = Vec::new();
    for (_, source) in chosen {
        if files.contains_key(&source) {
            continue;
        }
        let wanted: Vec<Section> = chosen
            .iter()
            .filter(|(_, other)| *other == source)
            .map(|(section, _)| *section)
            .collect();
        match read(source, &wanted) {
            Ok(file) => files.insert(source, file),
            Err(found) => {
                mistakes.extend(found);
                files.insert(source, RulesFile::default())
            }
        };
    }
    let [rules, products, package_names] = chosen.map(|(_, source)| files.get(&source));
    let supported = Supported {
        products: products
            .and_then(|file| file.products.clone())
            .unwrap_or_default(),
        package_names: package_names
            .and_then(|file| file.package_names.clone())
            .unwrap_or_default(),
    };
    let mut aliases = Aliases::default();
    for file in [products, rules, package_names].into_iter().flatten() {
        aliases.extend(&file.aliases);
    }
    match rules.and_then(|file| file.rules.clone()) {
        Some(rule_set) if mistakes.is_empty() => Ok(Throttler {
            rule_set,
            supported,
            aliases,
        }),
        _ => Err(RulesError::new(mistakes)),
    }
}

/// Reads one source, in which the sections `wanted` must be.
fn read(source: Source, wanted: &[Section]) -> Result<RulesFile, Vec<Mistake>> {
    match source {
        Source::Mozilla => parse(MOZILLA_PATH, MOZILLA, wanted),
        // Having no product list and no package names is what lets all of them through.
        Source::All => parse(ACCEPT_ALL_PATH, ACCEPT_ALL, &[]),
        Source::File(path) => match std::fs::read_to_string(path) {
            Ok(text) => parse(path, &text, wanted),
            Err(error) => Err(vec![unreadable(path, &error, wanted)]),
        },
    }
}

fn unreadable(path: &str, error: &std::io::Error, wanted: &[Section]) -> Mistake {
    let names: Vec<_> = wanted
        .iter()
        .flat_map(|section| section.original_names())
        .collect();
    Mistake {
        path: path.to_owned(),
        line: None,
        what: format!("there is no built-in set and no readable file of this name ({error})"),
        advice: format!(
            "use mozilla, all, {} or the path of a rules file (TOML; Python modules cannot be loaded)",
            names.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn told(rules: &str, products: &str, package_names: &str) -> Vec<String> {
        let error = Throttler::new(rules, products, package_names).unwrap_err();
        error.mistakes().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn words_and_the_originals_names_mean_the_same() {
        let Throttler {
            rule_set,
            supported,
            aliases,
        } = Throttler::new(
            "antenna.throttler.MOZILLA_RULES",
            "antenna.throttler.MOZILLA_PRODUCTS",
            "antenna.throttler.MOZILLA_PRODUCT_PACKAGENAMES",
        )
        .unwrap();
        assert_eq!(aliases, Aliases::default());
        assert_eq!(rule_set.rules[0].name.as_ref(), "has_old_buildid");
        let mozilla = Throttler::new("mozilla", "mozilla", "mozilla").unwrap();
        assert_eq!(supported, mozilla.supported);
        assert!(supported.products.contains("Firefox Enterprise"));

        let all = [
            "antenna.throttler.ACCEPT_ALL",
            "antenna.throttler.ALL_PRODUCTS",
            "antenna.throttler.ALL_PRODUCT_PACKAGENAMES",
        ];
        for [rules, products, package_names] in [all, ["all", "accept_all", "all"]] {
            let Throttler {
                rule_set,
                supported,
                ..
            } = Throttler::new(rules, products, package_names).unwrap();
            assert!(rule_set.rules.is_empty());
            assert_eq!(rule_set.catch_all.name.as_ref(), "accept_everything");
            assert_eq!(supported, Supported::default());
        }
    }

    #[test]
    fn one_file_can_serve_all_three_settings() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rules.toml");
        fs::write(
            &path,
            "products = [\"A\"]\n[[rule]]\nname = \"r\"\nresult = \"defer\"\n[package_names]\nA = [\"a\"]\n[aliases]\nV = [\"v\"]\n",
        )
        .unwrap();
        let path = path.to_str().unwrap();
        let Throttler {
            rule_set,
            supported,
            ..
        } = Throttler::new(path, path, path).unwrap();
        assert_eq!(rule_set.catch_all.name.as_ref(), "r");
        assert!(supported.has_package(Some("A"), Some("a")));
        assert!(!supported.has_package(Some("A"), None));

        let loaded = Throttler::new("mozilla", path, "all").unwrap();
        assert!(!loaded.supported.has_product(Some("Firefox")));
        assert!(loaded.supported.has_package(Some("A"), None));
        let mut sent = [("v".to_owned(), "1".into())].into_iter().collect();
        assert_eq!(loaded.aliases.apply(&mut sent), ["V is taken from v"]);
    }

    #[test]
    fn the_mistakes_of_every_file_are_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let (first, second) = (file("a.toml", "x = 1\n"), file("b.toml", "products = []\n"));
        assert_eq!(
            told(&first, &second, &first),
            [
                format!(
                    "{first}:1: unknown key `x` in a rules file; known are `rule`, `products`, `package_names` and `aliases`"
                ),
                format!(
                    "{first}:1: there is no `rule` in this file; add rules, each under its own [[rule]] line"
                ),
                format!(
                    "{first}:1: there is no `package_names` in this file; \
                     add a table such as [package_names] with lines such as Fenix = [\"org.mozilla.fenix\"]"
                ),
                format!(
                    "{second}:1: `products` is an empty list; put at least one text into it, or remove it"
                ),
            ]
        );
    }

    #[test]
    fn a_name_that_leads_nowhere_is_told_with_all_that_would() {
        assert_eq!(
            told("myrules.rules", "mozilla", "mozilla"),
            [
                "myrules.rules: there is no built-in set and no readable file of this name \
                 (No such file or directory (os error 2)); \
                 use mozilla, all, antenna.throttler.MOZILLA_RULES, antenna.throttler.ACCEPT_ALL \
                 or the path of a rules file (TOML; Python modules cannot be loaded)"
            ]
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        assert!(told("all", path, "all")[0].contains("ALL_PRODUCTS or the path"));
    }
}
