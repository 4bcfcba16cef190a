//! Checks options from configuration files, the environment and the command line: which one wins, and what an error says.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use assert_cmd::cargo::cargo_bin;
use clap::CommandFactory;
use smtplog::internals::cli::args::Cli;
use smtplog::internals::cli::config::{ConfigPaths, Invocation, commands, options, resolve, variable};
use tempfile::tempdir;

/// What `--print-config` says with these files in their places.
fn printed(system: &str, user: &str, environment: &[(&str, &str)], args: &[&str]) -> Result<String, String> {
    let folder = tempdir().unwrap();
    let at = |name: &str, text: &str| {
        let path = folder.path().join(name);
        if !text.is_empty() {
            fs::write(&path, text).unwrap();
        }
        path
    };
    let places = ConfigPaths { system: at("system.toml", system), user: Some(at("user.toml", user)) };
    let variables = |name: &str| {
        environment.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
    };
    let argv: Vec<OsString> =
        ["smtplog"].iter().chain(args).chain(&["--print-config"]).map(OsString::from).collect();
    let shown = |text: String| text.replace(&folder.path().display().to_string(), "");
    match resolve(&argv, &variables, &places) {
        Ok(Invocation::Print(text)) => Ok(shown(text)),
        Ok(Invocation::Run(cli)) => panic!("{cli:?}"),
        Err(error) => Err(shown(error.to_string())),
    }
}

#[track_caller]
fn says(system: &str, user: &str, environment: &[(&str, &str)], args: &[&str], wanted: &str) {
    let text = printed(system, user, environment, args).unwrap();
    assert!(text.lines().any(|line| line == wanted), "wanted {wanted:?}, got\n{text}");
}

#[track_caller]
fn complains(user: &str, wanted: &str) {
    let complaint = printed("", user, &[], &[]).unwrap_err();
    assert!(complaint.contains(wanted), "wanted {wanted:?}, got {complaint:?}");
}

fn smtplog(args: &[&str], home: &Path) -> Command {
    let mut command = Command::new(cargo_bin("smtplog"));
    command.args(args).env("COLUMNS", "80").env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
    command.env("XDG_CONFIG_HOME", home).env_remove("SMTPLOG_CONFIG").env_remove("SMTPLOG_NO_CONFIG");
    command
}

/// Exit status, stdout, stderr.
fn ran(mut command: Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_nearest_place_wins() {
    let (system, user) = ("top = 1\n", "\ntop = 2\n");
    let variables = [("SMTPLOG_TOP", "3")];
    says("", "", &[], &[], "# top is not set");
    says(system, "", &[], &[], "top = 1  # /system.toml, line 1");
    says(system, user, &[], &[], "top = 2  # /user.toml, line 2");
    says(system, user, &variables, &[], "top = 3  # environment, SMTPLOG_TOP");
    says(system, user, &variables, &["scan", "--top", "4"], "top = 4  # command line");
    says(system, user, &variables, &["-n4"], "top = 4  # command line");
    says(system, "", &variables, &[], "top = 3  # environment, SMTPLOG_TOP");
}

#[test]
fn a_table_wins_over_the_top_of_its_file_only() {
    says("", "top = 1\n[scan]\ntop = 2", &[], &[], "top = 2  # /user.toml, line 3");
    says("[scan]\ntop = 2", "top = 1", &[], &[], "top = 1  # /user.toml, line 1");
    says(
        "",
        "format = 'text'\n[events]\nformat = 'ndjson'",
        &[],
        &["scan"],
        "format = \"text\"  # /user.toml, line 1",
    );
}

#[test]
fn a_value_at_the_top_is_for_the_subcommands_that_take_it() {
    says("", "format = 'markdown'", &[], &["codes"], "format = \"markdown\"  # /user.toml, line 1");
    says("", "format = 'html'", &[], &["scan"], "format = \"html\"  # /user.toml, line 1");
    says("", "format = 'html'", &[], &["codes"], "format = \"text\"  # default");
    says("", "", &[("SMTPLOG_FORMAT", "html")], &["codes"], "format = \"text\"  # default");
    complains("format = 'papyrus'", "line 1: format of smtplog scan takes text, json,");
    complains("[events]\nformat = 'json'", "line 2: format takes ndjson, csv or text, not \"json\"");
}

#[test]
fn the_name_of_an_output_wins_over_a_format_that_is_set_for_all() {
    says("", "format = 'json'", &[], &["scan", "-o", "report.html"], "# format is not set");
    says(
        "",
        "format = 'json'",
        &[],
        &["scan", "-o", "-", "--format", "csv"],
        "format = \"csv\"  # command line",
    );
    says(
        "",
        "format = 'json'\noutput = 'report.html'",
        &[],
        &["scan"],
        "format = \"json\"  # /user.toml, line 1",
    );
}

#[test]
fn of_two_exclusive_options_the_nearer_one_wins() {
    says("", "no-advice = true", &[], &["--advice", "full"], "# no-advice = false gives way to advice");
    says(
        "",
        "no-advice = true",
        &[("SMTPLOG_ADVICE", "full")],
        &[],
        "advice = \"full\"  # environment, SMTPLOG_ADVICE",
    );
    says("", "", &[("SMTPLOG_ADVICE", "full")], &["--no-advice"], "no-advice = true  # command line");
    says("no-advice = true", "advice = 'full'", &[], &[], "advice = \"full\"  # /user.toml, line 1");
    says("no-advice = true", "no-advice = false", &[], &[], "no-advice = false  # /user.toml, line 1");
    says("", "advice = 'full'\nno-advice = false", &[], &[], "advice = \"full\"  # /user.toml, line 1");
    complains("advice = 'full'\nno-advice = true", "advice and no-advice exclude each other");
}

#[test]
fn a_repeated_option_is_a_list_and_the_command_line_replaces_it() {
    says(
        "",
        "rules = ['a.toml', 'b.toml']",
        &[],
        &[],
        "rules = [\"a.toml\", \"b.toml\"]  # /user.toml, line 1",
    );
    says("", "rules = 'a.toml'", &[], &[], "rules = [\"a.toml\"]  # /user.toml, line 1");
    says("", "rules = ['a.toml']", &[], &["--rules", "c.toml"], "rules = [\"c.toml\"]  # command line");
}

#[test]
fn an_empty_variable_counts_as_unset() {
    says("", "top = 2", &[("SMTPLOG_TOP", "")], &[], "top = 2  # /user.toml, line 1");
}

#[test]
fn a_mistake_names_the_line_and_what_is_allowed() {
    complains(
        "\ntopp = 3",
        "/user.toml, line 2: no subcommand has an option \"topp\"; the nearest is \"top\"",
    );
    complains("no_advice = true", "the nearest is \"no-advice\"");
    complains("[scna]\ntop = 3", "no subcommand takes a table \"scna\"; the nearest is \"scan\"");
    complains("[scan]\nstage = 'connect'", "line 2: smtplog scan has no option \"stage\"");
    complains("[events.scan]\ntop = 3", "smtplog events has no option \"scan\"");
    complains("top = 'many'", "top takes a number, not \"many\"");
    complains("top = true", "top takes a number, not true");
    complains("top = [3]", "top takes a single value");
    complains("tz = 1", "tz takes text in quotes, not 1");
    complains("no-advice = 'yes'", "no-advice takes true or false, not \"yes\"");
    complains("rules = [['a']]", "rules takes text in quotes, not a list");
    complains("class = 9", "takes positive, intermediate, transient or permanent, not \"9\"");
    complains("stage = 'tea'", "stage cannot be \"tea\": unknown command");
    complains("top = ", "/user.toml, line 1: ");
    complains("print-config = true", "no subcommand has an option \"print-config\"");
    complains("top = \"\\u001b[2J\"", "\\u{1b}[2J");
}

#[test]
fn a_wrong_variable_is_named() {
    let complaint = printed("", "", &[("SMTPLOG_TOP", "many")], &[]).unwrap_err();
    assert_eq!(
        complaint,
        "cannot use the environment variable SMTPLOG_TOP: top takes a number, not \"many\""
    );
    let complaint = printed("", "", &[("SMTPLOG_NO_ADVICE", "maybe")], &[]).unwrap_err();
    assert!(complaint.ends_with("no-advice takes true or false, not \"maybe\""), "{complaint}");
}

#[test]
fn a_named_file_stands_for_both_and_none_for_no_config() {
    let folder = tempdir().unwrap();
    let named = folder.path().join("named.toml");
    fs::write(&named, "advice = 'full'").unwrap();
    let named = named.to_str().unwrap();
    let wanted = format!("advice = \"full\"  # {named}, line 1");
    for (variables, args) in [
        (vec![], vec!["--config", named]),
        (vec![("SMTPLOG_CONFIG", named)], vec![]),
        (vec![("SMTPLOG_NO_CONFIG", "1")], vec!["--config", named]),
        (vec![], vec!["--config", named, "scan"]),
        (vec![], vec!["scan", "--config", named]),
    ] {
        says("top = 1", "top = 2", &variables, &args, "# top is not set");
        says("top = 1", "top = 2", &variables, &args, &wanted);
    }
    for (variables, args) in [
        (vec![("SMTPLOG_CONFIG", named)], vec!["--no-config"]),
        (vec![("SMTPLOG_CONFIG", named), ("SMTPLOG_NO_CONFIG", "yes")], vec![]),
    ] {
        says("top = 1", "top = 2", &variables, &args, "advice = \"line\"  # default");
        says("top = 1", "top = 2", &variables, &args, "# top is not set");
    }
}

#[test]
fn what_is_printed_is_read_back() {
    let folder = tempdir().unwrap();
    let copy = folder.path().join("copy.toml");
    let values = |text: &str| -> toml::Table { text.parse().unwrap() };
    for (args, more) in [
        (
            &["scan"][..],
            &[
                "--top",
                "3",
                "--no-advice",
                "--rules",
                "a \"b\"\\.toml",
                "--rules",
                "c\u{1b}",
                "--year",
                "2025",
            ][..],
        ),
        (&["events"], &["--tz", "Europe/Berlin", "--block-size", "7"]),
        (
            &["explain"],
            &[
                "--stage",
                "end-of-data",
                "--direction",
                "inbound",
                "--mta",
                "exim",
                "--relay",
                "mx.example.org",
            ],
        ),
        (&["compare"], &["--lang", "tr"]),
        (&["codes"], &["--class", "4", "--color", "never"]),
    ] {
        let first = printed("", "", &[], &[args, more].concat()).unwrap();
        fs::write(&copy, &first).unwrap();
        let again = printed("", "", &[], &[args, &["--config", copy.to_str().unwrap()]].concat()).unwrap();
        assert_eq!(values(&first), values(&again), "{first}");
        for option in more.iter().filter_map(|word| word.strip_prefix("--")) {
            assert!(first.contains(&format!("\n{option} = ")), "{option}\n{first}");
        }
    }
}

/// A value that the option takes, as TOML.
fn sample(option: &clap::Arg) -> String {
    let named = option.get_possible_values().iter().map(|value| value.get_name().to_owned()).next();
    let kind = option.get_value_parser().type_id();
    if kind == std::any::TypeId::of::<bool>() {
        return "true".to_owned();
    }
    if let Some(name) = named {
        return format!("{name:?}");
    }
    let candidates = [
        "4",
        "\"x\"",
        "\"4xx\"",
        "\"rcpt\"",
        "\"yesterday\"",
        "2026",
        "\"2026-11-22T03:00:00Z\"",
        "\"code\"",
        "\"1%\"",
        "\"deferred>1\"",
        "\"logs/{host}/*\"",
    ];
    let key = option.get_long().unwrap();
    let taken = |value: &&&str| {
        let value = value.trim_matches('"');
        let alone = clap::Command::new("x")
            .arg(clap::Arg::new("x").long("x").value_parser(option.get_value_parser().clone()));
        alone.try_get_matches_from(["x".to_owned(), format!("--x={value}")]).is_ok()
    };
    let value = candidates.iter().find(taken).unwrap_or_else(|| panic!("no sample suits --{key}: add one"));
    let quoted = value.starts_with('"')
        || [
            std::any::TypeId::of::<String>(),
            std::any::TypeId::of::<PathBuf>(),
            std::any::TypeId::of::<OsString>(),
        ]
        .iter()
        .any(|text| kind == *text);
    if quoted { format!("\"{}\"", value.trim_matches('"')) } else { (*value).to_owned() }
}

#[test]
fn every_long_option_is_a_key_and_a_variable() {
    let command = Cli::command();
    let mut keys = 0;
    for subcommand in commands(&command) {
        let name = subcommand.get_name();
        for (key, option) in options(subcommand) {
            let value = sample(option);
            let table = format!("[{name}]\n{key} = {value}\n");
            let text = printed("", &table, &[], &[name]).unwrap_or_else(|error| panic!("{table}: {error}"));
            let found = text
                .lines()
                .any(|line| line.starts_with(&format!("{key} = ")) && line.ends_with("/user.toml, line 2"));
            assert!(found, "{table}\n{text}");
            let (variable, value) = (variable(key), value.trim_matches('"'));
            let text = printed("", "", &[(&variable, value)], &[name]).unwrap();
            assert!(text.contains(&format!("# environment, {variable}\n")), "{variable}={value}\n{text}");
            keys += 1;
        }
    }
    assert!(keys > 30, "only {keys} keys");
}

#[test]
fn the_example_is_valid_with_all_its_lines_uncommented() {
    let text = fs::read_to_string("contrib/config.toml").unwrap();
    assert!(
        text.lines().all(|line| line.is_empty() || line.starts_with('#')),
        "it is to change nothing as it is"
    );
    let in_force = |line: &str| {
        line.strip_prefix('#')
            .filter(|rest| rest.starts_with(|c: char| c.is_alphabetic() || c == '['))
            .unwrap_or(line)
            .to_owned()
    };
    let text: String = text.lines().map(in_force).map(|line| line + "\n").collect();
    let keys = text.lines().filter(|line| !line.starts_with('#') && line.contains(" = ")).count();
    assert!(keys >= 8, "{text}");
    for subcommand in commands(&Cli::command()) {
        printed("", &text, &[], &[subcommand.get_name()]).unwrap();
    }
    says("", &text, &[], &["scan"], "advice = \"full\"  # /user.toml, line 32");
}

#[test]
fn the_program_reads_the_files_of_its_user() {
    let home = tempdir().unwrap();
    fs::create_dir(home.path().join("smtplog")).unwrap();
    let config = home.path().join("smtplog/config.toml");
    fs::write(&config, "format = 'json'\n").unwrap();
    let (status, out, err) = ran(smtplog(&["codes", "--class", "4"], home.path()));
    assert!(status == 0 && out.starts_with('{'), "{status} {out} {err}");
    let (_, out, _) = ran(smtplog(&["codes", "--class", "4", "--format", "text"], home.path()));
    assert!(!out.starts_with('{'), "{out}");
    let (_, out, _) = ran(smtplog(&["codes", "--class", "4", "--no-config"], home.path()));
    assert!(!out.starts_with('{'), "{out}");
    // A bare file is scanned, with the options of scan.
    let log = "fixtures/postfix/out.log";
    let (status, out, err) = ran(smtplog(&[log], home.path()));
    assert!(status == 0 && out.starts_with('{'), "{status} {out} {err}");

    fs::write(&config, "fromat = 'json'\n").unwrap();
    let (status, out, err) = ran(smtplog(&["codes"], home.path()));
    let wanted = format!(
        "smtplog: cannot use {}, line 1: no subcommand has an option \"fromat\"; the nearest is \"format\"\n",
        config.display()
    );
    assert_eq!((status, out.as_str(), err), (2, "", wanted));
    // What a shell reads at its start does not depend on the file.
    assert_eq!(ran(smtplog(&["completions", "bash"], home.path())).0, 0);
}

#[test]
fn a_named_file_must_be_there_and_another_need_not() {
    let home = tempdir().unwrap();
    assert_eq!(ran(smtplog(&["codes"], home.path())).0, 0);
    let (status, out, err) = ran(smtplog(&["codes", "--config", "not-there.toml"], home.path()));
    assert_eq!(
        (status, out.as_str(), err.as_str()),
        (2, "", "smtplog: cannot open not-there.toml: no such file\n")
    );
    fs::create_dir_all(home.path().join("smtplog/config.toml")).unwrap();
    let (status, _, err) = ran(smtplog(&["codes"], home.path()));
    assert!(status == 2 && err.contains("smtplog/config.toml"), "{status} {err}");
}

const RULE: &str = "advice = 'none'\n[[rule]]\nid = 'our-filter'\nreason = 'spam-content'\nwords = ['held by the gate']\n\
    [[provider]]\nid = 'acme'\nname = 'Acme Mail'\nhosts = ['mail.acme.example']\n";

#[test]
fn rules_of_all_files_count_the_nearest_first() {
    says(RULE, RULE, &[], &[], "rules-of = [\"/user.toml\", \"/system.toml\"]  # /user.toml, line 2");
    says(RULE, "top = 1", &[], &[], "rules-of = [\"/system.toml\"]  # /system.toml, line 2");
    says("", "top = 1", &[], &[], "top = 1  # /user.toml, line 1");
    complains("[rule]\nid = 'our-filter'", "line 1: write [[rule]], not [rule]");
    complains("[provider]\nid = 'acme'", "line 1: write [[provider]], not [provider]");
}

#[test]
fn rules_may_stand_in_the_configuration() {
    let home = tempdir().unwrap();
    fs::create_dir(home.path().join("smtplog")).unwrap();
    let config = home.path().join("smtplog/config.toml");
    fs::write(&config, RULE).unwrap();
    let args = ["explain", "--format", "ndjson", "--relay", "mx.mail.acme.example", "550 held by the gate"];
    let (status, out, err) = ran(smtplog(&args, home.path()));
    assert!(
        status == 0 && out.contains("\"our-filter\"") && out.contains("\"acme\""),
        "{status} {out} {err}"
    );
    fs::write(&config, RULE.replace("spam-content", "spam-contents")).unwrap();
    let (status, _, err) = ran(smtplog(&args, home.path()));
    assert!(status == 2 && err.contains("config.toml, line 4"), "{status} {err}");
}

#[test]
fn an_option_in_front_of_a_subcommand_is_not_lost() {
    let home = tempdir().unwrap();
    let (status, _, err) = ran(smtplog(&["-n", "3", "explain", "452"], home.path()));
    assert!(status == 2 && err.contains("unexpected argument '-n'"), "{status} {err}");
    let before = ran(smtplog(&["--format", "json", "explain", "452"], home.path()));
    assert_eq!(before, ran(smtplog(&["explain", "--format", "json", "452"], home.path())));
    assert!(before.0 == 0 && before.1.starts_with('{'), "{before:?}");
    assert_eq!(ran(smtplog(&["--no-config", "explain", "452"], home.path())).0, 0);
}

#[test]
fn print_config_wants_no_input_and_reads_none() {
    let home = tempdir().unwrap();
    for args in [
        &["explain", "--print-config"][..],
        &["compare", "--print-config"],
        &["not-there.log", "--print-config"],
    ] {
        let (status, out, err) = ran(smtplog(args, home.path()));
        assert!(status == 0 && out.starts_with('[') && err.is_empty(), "{args:?}: {status} {out} {err}");
    }
}
