//! Checks the layers of the source: a file imports only from lower layers, and no files import each other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// Layers from the bottom up. A name is a folder or a single file of `src/`; what is on one layer may not import from
/// each other, but the files of one folder may.
const LAYERS: &[&[&str]] = &[
    &["simd", "smtp"],
    &["collections", "input"],
    &["catalog", "parse"],
    &["pipeline", "report"],
    &["messages", "tally", "explain", "redact", "render"],
    &["scan", "storm", "trace", "events"],
    &["watch", "part"],
    &["cli"],
    &["main", "lib"],
];

/// The folder that shows reports, and all that it may import: it does not know how a report came about.
const RENDERER: &str = "render";
const RENDERER_MAY_USE: &[&str] = &["catalog", "render", "report", "smtp"];

/// A module path below the crate: `["mta", "postfix"]`; the crate itself is empty.
type Module = Vec<String>;

struct Source {
    /// The file inside `src/`.
    file: PathBuf,
    module: Module,
    /// Without comments, literals and the items under `#[cfg(test)]`.
    code: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            files_below(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

fn sources() -> Vec<Source> {
    let mut files = Vec::new();
    files_below(&root(), &mut files);
    files.sort();
    let source = |path: PathBuf| {
        let file = path.strip_prefix(root()).unwrap().to_owned();
        let mut module: Module =
            file.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
        if module.last().is_some_and(|last| last == "mod") || module == ["lib"] {
            module.pop();
        }
        let code = without_tests(&bare(&fs::read_to_string(&path).unwrap()));
        Source { file, module, code }
    };
    files.into_iter().map(source).collect()
}

/// The code with its comments and the contents of its literals blanked out.
fn bare(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let inside_word = code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let taken = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |at| at + 2)
        } else if let Some(end) = raw_string(rest).filter(|_| !inside_word) {
            end
        } else if first == '"' {
            quoted(rest, '"').unwrap_or(rest.len())
        } else if first == '\'' {
            // A lifetime has no closing quote behind its first character.
            let mut chars = rest.chars().skip(1);
            let (one, two) = (chars.next(), chars.next());
            if one == Some('\\') || two == Some('\'') { quoted(rest, '\'').unwrap_or(1) } else { 0 }
        } else {
            0
        };
        if taken == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            code.push(' ');
            rest = &rest[taken..];
        }
    }
    code
}

/// The length of the raw string, byte strings included, that `text` starts with.
fn raw_string(text: &str) -> Option<usize> {
    let open = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let inside = open.trim_start_matches('#');
    let hashes = open.len() - inside.len();
    let end = format!("\"{}", "#".repeat(hashes));
    let from = text.len() - inside.strip_prefix('"')?.len();
    Some(text[from..].find(&end).map_or(text.len(), |at| from + at + end.len()))
}

/// The length of the literal between two `quote`s that `text` starts with.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return Some(at + c.len_utf8()),
            _ => {}
        }
    }
    None
}

/// The code without the item, a module or a single one, behind each `#[cfg(test)]`.
fn without_tests(code: &str) -> String {
    let mut parts = code.split("#[cfg(test)]");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut depth = 0_u32;
        let mut end = part.len();
        for (at, c) in part.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 && (c == '}' || c == ';') {
                end = at + 1;
                break;
            }
        }
        kept.push_str(&part[end..]);
    }
    kept
}

/// Every path in the code that starts with `crate::`, `super::`, `self::` or a module that the file declares; groups of
/// a `use` are taken apart, and the last kind gets a `self` in front.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let starts_at = |at: usize| !code[..at].ends_with(is_word) && !code[..at].ends_with("::");
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(start).filter(|&(at, _)| starts_at(at)) {
            path(&code[at..], &[], &mut found);
        }
    }
    for (at, _) in code.match_indices("mod ").filter(|&(at, _)| starts_at(at)) {
        let Some((name, _)) = code[at + 4..].split_once(|c: char| !is_word(c)) else { continue };
        if code[at + 4 + name.len()..].starts_with(';') {
            for (at, _) in code.match_indices(&format!("{name}::")).filter(|&(at, _)| starts_at(at)) {
                path(&code[at..], &["self".to_owned()], &mut found);
            }
        }
    }
    found
}

/// Reads one path or one group in braces; returns what follows it.
fn path<'a>(code: &'a str, front: &[String], found: &mut Vec<Vec<String>>) -> &'a str {
    let mut path = front.to_vec();
    let mut rest = code.trim_start();
    loop {
        if let Some(inside) = rest.strip_prefix('{') {
            rest = inside.trim_start();
            while !rest.starts_with('}') && !rest.is_empty() {
                let after = self::path(rest, &path, found).trim_start();
                // `as name` follows a path, and a comma.
                let after = after.trim_start_matches(|c: char| c != ',' && c != '}');
                rest = after.strip_prefix(',').unwrap_or(after).trim_start();
            }
            return rest.strip_prefix('}').unwrap_or(rest);
        }
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        path.push(rest[..end].to_owned());
        rest = &rest[end..];
        match rest.strip_prefix("::") {
            Some(after) if after.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '{') => {
                rest = after;
            }
            _ => break,
        }
    }
    found.push(path);
    rest
}

/// The files that each file imports from.
fn imports() -> BTreeMap<PathBuf, BTreeSet<PathBuf>> {
    let sources = sources();
    let files: BTreeMap<&Module, &PathBuf> = sources
        .iter()
        .filter(|source| source.file != Path::new("main.rs"))
        .map(|s| (&s.module, &s.file))
        .collect();
    let mut imports = BTreeMap::new();
    for source in &sources {
        let used: &mut BTreeSet<PathBuf> = imports.entry(source.file.clone()).or_default();
        for path in paths(&source.code) {
            let mut target: Module = Vec::new();
            let mut words = path.as_slice();
            if words[0] == "self" {
                target.clone_from(&source.module);
                words = &words[1..];
            } else if words[0] == "super" {
                target.clone_from(&source.module);
                while words.first().is_some_and(|word| word == "super") {
                    target.pop();
                    words = &words[1..];
                }
            } else {
                words = &words[1..];
            }
            for word in words {
                target.push(word.clone());
                if !files.contains_key(&target) {
                    target.pop();
                    break;
                }
            }
            if let Some(&file) = files.get(&target).filter(|file| **file != &source.file) {
                used.insert(file.clone());
            }
        }
    }
    imports
}

/// The entry of the table that a file belongs to: its folder, or its own name at the top of `src/`.
fn place(file: &Path) -> String {
    file.iter().next().unwrap().to_string_lossy().trim_end_matches(".rs").to_owned()
}

fn layer(place: &str) -> usize {
    LAYERS
        .iter()
        .position(|places| places.contains(&place))
        .unwrap_or_else(|| panic!("src/{place} has no layer: give it one in tests/it/architecture.rs"))
}

#[test]
fn imports_go_only_downwards() {
    let mut upwards = Vec::new();
    for (file, used) in imports() {
        let from = place(&file);
        for used in used {
            let to = place(&used);
            if from != to && layer(&to) >= layer(&from) {
                upwards.push(format!("src/{} imports from src/{}", file.display(), used.display()));
            }
        }
    }
    assert!(upwards.is_empty(), "on the same layer or a higher one:\n{}", upwards.join("\n"));
}

/// The files that reach each other, one set for each circle: strongly connected components, by what each file reaches.
fn circles(imports: &BTreeMap<PathBuf, BTreeSet<PathBuf>>) -> BTreeSet<Vec<&PathBuf>> {
    let reached = |from: &PathBuf| {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&PathBuf> = imports[from].iter().collect();
        while let Some(file) = open.pop() {
            if seen.insert(file) {
                open.extend(&imports[file]);
            }
        }
        seen
    };
    let reached: BTreeMap<&PathBuf, BTreeSet<&PathBuf>> =
        imports.keys().map(|file| (file, reached(file))).collect();
    let circle = |file: &PathBuf| -> Vec<&PathBuf> {
        reached[file].iter().copied().filter(|other| reached[other].contains(file)).collect()
    };
    imports.keys().map(circle).filter(|circle| !circle.is_empty()).collect()
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let imports = imports();
    let mut circular = String::new();
    for circle in circles(&imports) {
        circular.push_str("a circle:\n");
        for file in &circle {
            for used in imports[*file].iter().filter(|used| circle.contains(used)) {
                writeln!(circular, "  src/{} imports from src/{}", file.display(), used.display()).unwrap();
            }
        }
    }
    assert!(circular.is_empty(), "{circular}");
}

#[test]
fn the_renderer_imports_only_what_it_shows() {
    for (file, used) in imports().iter().filter(|(file, _)| place(file) == RENDERER) {
        for used in used {
            assert!(
                RENDERER_MAY_USE.contains(&place(used).as_str()),
                "src/{} imports from src/{}",
                file.display(),
                used.display()
            );
        }
    }
}

/// The places that may name a mail server, with the reason; `parse/mta` is a folder.
const MAY_NAME_SERVERS: &[(&str, &str)] = &[
    ("parse/mta", "parses the lines of each server"),
    ("smtp/event.rs", "defines the enum"),
    ("catalog/by_server.rs", "says which servers the tables have texts of their own for"),
];

#[test]
fn only_the_parsers_and_the_catalogue_name_mail_servers() {
    for source in sources() {
        if MAY_NAME_SERVERS.iter().any(|(place, _)| source.file.starts_with(place)) {
            continue;
        }
        for server in ["Postfix", "Exim", "Sendmail", "Opensmtpd", "Kumomta"] {
            for name in [format!("Mta::{server}"), format!("Program::{server}")] {
                assert!(!source.code.contains(&name), "src/{} has {name}", source.file.display());
            }
        }
    }
}

/// The types that a file defines: structs, enums, traits, and the type aliases that stand outside an `impl`.
fn types(source: &Source) -> Vec<String> {
    let defined = |line: &str| {
        let visible = line.trim_start();
        let visible = visible.strip_prefix("pub(crate) ").or(visible.strip_prefix("pub ")).unwrap_or(visible);
        let kinds = ["struct ", "enum ", "trait ", "type "];
        let kind = kinds.into_iter().find(|kind| visible.starts_with(kind))?;
        if kind == "type " && line.starts_with(' ') {
            return None;
        }
        let name = visible.strip_prefix(kind)?;
        Some(name.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default().to_owned())
    };
    source.code.lines().filter_map(defined).collect()
}

#[test]
fn no_two_types_have_the_same_name() {
    let mut files_by_type: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for source in sources() {
        for name in types(&source) {
            files_by_type.entry(name).or_default().push(source.file.clone());
        }
    }
    assert!(files_by_type.len() > 400, "only {} types were found", files_by_type.len());
    files_by_type.retain(|_, files| files.len() > 1);
    assert!(files_by_type.is_empty(), "types with the same name: {files_by_type:#?}");
}

#[test]
fn no_file_is_longer_than_500_lines() {
    for source in sources() {
        let lines = fs::read_to_string(root().join(&source.file)).unwrap().lines().count();
        assert!(lines <= 500, "src/{} has {lines} lines: move its second subject out", source.file.display());
    }
}

#[test]
fn only_main_prints_errors_and_exits() {
    for source in sources().iter().filter(|source| source.file != Path::new("main.rs")) {
        for word in ["eprintln!", "process::exit"] {
            assert!(!source.code.contains(word), "src/{} has {word}", source.file.display());
        }
    }
}

#[test]
fn reads_paths_as_the_compiler_does() {
    let code = "use crate::a::{self, b::{C, D as E}, f};\n// crate::comment\nlet x = \"crate::text\";\n\
        fn g<'a>(h: &'a super::i::J) { let k = '\"'; crate::l::m() }\n#[cfg(test)]\nmod tests { use crate::n; }\nmod o;\nuse o::P;";
    let found: BTreeSet<String> =
        paths(&without_tests(&bare(code))).iter().map(|path| path.join("::")).collect();
    let wanted = [
        "self::o::P",
        "crate::a::self",
        "crate::a::b::C",
        "crate::a::b::D",
        "crate::a::f",
        "super::i::J",
        "crate::l::m",
    ];
    assert_eq!(found, wanted.iter().map(|path| (*path).to_owned()).collect());
}
