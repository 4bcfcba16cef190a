//! Redacts the report of `smtplog storm` field by field.

use super::known_names::KnownNames;
use super::pseudonym::Redactor;
use crate::report::storm::{Dimension, Factor, Storm, StormCommand, StormReport};

impl Redactor {
    pub(crate) fn storms(&self, storms: &mut StormReport) {
        let StormReport { schema: _, range: _, input, storms, notes, steady: _ } = storms;
        self.input(input);
        for storm in storms {
            self.storm(storm);
        }
        for note in notes {
            *note = self.text(note);
        }
    }

    pub(crate) fn storm(&self, storm: &mut Storm) {
        let Storm {
            start: _,
            is_doubtful: _,
            peak: _,
            end: _,
            duration_seconds: _,
            pattern: _,
            title: _,
            because,
            not,
            confidence: _,
            attempts: _,
            recipients: _,
            messages: _,
            rate_per_minute: _,
            usual_per_minute: _,
            times: _,
            trend: _,
            factors,
            series: _,
            commands,
            advice: _,
            example,
        } = storm;
        // The values of factors also occur in the sentences and commands.
        let mut names = KnownNames::default();
        for factor in factors.iter().filter(|factor| is_person(factor.dimension)) {
            names.add(&factor.value);
        }
        let about = |text: &mut String| *text = self.text_with_names(text, &names);
        because.iter_mut().for_each(about);
        not.iter_mut().map(|not| &mut not.because).for_each(about);
        for StormCommand { shell, why, changes: _, undo } in commands {
            about(shell);
            about(why);
            undo.iter_mut().for_each(about);
        }
        if let Some(line) = example {
            *line = self.line(line);
        }
        for Factor { dimension, value, inside: _, outside: _, count: _ } in factors {
            *value = if is_person(*dimension) { self.address(value) } else { self.place(*dimension, value) };
        }
    }

    fn place(&self, dimension: Dimension, value: &str) -> String {
        match dimension {
            Dimension::Client | Dimension::Relay | Dimension::Domain => self.host(value),
            Dimension::Recipient
            | Dimension::Sender
            | Dimension::User
            | Dimension::Provider
            | Dimension::Instance
            | Dimension::Host
            | Dimension::Reason
            | Dimension::Code
            | Dimension::Direction
            | Dimension::Stage => value.to_owned(),
        }
    }
}

fn is_person(dimension: Dimension) -> bool {
    matches!(dimension, Dimension::Recipient | Dimension::Sender | Dimension::User)
}
