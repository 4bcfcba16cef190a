//! Writes Exim's lines about the arrival and the completion of a message.

use std::fmt::Arguments;

use super::client::ClientHost;
use super::flow::{Mail, MailOrigin};
use super::plan::Style;
use super::world::World;

pub(crate) const CIPHER: &str = "X=TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256";

pub(crate) fn line(world: &mut World, at: u64, salt: u64, text: Arguments) {
    world.log.line(at, "exim", 3000 + salt % 20_000, text);
}

/// Names of routers and transports, which depend on the configuration of the server.
pub(crate) struct Routes {
    pub remote: &'static str,
    pub lookup: &'static str,
    pub local: &'static str,
    pub lmtp: &'static str,
}

pub(crate) const fn routes(style: Style) -> Routes {
    match style {
        Style::Usual => Routes {
            remote: "R=dnslookup T=remote_smtp",
            lookup: "R=dnslookup",
            local: "R=localuser T=local_delivery",
            lmtp: "R=dovecot T=dovecot_lmtp",
        },
        Style::Other => Routes {
            remote: "R=dkim_lookuphost T=dkim_remote_smtp",
            lookup: "R=dkim_lookuphost",
            local: "R=virtual_user T=virtual_userdelivery",
            lmtp: "R=virtual_user T=dovecot_virtual_delivery",
        },
    }
}

/// `out1.d007.example.com (mail.example.com) [ip]:port`, without the name if the client has none.
pub(crate) fn peer(client: &ClientHost) -> String {
    let ClientHost { name, helo, ip, port } = client;
    match name.as_str() {
        "unknown" => format!("({helo}) [{ip}]:{port}"),
        _ if name == helo => format!("{name} [{ip}]:{port}"),
        _ => format!("{name} ({helo}) [{ip}]:{port}"),
    }
}

pub(crate) fn accept(world: &mut World, at: u64, message: &Mail) {
    let Mail { id, from, size, salt, .. } = message;
    let sender = if from.is_empty() { "<>" } else { from };
    let domain = from.rsplit('@').next().filter(|domain| !domain.is_empty()).unwrap_or("example.net");
    // The log selectors +subject and +received_recipients.
    let tail = match world.style {
        Style::Usual => String::new(),
        Style::Other => {
            let to: Vec<&str> = message.to.iter().map(|to| to.address.as_str()).collect();
            format!(" T=\"Re: order {} of 550 pieces\" for {}", salt % 10_000, to.join(" "))
        }
    };
    match &message.origin {
        MailOrigin::Outside(client) => line(
            world,
            at,
            *salt,
            format_args!(
                "{id} <= {sender} H={} P=esmtps {CIPHER} CV=no S={size} id={salt:x}@{domain}{tail}",
                peer(client)
            ),
        ),
        MailOrigin::Person(client, user) => line(
            world,
            at,
            *salt,
            format_args!(
                "{id} <= {sender} H={} P=esmtpsa {CIPHER} CV=no A=dovecot_plain:{user} S={size} id={salt:x}@{domain}{tail}",
                peer(client)
            ),
        ),
        MailOrigin::Program => {
            line(world, at, *salt, format_args!("{id} <= {sender} U=www-data P=local S={size}"));
        }
        MailOrigin::Bounce(of) => {
            line(world, at, *salt, format_args!("{id} <= <> R={of} U=Debian-exim P=local S={size}"));
        }
    }
}

pub(crate) fn complete(world: &mut World, at: u64, message: &Mail) {
    line(world, at, message.salt, format_args!("{} Completed", message.id));
}
