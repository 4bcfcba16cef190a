//! Compiles the tables of the catalogue for the program to embed, as files of Rust code.
//!
//! `rules.rs` holds the rules and their phrases as static data, so that a start does not compile 7,300 phrases.
//! `tables.rs` holds the other tables as JSON, which the program reads when it first needs them: all of them take 33 million
//! instructions as TOML and 4 million as JSON.

use std::error::Error;
use std::fmt::{self, Debug, Write};
use std::path::{Path, PathBuf};
use std::{env, fs};

use toml::{Table, Value};

use self::classify::phrases::{PhraseBuilder, Phrases};

// The program's own code, so that the phrases are compiled as it compiles those of a user.
#[allow(dead_code, unused_imports, unreachable_pub)]
#[path = "src/simd/mod.rs"]
mod simd;
#[allow(dead_code, unused_imports, unreachable_pub)]
#[path = "src/catalog/classify"]
mod classify {
    pub mod byte_class;
    pub mod normalize;
    pub mod phrases;
    pub mod prefix_index;
}

/// The folder of the tables. A file `codes.toml` is the table `codes`, and `lang/tr.toml` is `lang/tr`.
const TABLES: &str = "src/catalog/data";

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    for compiled in [TABLES, "src/catalog/classify", "src/simd", "build.rs"] {
        println!("cargo::rerun-if-changed={compiled}");
    }
    let mut paths = Vec::new();
    collect_tables(Path::new(TABLES), &mut paths)?;
    paths.sort();
    let mut tables = Vec::new();
    for path in paths {
        let error = |cause| format!("cannot read {}: {cause}", path.display());
        let table: Table =
            fs::read_to_string(&path)?.parse().map_err(|cause: toml::de::Error| error(cause.to_string()))?;
        let name = path.strip_prefix(TABLES)?.with_extension("");
        let name = name.to_str().ok_or("the name of a table is not UTF-8")?.replace('\\', "/");
        tables.push((name, table));
    }
    let mut take = |name: &str, list: &str| {
        let table = tables.iter_mut().find(|(known, _)| known == name).map(|(_, table)| table);
        let list =
            table.and_then(
                |table| if name == "providers" { table.get(list).cloned() } else { table.remove(list) },
            );
        list.ok_or_else(|| format!("{name}.toml lacks a list"))
    };
    let providers: Vec<Table> = take("providers", "provider")?.try_into()?;
    let reasons = take("rules", "rule")?.try_into()?;
    let causes = take("causes", "match")?.try_into()?;
    let doubts: Vec<String> = take("doubts", "phrases")?.try_into()?;
    write_file("rules.rs", &rules(reasons, causes, &doubts, &providers)?)?;
    let known: Vec<Table> = take("warnings", "warning")?.try_into()?;
    write_file("warnings.rs", &warnings(&known)?)?;
    let mut code = "pub(super) const TABLES: &[(&str, &str)] = &[\n".to_owned();
    for (name, table) in tables.iter().filter(|(_, table)| !table.is_empty()) {
        writeln!(code, "    ({name:?}, {:?}),", serde_json::to_string(table)?)?;
    }
    code.push_str("];\npub(super) const CODE_NAMES: &[(u16, &str)] = &[\n");
    let codes = tables.iter().find(|(name, _)| name == "codes").and_then(|(_, table)| table.get("code"));
    for row in codes.and_then(Value::as_array).ok_or("codes.toml lacks a list")? {
        let number = row.get("code").and_then(Value::as_integer).ok_or("a code is no number")?;
        let name = row.get("name").and_then(Value::as_str).ok_or("a code has no name")?;
        writeln!(code, "    ({number}, {name:?}),")?;
    }
    code.push_str("];\n");
    write_file("tables.rs", &code)
}

fn write_file(name: &str, code: &str) -> Result<(), Failure> {
    Ok(fs::write(Path::new(&env::var("OUT_DIR")?).join(name), code)?)
}

/// An owner of a phrase, printed as the code that makes a `PhraseOwner`.
#[derive(Clone, Copy)]
enum Owner {
    Rule(usize, u8),
    Provider(usize),
}

impl Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Rule(rule, list) => write!(f, "PhraseOwner::Rule({rule}, {list})"),
            Self::Provider(at) => write!(f, "PhraseOwner::Provider(Provider::at({at}))"),
        }
    }
}

/// The keys of a rule.
const RULE_KEYS: [&str; 18] = [
    "id",
    "reason",
    "cause",
    "retry",
    "reply",
    "guess",
    "words",
    "and",
    "unless",
    "pattern",
    "provider",
    "code",
    "enhanced",
    "stage",
    "direction",
    "class",
    "mta",
    "source",
];

/// The code of the rules for reasons, then those for causes, and of their phrases. The phrases of doubt stand behind the last
/// rule.
fn rules(
    reasons: Vec<Table>,
    causes: Vec<Table>,
    doubts: &[String],
    providers: &[Table],
) -> Result<String, Failure> {
    let count = reasons.len();
    let mut all = reasons;
    all.extend(causes);
    for row in &mut all {
        for list in ["words", "and", "unless"] {
            if let Some(phrases) = row.get_mut(list).and_then(Value::as_array_mut) {
                drop_covered(phrases);
            }
        }
    }
    let mut phrases = PhraseBuilder::new();
    for (at, row) in providers.iter().enumerate() {
        for token in texts(row, "tokens")? {
            phrases.add(token, Owner::Provider(at))?;
        }
    }
    let mut code = String::new();
    let mut literals = String::new();
    for (at, row) in all.iter().enumerate() {
        for (bit, list) in [(1, "words"), (2, "and"), (4, "unless")] {
            for phrase in texts(row, list)? {
                phrases.add(phrase, Owner::Rule(at, bit))?;
            }
        }
        let rule = rule(at, row, providers, &mut code);
        literals.push_str(&rule.map_err(|cause| format!("the rule {:?}: {cause}", row.get("id")))?);
    }
    for phrase in doubts {
        phrases.add(phrase, Owner::Rule(all.len(), 1))?;
    }
    writeln!(code, "static RULES: [Rule; {}] = [\n{literals}];", all.len())?;
    write_phrases(&mut code, "PhraseOwner", &phrases.finish())?;
    writeln!(code, "/// The rules, and their phrases.")?;
    writeln!(code, "pub(super) fn rules() -> RuleSet {{")?;
    writeln!(code, "    RuleSet {{ rules: Cow::Borrowed(&RULES), reasons: {count}, phrases: phrases() }}")?;
    writeln!(code, "}}")?;
    Ok(code)
}

/// The literal of a rule; what it refers to is added to `code`.
fn rule(at: usize, row: &Table, providers: &[Table], code: &mut String) -> Result<String, Failure> {
    if let Some(key) = row.keys().find(|key| !RULE_KEYS.contains(&key.as_str()) && *key != "example") {
        return Err(format!("there is no key {key}").into());
    }
    let lists = [(1, "words"), (2, "and"), (4, "unless")];
    let phrase_lists: u8 = lists.iter().filter(|(_, list)| row.contains_key(*list)).map(|(bit, _)| bit).sum();
    let numbers: Vec<i64> = row.get("code").cloned().map_or(Ok(Vec::new()), Value::try_into)?;
    // A list of what a function makes is a constant of its own, which can be borrowed for ever.
    let codes = numbers.iter().map(|number| format!("code({number})"));
    writeln!(code, "const CODES_{at}: &[Code] = &[{}];", join(codes))?;
    let mut numbers = Vec::new();
    for id in texts(row, "provider")? {
        let position = providers.iter().position(|row| row.get("id").and_then(Value::as_str) == Some(id));
        numbers.push(position.ok_or_else(|| format!("no provider is called {id}"))?);
    }
    let made = numbers.iter().map(|position| format!("Provider::at({position})"));
    writeln!(code, "const PROVIDERS_{at}: &[Provider] = &[{}];", join(made))?;
    let text = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default();
    let flag = |key: &str| row.get(key).and_then(Value::as_bool);
    let pattern = row.get("pattern").and_then(Value::as_str).map(|text| format!("Pattern::new({text:?})"));
    let mut literal = format!(
        "    Rule {{ id: Cow::Borrowed({:?}), reason: {}, cause: {}, retry: {}, reply: {:?}, guess: {:?}, ",
        text("id"),
        one(row, "reason", "Reason")?.ok_or("it has no reason")?,
        option(one(row, "cause", "Cause")?),
        option(one(row, "retry", "Retry")?),
        flag("reply"),
        flag("guess").unwrap_or_default(),
    );
    write!(literal, "source: Cow::Borrowed({:?}), ", text("source"))?;
    write!(literal, "example: Cow::Borrowed({:?}), ", text("example"))?;
    write!(literal, "codes: Cow::Borrowed(CODES_{at}), providers: Cow::Borrowed(PROVIDERS_{at}), ")?;
    let patterns: Result<Vec<String>, Failure> = texts(row, "enhanced")?.into_iter().map(enhanced).collect();
    write!(literal, "enhanced: Cow::Borrowed(&[{}]), ", patterns?.join(", "))?;
    for (field, key, name) in [
        ("stages", "stage", "Stage"),
        ("directions", "direction", "Direction"),
        ("classes", "class", "Class"),
        ("mtas", "mta", "Mta"),
    ] {
        let values = texts(row, key)?.into_iter().map(|value| variant(name, value));
        write!(literal, "{field}: Cow::Borrowed(&[{}]), ", join(values))?;
    }
    writeln!(literal, "phrase_lists: {phrase_lists}, pattern: {} }},", option(pattern))?;
    Ok(literal)
}

/// The keys of a warning.
const WARNING_KEYS: [&str; 11] =
    ["id", "title", "words", "and", "server", "line", "check", "reason", "cause", "noise", "source"];

/// The code of the servers' own warnings and of their phrases.
fn warnings(all: &[Table]) -> Result<String, Failure> {
    let mut phrases = PhraseBuilder::new();
    let mut literals = String::new();
    for (at, row) in all.iter().enumerate() {
        if let Some(key) = row.keys().find(|key| !WARNING_KEYS.contains(&key.as_str())) {
            return Err(format!("a warning has no key {key}").into());
        }
        for (list, is_and) in [("words", false), ("and", true)] {
            for phrase in texts(row, list)? {
                phrases.add(phrase, (at, is_and))?;
            }
        }
        let servers =
            texts(row, "server")?.into_iter().map(|value| variant("crate::smtp::event::Mta", value));
        writeln!(
            literals,
            "    KnownWarning {{ id: {:?}, title: {:?}, has_and: {}, server: &[{}], line: {:?}, check: &{:?}, \
             reason: {}, cause: {}, noise: {} }},",
            needed(row, "id")?,
            needed(row, "title")?,
            row.contains_key("and"),
            join(servers),
            needed(row, "line")?,
            texts(row, "check")?,
            option(one(row, "reason", "Reason")?),
            option(one(row, "cause", "Cause")?),
            row.get("noise").and_then(Value::as_bool).unwrap_or_default(),
        )?;
    }
    let mut code = format!("pub(super) static ROWS: [KnownWarning; {}] = [\n{literals}];\n", all.len());
    write_phrases(&mut code, "WarningPhrase", &phrases.finish())?;
    Ok(code)
}

/// A text that a row must have.
fn needed<'a>(row: &'a Table, key: &str) -> Result<&'a str, Failure> {
    Ok(row.get(key).and_then(Value::as_str).ok_or_else(|| format!("{key} is missing in {row:?}"))?)
}

/// Adds the code of phrases and of the function `phrases` that gives them.
fn write_phrases<O: Copy + Debug>(code: &mut String, owner: &str, phrases: &Phrases<O>) -> fmt::Result {
    let lists: [(&str, &str, &dyn Debug, usize); 3] = [
        ("ALL", "Phrase", &phrases.all, phrases.all.len()),
        ("PARTS", "PhrasePart", &phrases.parts, phrases.parts.len()),
        ("OWNERS", owner, &phrases.owners, phrases.owners.len()),
    ];
    for (name, kind, list, count) in lists {
        writeln!(code, "static {name}: [{kind}; {count}] = {list:?};")?;
    }
    writeln!(code, "const TEXT: &[u8] = b\"{}\";", phrases.text.escape_ascii())?;
    for (name, index) in [("WORD_START", &phrases.word_start), ("ANY_PLACE", &phrases.any_place)] {
        writeln!(code, "static {name}: [IndexedWord; {}] = {:?};", index.words.len(), index.words)?;
        writeln!(code, "static {name}_STARTS: [u32; {}] = {:?};", index.starts.len(), index.starts)?;
        writeln!(code, "const {name}_TEXT: &[u8] = b\"{}\";", index.text.escape_ascii())?;
    }
    writeln!(code, "pub(super) fn phrases() -> Phrases<{owner}> {{\n    Phrases {{")?;
    for (field, name) in [("all", "&ALL"), ("parts", "&PARTS"), ("text", "TEXT"), ("owners", "&OWNERS")] {
        writeln!(code, "        {field}: Cow::Borrowed({name}),")?;
    }
    for (field, name) in [("word_start", "WORD_START"), ("any_place", "ANY_PLACE")] {
        writeln!(
            code,
            "        {field}: PrefixIndex {{ text: Cow::Borrowed({name}_TEXT), words: Cow::Borrowed(&{name}), \
             starts: Cow::Borrowed(&{name}_STARTS) }},"
        )?;
    }
    writeln!(code, "    }}\n}}")
}

/// The texts of a list. Empty if there is none.
fn texts<'a>(row: &'a Table, key: &str) -> Result<Vec<&'a str>, Failure> {
    let list = row.get(key).map_or(Ok(&[][..]), |list| list.as_array().map(Vec::as_slice).ok_or(key));
    let list = list.map_err(|key| format!("{key} is no list"))?;
    list.iter().map(|text| Ok(text.as_str().ok_or_else(|| format!("{key} holds what is no text"))?)).collect()
}

/// The variant of an enum that a key names.
fn one(row: &Table, key: &str, name: &str) -> Result<Option<String>, Failure> {
    let Some(value) = row.get(key) else { return Ok(None) };
    Ok(Some(variant(name, value.as_str().ok_or_else(|| format!("{key} is no text"))?)))
}

/// The code of a variant by its name in the tables: `mailbox-full` is `Reason::MailboxFull`.
fn variant(name: &str, value: &str) -> String {
    let known = match value {
        "8bit-not-supported" => "EightBitNotSupported",
        "STARTTLS" => "StartTls",
        "MAIL FROM" => "Mail",
        "RCPT TO" => "Rcpt",
        "end of DATA" => "EndOfData",
        "EHLO" | "AUTH" | "DATA" => return format!("{name}::{}{}", &value[..1], value[1..].to_lowercase()),
        _ => {
            let words = value.split('-').filter_map(|word| Some((word.get(..1)?, word.get(1..)?)));
            let words: String = words.map(|(first, rest)| first.to_uppercase() + rest).collect();
            return format!("{name}::{words}");
        }
    };
    format!("{name}::{known}")
}

/// The code of an `EnhancedPattern`: `x.7.606-649`.
fn enhanced(pattern: &str) -> Result<String, Failure> {
    let error = || format!("{pattern} is no pattern of enhanced codes");
    let [class, subject, details] = pattern.split('.').collect::<Vec<_>>()[..] else {
        return Err(error().into());
    };
    let class = if class == "x" { "None".to_owned() } else { format!("Some({class})") };
    let (first, last) = details.split_once('-').unwrap_or((details, details));
    Ok(format!("EnhancedPattern {{ class: {class}, subject: {subject}, first: {first}, last: {last} }}"))
}

fn option(code: Option<String>) -> String {
    code.map_or("None".to_owned(), |code| format!("Some({code})"))
}

fn join(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

/// Appends the paths of all TOML files in a folder and its subfolders to `found`.
fn collect_tables(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect_tables(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            found.push(path);
        }
    }
    Ok(())
}

/// Drops the phrases of a list that match only where another phrase of the list matches too: `ip is blocked` beside
/// `is blocked`. Each phrase that is loaded makes a start slower, and one in seven is covered.
fn drop_covered(phrases: &mut Vec<Value>) {
    let plain: Vec<String> =
        phrases.iter().map(|phrase| plain_words(phrase.as_str().unwrap_or_default())).collect();
    let is_covered = |at: usize, phrase: &str| {
        plain
            .iter()
            .enumerate()
            .any(|(other, by)| other != at && covers(by, phrase) && (by != phrase || other < at))
    };
    let kept: Vec<bool> = plain.iter().enumerate().map(|(at, phrase)| !is_covered(at, phrase)).collect();
    let mut kept = kept.into_iter();
    phrases.retain(|_| kept.next().unwrap_or(true));
}

/// The phrase as normalization leaves it, as far as phrases hold what is normalized.
fn plain_words(phrase: &str) -> String {
    let mut plain = String::new();
    for letter in phrase.chars() {
        match letter {
            '\'' | '"' | '`' => {}
            '-' | '_' | ' ' if plain.is_empty() || plain.ends_with(' ') => {}
            '-' | '_' | ' ' => plain.push(' '),
            _ => plain.push(letter.to_ascii_lowercase()),
        }
    }
    plain
}

/// Whether `phrase` holds the words of `by`, so that it matches only where `by` does. Only a `by` without a `*`, or with one
/// at its end, is looked at.
fn covers(by: &str, phrase: &str) -> bool {
    let (words, open) = match by.strip_suffix('*') {
        Some(words) if !words.ends_with(' ') => (words, true),
        Some(_) | None => (by, false),
    };
    let is_word = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
    // A `*` beside the words may stand for more letters of the same word.
    let ends = |letter: Option<char>| !is_word(letter) && letter != Some('*');
    !words.is_empty()
        && !words.contains('*')
        && phrase.match_indices(words).any(|(at, _)| {
            let (before, after) = (&phrase[..at], &phrase[at + words.len()..]);
            (ends(before.chars().next_back()) || !is_word(words.chars().next()))
                && (open || ends(after.chars().next()) || !is_word(words.chars().next_back()))
        })
}
