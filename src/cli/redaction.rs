//! Reads the key of `--redact` from a file or the environment, or draws a random one.

use std::fs;

use super::args::RedactArgs;
use super::error::CliError;
use crate::redact::Redactor;

/// Shortest key in bytes. A shorter key could be guessed, and the hashes with it.
const SHORTEST_KEY: usize = 16;

const VARIABLE: &str = "SMTPLOG_REDACT_KEY";

/// The note for a random key.
const RANDOM_KEY_NOTE: &str = "--redact used a random key: its hashes cannot be compared with those of other runs; for equal hashes use --redact-key-file or \
    set SMTPLOG_REDACT_KEY";

/// The redactor for `--redact`. `None`: the option is not set. A note is added if the key is random.
pub(crate) fn redactor(args: &RedactArgs, notes: &mut Vec<String>) -> Result<Option<Redactor>, CliError> {
    if !args.redact {
        return Ok(None);
    }
    let unusable = |what| CliError::RedactKey { what };
    let short = |name: &str| unusable(format!("{name} has fewer than {SHORTEST_KEY} bytes"));
    let secret = match &args.redact_key_file {
        Some(path) => {
            let bytes = fs::read(path).map_err(CliError::open_file(path))?;
            let secret = bytes.trim_ascii_end().to_vec();
            if secret.len() < SHORTEST_KEY {
                return Err(short(&crate::input::error::shown(path)));
            }
            secret
        }
        None => match std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
            Some(value) => {
                let secret = value.into_encoded_bytes();
                if secret.len() < SHORTEST_KEY {
                    return Err(short(VARIABLE));
                }
                secret
            }
            None => {
                notes.push(RANDOM_KEY_NOTE.to_owned());
                let mut secret = vec![0; 32];
                getrandom::fill(&mut secret).map_err(|error| unusable(error.to_string()))?;
                secret
            }
        },
    };
    Ok(Some(Redactor::new(&secret)))
}
