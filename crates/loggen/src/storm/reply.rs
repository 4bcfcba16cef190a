//! Formats the failures of remote servers as Postfix and Exim log them.

use std::fmt;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FailureStage {
    /// In place of the greeting.
    Greeting,
    Mail,
    Rcpt,
    /// After the message data.
    Dot,
    /// No connection; the text is the system error, such as `Connection timed out`.
    Net,
    /// Connection lost; the text says when.
    Lost,
    Dns,
    Tls,
    /// A mail loop detected by this server.
    Loop,
}

/// A failed delivery. Marks in the text: %r recipient, %s sender, %i address of this server, %h remote host, %d remote
/// domain, %x and %X hexadecimal digits, %n decimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct DeliveryFailure {
    /// 0 if there is no reply.
    pub code: u16,
    /// Without a reply, the code that Postfix assigns.
    pub enhanced: &'static str,
    pub stage: FailureStage,
    pub text: &'static str,
}

pub(crate) const fn fail(
    code: u16,
    enhanced: &'static str,
    stage: FailureStage,
    text: &'static str,
) -> DeliveryFailure {
    DeliveryFailure { code, enhanced, stage, text }
}

impl DeliveryFailure {
    pub(crate) const fn is_reply(&self) -> bool {
        matches!(
            self.stage,
            FailureStage::Greeting | FailureStage::Mail | FailureStage::Rcpt | FailureStage::Dot
        )
    }

    /// Whether the delivery is retried; after an error in the greeting it always is.
    pub(crate) fn is_temporary(&self) -> bool {
        match self.stage {
            FailureStage::Greeting => true,
            FailureStage::Mail | FailureStage::Rcpt | FailureStage::Dot => self.code < 500,
            FailureStage::Net | FailureStage::Lost | FailureStage::Dns | FailureStage::Tls => {
                self.enhanced.starts_with('4')
            }
            FailureStage::Loop => false,
        }
    }
}

pub(crate) struct TemplateValues<'a> {
    pub recipient: &'a str,
    pub sender: &'a str,
    pub our_ip: &'a str,
    pub host: &'a str,
    pub domain: &'a str,
    pub salt: u64,
}

/// Displays a reply as `550-5.1.1 first`, the joint, `550 5.1.1 last`.
pub(crate) struct LoggedReply<'a> {
    pub fail: &'a DeliveryFailure,
    pub words: &'a TemplateValues<'a>,
    pub joint: &'a str,
}

impl fmt::Display for LoggedReply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { fail, words, joint } = self;
        let (code, enhanced) = (fail.code, fail.enhanced);
        let blank = if enhanced.is_empty() { "" } else { " " };
        let mut lines = fail.text.split('\n').peekable();
        while let Some(line) = lines.next() {
            let text = FilledTemplate(line, words);
            if lines.peek().is_some() {
                write!(f, "{code}-{enhanced}{blank}{text}{joint}")?;
            } else {
                write!(f, "{code} {enhanced}{blank}{text}")?;
            }
        }
        Ok(())
    }
}

pub(crate) struct FilledTemplate<'a>(pub &'a str, pub &'a TemplateValues<'a>);

impl fmt::Display for FilledTemplate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self(text, words) = self;
        let mut parts = text.split('%');
        f.write_str(parts.next().unwrap_or_default())?;
        for part in parts {
            let (mark, rest) = part.split_at(part.len().min(1));
            match mark {
                "r" => f.write_str(words.recipient)?,
                "s" => f.write_str(words.sender)?,
                "i" => f.write_str(words.our_ip)?,
                "h" => f.write_str(words.host)?,
                "d" => f.write_str(words.domain)?,
                "x" => write!(f, "{:010x}", words.salt & 0xff_ffff_ffff)?,
                "X" => write!(f, "{:010X}", words.salt >> 8 & 0xff_ffff_ffff)?,
                "n" => write!(f, "{:06}", words.salt % 1_000_000)?,
                _ => write!(f, "%{mark}")?,
            }
            f.write_str(rest)?;
        }
        Ok(())
    }
}
