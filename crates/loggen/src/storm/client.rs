//! Draws the clients that connect to the server.

use super::arrivals::rank;
use crate::log::rng::{Rng, mix};

#[derive(Clone, Debug)]
pub(crate) struct ClientHost {
    /// Reverse DNS name, or `unknown`.
    pub name: String,
    pub helo: String,
    pub ip: String,
    pub port: u64,
}

/// A mail server; those of large providers are more likely.
pub(crate) fn server(rng: &mut Rng) -> ClientHost {
    let port = rng.between(30_000, 60_000);
    let number = mix(rank(rng, 900) as u64 + 77) % 900;
    let (name, ip) = match number % 10 {
        0 | 1 => (
            format!("mail-ej1-f{number}.google.com"),
            format!("198.19.{}.{}", 1 + number / 256, number % 256),
        ),
        2 | 3 => (
            format!("mail-db8eur05on20{number}.outbound.protection.outlook.com"),
            format!("198.19.{}.{}", 8 + number / 256, number % 256),
        ),
        4 => (
            format!("sonic{number}.consmr.mail.ir2.yahoo.com"),
            format!("198.19.{}.{}", 16 + number / 256, number % 256),
        ),
        5 => (
            format!("a{number}.smtp-out.eu-west-1.amazonses.com"),
            format!("198.19.{}.{}", 24 + number / 256, number % 256),
        ),
        _ => (
            format!("out.d{number:03}.example.com"),
            format!("198.19.{}.{}", 32 + number / 256, number % 256),
        ),
    };
    ClientHost { helo: name.clone(), name, ip, port }
}

/// The device of a user on a dynamic address.
pub(crate) fn person(user: u64, rng: &mut Rng) -> ClientHost {
    let place = mix(user) % 60_000 + rng.weighted(&[80, 15, 5]) as u64 * 3;
    let (high, low) = (place / 250 % 120, place % 250 + 1);
    ClientHost {
        name: format!("host-{high}-{low}.dyn.example.net"),
        helo: format!("[192.168.1.{}]", 2 + user % 200),
        ip: format!("198.18.{}.{low}", 130 + high),
        port: rng.between(30_000, 60_000),
    }
}

/// An unknown host, such as a bot.
pub(crate) fn stranger(number: u64, rng: &mut Rng) -> ClientHost {
    let seed = mix(number ^ 0x5bad_cafe);
    let (high, low) = (seed >> 8 & 127, seed & 255);
    let ip = format!("198.19.{}.{low}", 128 + high);
    let name = match seed >> 20 & 3 {
        0 => format!("{low}.{high}.static.example.net"),
        _ => "unknown".to_owned(),
    };
    let helo = match seed >> 30 & 3 {
        0 => format!("[{ip}]"),
        1 => format!("WIN-{:X}", seed >> 44),
        2 => "ylmf-pc".to_owned(),
        _ => format!("mail.d{:03}.example.net", seed >> 40 & 511),
    };
    ClientHost { name, helo, ip, port: rng.between(1024, 65_000) }
}
