//! Finds and reads the configuration files that the command line and the environment ask for.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::ArgMatches;

use super::keys::{switch, variable};
use crate::cli::error::CliError;

/// Looks up a variable of the environment.
pub(crate) type Variables<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// The files that are read if none is named. The later one wins.
pub struct ConfigPaths {
    pub system: PathBuf,
    /// `None`: the user's configuration folder is not known.
    pub user: Option<PathBuf>,
}

/// A configuration file, whole.
pub struct ConfigText {
    pub path: PathBuf,
    pub text: String,
}

impl ConfigPaths {
    /// The user's folder follows the XDG Base Directory Specification, which also says that a relative path is ignored.
    pub fn usual(variables: Variables) -> Self {
        let folder = |name: &str| variables(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let user = folder("XDG_CONFIG_HOME").or_else(|| folder("HOME").map(|home| home.join(".config")));
        Self {
            system: PathBuf::from("/etc/smtplog/config.toml"),
            user: user.map(|folder| folder.join("smtplog/config.toml")),
        }
    }

    /// The weakest first. A named file must exist; the default ones need not.
    pub fn files(&self, given: &ArgMatches, variables: Variables) -> Result<Vec<ConfigText>, CliError> {
        if given.get_flag("no_config") {
            return Ok(Vec::new());
        }
        if let Some(path) = given.get_one::<PathBuf>("config") {
            return Ok(vec![named(path)?]);
        }
        let set = |name: &str| variables(&variable(name)).filter(|value| !value.is_empty());
        if let Some(value) = set("no-config") {
            let name = variable("no-config");
            let off = switch(&value.to_string_lossy()).map_err(|what| CliError::environment(&name, what))?;
            if off {
                return Ok(Vec::new());
            }
        }
        if let Some(path) = set("config") {
            return Ok(vec![named(Path::new(&path))?]);
        }
        let mut found = Vec::new();
        for path in [Some(&self.system), self.user.as_ref()].into_iter().flatten() {
            match named(path) {
                Ok(text) => found.push(text),
                Err(CliError::OpenFile { source, .. }) if source.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }
}

fn named(path: &Path) -> Result<ConfigText, CliError> {
    let text = fs::read_to_string(path).map_err(CliError::open_file(path))?;
    Ok(ConfigText { path: path.to_owned(), text })
}
