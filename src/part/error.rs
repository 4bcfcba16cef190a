//! Why a part cannot be read or merged.

/// Text from a part is quoted as it is; whoever prints the error makes it printable.
#[derive(Debug, thiserror::Error)]
pub enum PartError {
    #[error("it is no part; `smtplog scan --part FILE` writes one")]
    NotAPart,
    #[error("a later version of smtplog wrote it ({schema})")]
    Newer { schema: String },
    #[error("it is damaged: {what}")]
    Damaged { what: &'static str },
    #[error("it was counted with {what} than {other}; parts of one report need the same")]
    Different { what: &'static str, other: String },
    #[error(
        "it and {other} both hold lines of {host} from {from} to {until}; a line may be in one part only"
    )]
    Overlap { other: String, host: String, from: String, until: String },
    #[error("it and {other} were both made from {path}")]
    SameSource { other: String, path: String },
    #[error(
        "it and {other} hold lines that name no host: name the hosts with --host or --host-from when the parts are made"
    )]
    Unnamed { other: String },
    #[error("it changed while it was read")]
    Changed,
    #[error("it and {other} hold lines of the same hosts in an order that no sequence of parts can have")]
    NoOrder { other: String },
}
