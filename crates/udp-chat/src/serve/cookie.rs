//! Cookies: proof that a client receives at the address it writes from, without keeping anything
//! until it has given that proof (RFC 9147, section 5.1).

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use proto::chat::Nonce;
use sha2::Sha256;

/// How long a cookie is good.
pub(super) const COOKIE_LIFE: Duration = Duration::from_secs(15);

/// Hexadecimal digits of the time in milliseconds, good for 34 years, and of the tag.
const TIME_DIGITS: usize = 10;
const TAG_DIGITS: usize = 32;

/// Bakes cookies and knows its own.
pub(super) struct Cookies {
    keyed: Hmac<Sha256>,
    began: Instant,
}

impl Cookies {
    /// `key` is from the operating system's randomness.
    pub(super) fn new(key: &[u8; 32], now: Instant) -> Self {
        Self {
            keyed: Hmac::new_from_slice(key).expect("HMAC takes a key of any length"),
            began: now,
        }
    }

    /// A cookie for the client at `address` that made `nonce`: when it was baked, and a tag that
    /// binds all three.
    pub(super) fn bake(&self, address: SocketAddr, nonce: Nonce, now: Instant) -> String {
        let at = self.milliseconds(now);
        let tag = self.tag(address, nonce, at).finalize().into_bytes();
        let tag = tag[..TAG_DIGITS / 2]
            .iter()
            .fold(0_u128, |tag, &byte| tag << 8 | u128::from(byte));
        format!("{at:0TIME_DIGITS$x}{tag:0TAG_DIGITS$x}")
    }

    /// Whether it is a cookie for this client, not too old.
    pub(super) fn is_good(
        &self,
        cookie: &str,
        address: SocketAddr,
        nonce: Nonce,
        now: Instant,
    ) -> bool {
        let Some((at, tag)) = parse(cookie) else {
            return false;
        };
        let age = self.milliseconds(now).checked_sub(at);
        let fresh = age.is_some_and(|age| u128::from(age) <= COOKIE_LIFE.as_millis());
        // In constant time, lest a tag be found byte by byte.
        let expected = self.tag(address, nonce, at);
        fresh && expected.verify_truncated_left(&tag.to_be_bytes()).is_ok()
    }

    fn tag(&self, address: SocketAddr, nonce: Nonce, at: u64) -> Hmac<Sha256> {
        let mut tag = self.keyed.clone();
        // Every part has one length for a kind of address, so no two inputs are one text.
        match address.ip() {
            IpAddr::V4(ip) => tag.update(&ip.octets()),
            IpAddr::V6(ip) => tag.update(&ip.octets()),
        }
        tag.update(&address.port().to_be_bytes());
        tag.update(nonce.as_bytes());
        tag.update(&at.to_be_bytes());
        tag
    }

    fn milliseconds(&self, now: Instant) -> u64 {
        u64::try_from((now - self.began).as_millis()).expect("a process runs less than an aeon")
    }
}

fn parse(cookie: &str) -> Option<(u64, u128)> {
    let whole = cookie.len() == TIME_DIGITS + TAG_DIGITS;
    if !whole || !cookie.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let (at, tag) = cookie.split_at(TIME_DIGITS);
    let at = u64::from_str_radix(at, 16).ok()?;
    Some((at, u128::from_str_radix(tag, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NONCE: Nonce = Nonce::from_bytes([7; 16]);

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_cookie_is_good_for_its_client_and_its_time() {
        let start = Instant::now();
        let cookies = Cookies::new(&[1; 32], start);
        let here = address("192.0.2.1:4000");
        let baked = start + Duration::from_secs(100);
        let cookie = cookies.bake(here, NONCE, baked);
        assert!(cookies.is_good(&cookie, here, NONCE, baked));
        assert!(cookies.is_good(&cookie, here, NONCE, baked + COOKIE_LIFE));
        let late = baked + COOKIE_LIFE + Duration::from_millis(1);
        assert!(!cookies.is_good(&cookie, here, NONCE, late));
        assert!(
            !cookies.is_good(&cookie, here, NONCE, start),
            "from the future"
        );

        for elsewhere in ["192.0.2.1:4001", "192.0.2.2:4000", "[2001:db8::1]:4000"] {
            assert!(!cookies.is_good(&cookie, address(elsewhere), NONCE, baked));
        }
        let other = Nonce::from_bytes([8; 16]);
        assert!(!cookies.is_good(&cookie, here, other, baked));
        let others = Cookies::new(&[2; 32], start);
        assert!(!others.is_good(&cookie, here, NONCE, baked));
    }

    #[test]
    fn the_tag_is_hmac_sha_256() {
        let start = Instant::now();
        let cookies = Cookies::new(&[0; 32], start);
        let here = address("127.0.0.1:9390");
        // As Python's hmac makes it of the address, the port, 16 bytes and 8 of zeros.
        let cookie = cookies.bake(here, Nonce::from_bytes([0; 16]), start);
        assert_eq!(cookie, "0000000000edf7d43accdbd237bd81ee7e5c27fd05");
    }

    proptest! {
        #[test]
        fn another_text_is_no_cookie(at in 0..42_usize, digit in "[0-9a-g]", text in "\\PC{0,60}") {
            let start = Instant::now();
            let cookies = Cookies::new(&[1; 32], start);
            let here = address("192.0.2.1:4000");
            let cookie = cookies.bake(here, NONCE, start);
            prop_assert!(!cookies.is_good(&text, here, NONCE, start));
            let mut changed = cookie.clone();
            changed.replace_range(at..=at, &digit);
            let good = cookies.is_good(&changed, here, NONCE, start);
            prop_assert_eq!(good, changed == cookie);
        }
    }
}
