//! Keeps the source of a message that is still in the queue, for events in later blocks.

/// The longest text of a name, in bytes: that of a domain (RFC 1035 §2.3.4), as for all names.
const LENGTH_LIMIT: usize = 255;

/// The source of a message. Its texts are one allocation, for there are many such messages, and few are asked for.
#[derive(Default)]
pub(crate) struct OpenMessage {
    pub text: Box<[u8]>,
    /// The lengths of sender, login and client. `None`: unknown.
    pub lengths: [Option<u8>; 3],
    /// A line showed its arrival.
    pub has_arrived: bool,
    /// What earlier logs say under its key is of another message.
    pub is_cut: bool,
    /// It left the queue. Only parts remember that, for what earlier ones say.
    pub is_over: bool,
}

/// The texts of a source. `None`: unknown.
#[derive(Clone, Copy, Default)]
pub(crate) struct SourceTexts<'a> {
    pub sender: Option<&'a [u8]>,
    pub user: Option<&'a [u8]>,
    pub client: Option<&'a [u8]>,
}

impl OpenMessage {
    /// Updates the source with what later lines state.
    pub(crate) fn learn(&mut self, SourceTexts { sender, user, client }: SourceTexts) {
        let known = self.source();
        let texts = [sender.or(known.sender), user.or(known.user), client.or(known.client)];
        let texts = texts.map(|text| text.map(|text| text.get(..LENGTH_LIMIT).unwrap_or(text)));
        let lengths = texts.map(|text| text.map(|text| text.len() as u8));
        if sender.is_some() || user.is_some() || client.is_some() {
            self.text = texts.into_iter().flatten().collect::<Vec<_>>().concat().into();
            self.lengths = lengths;
        }
    }

    pub(crate) fn source(&self) -> SourceTexts<'_> {
        let mut rest: &[u8] = &self.text;
        let [sender, user, client] = self.lengths.map(|length| {
            let (text, behind) = rest.split_at_checked(usize::from(length?))?;
            rest = behind;
            Some(text)
        });
        SourceTexts { sender, user, client }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_lines_add_to_what_is_known() {
        let mut open = OpenMessage::default();
        open.learn(SourceTexts { client: Some(b"192.0.2.7"), ..SourceTexts::default() });
        open.learn(SourceTexts { sender: Some(b""), ..SourceTexts::default() });
        let SourceTexts { sender, user, client } = open.source();
        assert_eq!((sender, user, client), (Some(&b""[..]), None, Some(&b"192.0.2.7"[..])));
    }
}
