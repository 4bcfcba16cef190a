//! Hashes short texts with XXH3 (Yann Collet, xxHash 0.8, `XXH3_64bits_withSeed`), to the same 64 bits as the crate `twox-hash`.
//!
//! Names, addresses and queue ids are short. For them the crate's loops over arrays take three to four times the instructions:
//! 5 % of the scan of an Exim log that makes a part.

use twox_hash::XxHash3_64;

/// Longest text that is hashed here, in bytes. The specification has other steps for longer ones, and the crate takes them.
const SHORT: usize = 128;

/// The first 128 bytes of the default secret (`XXH3_kSecret`), as numbers with the lowest byte first.
const SECRET: [u64; 16] = [
    0xbe4b_a423_396c_feb8,
    0x1cad_21f7_2c81_017c,
    0xdb97_9083_e96d_d4de,
    0x1f67_b3b7_a4a4_4072,
    0x78e5_c0cc_4ee6_79cb,
    0x2172_ffcc_7dd0_5a82,
    0x8e24_43f7_7446_08b8,
    0x4c26_3a81_e690_35e0,
    0xcb00_c391_bb52_283c,
    0xa32e_531b_8b65_d088,
    0x4ef9_0da2_9748_6471,
    0xd8ac_dea9_46ef_1938,
    0x3f34_9ce3_3f76_faa8,
    0x1d4f_0bc7_c7bb_dcf9,
    0x3159_b4cd_4be0_518a,
    0x6473_78d9_c97e_9fc8,
];

const PRIME64_1: u64 = 0x9e37_79b1_85eb_ca87;
const PRIME_MX1: u64 = 0x1656_6791_9e37_79f9;
const PRIME_MX2: u64 = 0x9fb2_1c65_1e98_df25;

/// XXH3 with 64 bits and a seed.
#[inline]
pub(super) fn xxh3(seed: u64, text: &[u8]) -> u64 {
    match text.len() {
        17..=SHORT => medium(seed, text),
        9..=16 => up_to_16(seed, text),
        4..=8 => up_to_8(seed, text),
        _ => XxHash3_64::oneshot_with_seed(seed, text),
    }
}

/// The four bytes at the front; 0 if there are fewer.
#[inline]
fn front_4(text: &[u8]) -> u64 {
    text.first_chunk().map_or(0, |bytes| u64::from(u32::from_le_bytes(*bytes)))
}

/// The eight bytes at the front; 0 if there are fewer.
#[inline]
fn front_8(text: &[u8]) -> u64 {
    text.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// The two halves of the product, combined by exclusive or.
#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[inline]
fn avalanche(hash: u64) -> u64 {
    let hash = (hash ^ hash >> 37).wrapping_mul(PRIME_MX1);
    hash ^ hash >> 32
}

/// `XXH3_len_4to8_64b`.
#[inline]
fn up_to_8(seed: u64, text: &[u8]) -> u64 {
    let last = text.last_chunk().map_or(0, |bytes| u64::from(u32::from_le_bytes(*bytes)));
    let seed = seed ^ u64::from((seed as u32).swap_bytes()) << 32;
    let keyed = last.wrapping_add(front_4(text) << 32) ^ (SECRET[1] ^ SECRET[2]).wrapping_sub(seed);
    let hash = (keyed ^ keyed.rotate_left(49) ^ keyed.rotate_left(24)).wrapping_mul(PRIME_MX2);
    let hash = (hash ^ (hash >> 35).wrapping_add(text.len() as u64)).wrapping_mul(PRIME_MX2);
    hash ^ hash >> 28
}

/// `XXH3_len_9to16_64b`.
#[inline]
fn up_to_16(seed: u64, text: &[u8]) -> u64 {
    let last = text.last_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let low = front_8(text) ^ (SECRET[3] ^ SECRET[4]).wrapping_add(seed);
    let high = last ^ (SECRET[5] ^ SECRET[6]).wrapping_sub(seed);
    let sum = (text.len() as u64).wrapping_add(low.swap_bytes()).wrapping_add(high);
    avalanche(sum.wrapping_add(fold(low, high)))
}

/// `XXH3_len_17to128_64b`: pairs of 16 bytes, one from the front and one from the back, the outermost last.
#[inline]
fn medium(seed: u64, text: &[u8]) -> u64 {
    let (mut front, mut back) = (text, text);
    let mut sum = (text.len() as u64).wrapping_mul(PRIME64_1);
    let pairs = (text.len() - 1) / 32 + 1;
    for secret in SECRET.chunks_exact(4).take(pairs) {
        let &[a, b, c, d] = secret else { break };
        let (Some((first, inner)), Some((rest, last))) =
            (front.split_first_chunk::<16>(), back.split_last_chunk::<16>())
        else {
            break;
        };
        sum = sum.wrapping_add(mix(first, a, b, seed)).wrapping_add(mix(last, c, d, seed));
        (front, back) = (inner, rest);
    }
    avalanche(sum)
}

/// `XXH3_mix16B`.
#[inline]
fn mix(bytes: &[u8; 16], low: u64, high: u64, seed: u64) -> u64 {
    let both = u128::from_le_bytes(*bytes);
    fold(both as u64 ^ low.wrapping_add(seed), (both >> 64) as u64 ^ high.wrapping_sub(seed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collections::stable_hash::PART_SEED;

    #[test]
    fn hashes_as_the_crate_does_at_any_length() {
        let text: Vec<u8> = (0..300_u64).map(|at| (at.wrapping_mul(PRIME_MX2) >> 56) as u8).collect();
        for seed in [0, 1, PART_SEED, u64::MAX, 0x8000_0000_0000_0000, PRIME_MX1] {
            for from in [0, 1, 77] {
                for length in 0..=text.len() - from {
                    let text = &text[from..from + length];
                    assert_eq!(xxh3(seed, text), XxHash3_64::oneshot_with_seed(seed, text), "{length} bytes");
                }
            }
        }
    }
}
