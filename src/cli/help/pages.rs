//! Holds what a help page says besides the options: examples, the exit status, and the groups of the subcommands.

/// A command line, and what it prints.
pub(crate) type HelpExample = (&'static str, &'static str);

/// The part of a help page that is not derived from the options.
pub(crate) struct HelpPage {
    /// Empty for a subcommand: its doc comment is used.
    pub about: &'static str,
    /// Empty for a subcommand: clap writes it.
    pub usage: &'static str,
    pub examples: &'static [HelpExample],
    /// The long names of the options that `-h` shows.
    pub short: &'static [&'static str],
    /// The exit status with its meaning.
    pub exit: &'static [(&'static str, &'static str)],
}

/// The groups of the subcommands: heading, names, and their lines in `smtplog -h`.
pub(crate) const GROUPS: [(&str, &[&str], &[&str]); 3] = [
    (
        "Read logs:",
        &["scan", "merge", "storm", "watch", "events", "trace"],
        &[
            "scan    report what failed, why, and what to do (the default)",
            "merge   add up the parts of many hosts or times to one report",
            "storm   find bursts of failures and silences",
            "watch   follow logs live, on a screen or with a line for each storm",
            "events  list every delivery attempt and every rejection",
            "trace   show what happened to a message",
        ],
    ),
    (
        "Look up:",
        &["explain", "compare", "codes"],
        &["explain a code or a reply, compare two, list all codes"],
    ),
    ("Set up:", &["completions", "man", "schema", "help"], &["completions, man, schema, help"]),
];

const ANSWERED: (&str, &str) = ("0", "Success.");
const WRONG: (&str, &str) = (
    "2",
    "The command line or the configuration is wrong, or an input could not be read. What could be read is reported all the same.",
);
const USAGE: (&str, &str) = ("2", "The command line or the configuration is wrong.");
const LOST: (&str, &str) =
    ("3", "The input was read, but no line was understood, or less than --strict requires.");

pub(crate) const ROOT: HelpPage = HelpPage {
    about: "Reads mail server logs and says which mail fails, why, and what to do.",
    usage: "Usage: smtplog [scan] [OPTIONS] [FILE]...\n       smtplog COMMAND [OPTIONS] ...",
    examples: &[
        ("smtplog /var/log/mail.log", "what failed, why, and what to do"),
        ("smtplog --rotated --since 1d mail.log", "the last day, with rotated logs"),
        ("smtplog trace anna@example.org mail.log", "what happened to Anna's mail"),
        ("smtplog explain \"552 5.2.2 mailbox full\"", "what a reply means, how to fix it"),
        ("smtplog storm mail.log", "what went wrong, when, and why"),
        ("smtplog -o report.html mail.log", "a page with charts"),
    ],
    short: &[],
    exit: &[
        ANSWERED,
        (
            "1",
            "The answer is no: explain or compare does not know the code, trace found nothing, storm found a storm, or a --fail-on \
             condition is true.",
        ),
        WRONG,
        LOST,
    ],
};

const SCAN: HelpPage = HelpPage {
    about: "",
    usage: "",
    examples: &[
        ("smtplog scan --rotated /var/log/mail.log", "with mail.log.1 and older"),
        ("smtplog scan --since yesterday mail.log", "since midnight yesterday"),
        ("smtplog scan --outcome bounced mail.log", "only mail that bounced"),
        ("smtplog scan --by provider,code mail.log", "a table by provider and code"),
        ("smtplog scan --redact -o report.html mail.log", "a page to share"),
    ],
    short: &["rotated", "since", "code", "reason", "by", "top", "format", "output"],
    exit: &[
        ANSWERED,
        ("1", "A --fail-on condition is true."),
        WRONG,
        LOST,
        (
            "0, 1, 2, 3",
            "With --nagios: OK, WARNING, CRITICAL, and UNKNOWN if the input could not be read in full.",
        ),
    ],
};

const STORM: HelpPage = HelpPage {
    about: "",
    usage: "",
    examples: &[
        ("smtplog storm /var/log/mail.log", "every storm in the log"),
        ("smtplog storm --rotated --since 2d mail.log", "those of the last two days"),
        ("smtplog storm --format json mail.log", "for a program"),
    ],
    short: &["rotated", "since", "top", "alarms-per-month", "format", "output"],
    exit: &[("0", "No storm."), ("1", "There is a storm."), WRONG, LOST],
};

const WATCH: HelpPage = HelpPage {
    about: "",
    usage: "",
    examples: &[
        ("smtplog watch /var/log/mail.log", "a screen: rates, failures, storms"),
        ("smtplog watch --direction outbound mail.log", "only mail that leaves"),
        ("smtplog watch --format ndjson mail.log", "a line for each storm"),
    ],
    short: &["journal", "since", "direction", "code", "reason", "format"],
    exit: &[ANSWERED, WRONG, LOST],
};

const EVENTS: HelpPage = HelpPage {
    about: "",
    usage: "",
    examples: &[
        ("smtplog events --format text mail.log", "for people"),
        ("smtplog events --to @example.org mail.log", "for one domain, as JSON"),
        ("smtplog events -n 20 --outcome bounced mail.log", "the last 20 bounces"),
        ("smtplog events -o events.csv mail.log", "for a spreadsheet"),
    ],
    short: &["rotated", "since", "outcome", "to", "top", "format", "output"],
    exit: &[ANSWERED, WRONG, LOST],
};

const TRACE: HelpPage = HelpPage {
    about: "",
    usage: "",
    examples: &[
        ("smtplog trace anna@example.org mail.log", "mail from or to Anna"),
        ("smtplog trace 4F1A2B3C4D --rotated mail.log", "a queue id, with rotated logs"),
        ("smtplog trace @example.org --since 1d mail.log", "mail of a domain"),
        ("smtplog trace 192.0.2.7 mail.log", "mail of a client"),
        ("smtplog trace --raw 4F1A2B3C4D mail.log", "its log lines"),
    ],
    short: &["rotated", "since", "outcome", "top", "raw", "format", "output"],
    exit: &[ANSWERED, ("1", "Nothing was found."), WRONG, LOST],
};

const EXPLAIN: HelpPage = HelpPage {
    about: "",
    usage: "",
    examples: &[
        ("smtplog explain 452", "a code"),
        ("smtplog explain 5.7.1", "an enhanced code"),
        ("smtplog explain mailbox-full", "a reason"),
        ("smtplog explain \"552 5.2.2 mailbox full\"", "a whole reply"),
        ("smtplog explain --full 552", "everything that is known"),
        ("tail -1 mail.log | smtplog explain -", "a log line"),
    ],
    short: &["direction", "stage", "mta", "relay", "full", "format"],
    exit: &[ANSWERED, ("1", "The code or the reason is unknown; the nearest ones are named."), USAGE],
};

const COMPARE: HelpPage = HelpPage {
    about: "",
    usage: "",
    examples: &[
        ("smtplog compare 452 552", "two codes"),
        ("smtplog compare 4.2.2 5.2.2", "two enhanced codes"),
        ("smtplog compare greylisted rate-limited", "two reasons"),
    ],
    short: &["format", "lang"],
    exit: &[ANSWERED, ("1", "A code or a reason is unknown; the nearest ones are named."), USAGE],
};

const CODES: HelpPage = HelpPage {
    about: "",
    usage: "",
    examples: &[
        ("smtplog codes", "every code, with its source"),
        ("smtplog codes --class 4xx", "temporary failures"),
        ("smtplog codes --format json", "for a program"),
    ],
    short: &["class", "format", "lang"],
    exit: &[ANSWERED, USAGE],
};

const COMPLETIONS: HelpPage = HelpPage {
    about: "",
    usage: "",
    examples: &[
        ("smtplog completions bash > smtplog.bash", "then: source smtplog.bash"),
        ("smtplog completions zsh > _smtplog", "in a folder of $fpath"),
        ("smtplog completions fish > smtplog.fish", "in ~/.config/fish/completions"),
    ],
    short: &[],
    exit: &[ANSWERED, USAGE],
};

const MAN: HelpPage = HelpPage {
    about: "",
    usage: "",
    examples: &[
        ("smtplog man", "read the page; roff in a pipe"),
        ("smtplog man trace", "the page of a subcommand"),
        ("smtplog man --out /usr/local/share/man/man1", "install all pages"),
    ],
    short: &["out"],
    exit: &[ANSWERED, ("2", "The command line is wrong, or a page could not be written.")],
};

const SCHEMA: HelpPage = HelpPage {
    about: "",
    usage: "",
    examples: &[
        ("smtplog schema report > report.schema.json", "of scan --format json"),
        ("smtplog schema event > event.schema.json", "of a line of events"),
    ],
    short: &[],
    exit: &[ANSWERED, USAGE],
};

const MERGE: HelpPage = HelpPage {
    about: "",
    usage: "",
    examples: &[
        ("smtplog scan --part mx1.part mail.log", "on each host"),
        ("smtplog merge parts/", "the report of all hosts"),
        ("ssh mx1 smtplog scan --part - | smtplog merge -", "without a file"),
    ],
    short: &["expect", "part", "since", "until", "top", "codes", "who", "format", "output"],
    exit: &[
        ANSWERED,
        ("1", "A --fail-on condition is true."),
        (
            "2",
            "The command line or the configuration is wrong; a part is damaged, or was counted with other rules, another filter or \
other options; two parts hold the same lines; or a part was made although not all could be read.",
        ),
        LOST,
    ],
};

/// The page of a subcommand; that of the program for any other name.
pub(crate) fn page_of(name: &str) -> &'static HelpPage {
    match name {
        "scan" => &SCAN,
        "merge" => &MERGE,
        "storm" => &STORM,
        "watch" => &WATCH,
        "events" => &EVENTS,
        "trace" => &TRACE,
        "explain" => &EXPLAIN,
        "compare" => &COMPARE,
        "codes" => &CODES,
        "completions" => &COMPLETIONS,
        "man" => &MAN,
        "schema" => &SCHEMA,
        _ => &ROOT,
    }
}
