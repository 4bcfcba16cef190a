//! Reads the key of `--redact` from a file or the environment, or draws a random one.

use std::fs;

use super::args::RedactArgs;
use super::error::CliError;
use crate::redact::Redactor;

/// Fewer bytes can be guessed, and then who wrote to whom can be too.
const LEAST: usize = 16;

const VARIABLE: &str = "SMTPLOG_REDACT_KEY";

/// Said where the key is one of chance.
const LOST: &str = "the hashes of --redact are those of this run alone; for the same ones in the next name a --redact-key-file, or \
    set SMTPLOG_REDACT_KEY";

/// None: nothing is to be hidden. What is to be said of it goes to the notes.
pub(crate) fn redactor(args: &RedactArgs, notes: &mut Vec<String>) -> Result<Option<Redactor>, CliError> {
    if !args.redact {
        return Ok(None);
    }
    let unusable = |what| CliError::RedactKey { what };
    let short = |name: &str| unusable(format!("{name} has fewer than {LEAST} bytes"));
    let secret = match &args.redact_key_file {
        Some(path) => {
            let bytes = fs::read(path).map_err(CliError::open_file(path))?;
            let secret = bytes.trim_ascii_end().to_vec();
            if secret.len() < LEAST {
                return Err(short(&crate::input::error::shown(path)));
            }
            secret
        }
        None => match std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
            Some(value) => {
                let secret = value.into_encoded_bytes();
                if secret.len() < LEAST {
                    return Err(short(VARIABLE));
                }
                secret
            }
            None => {
                notes.push(LOST.to_owned());
                let mut secret = vec![0; 32];
                getrandom::fill(&mut secret).map_err(|error| unusable(error.to_string()))?;
                secret
            }
        },
    };
    Ok(Some(Redactor::new(&secret)))
}
