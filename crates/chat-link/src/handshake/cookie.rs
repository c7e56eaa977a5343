//! Cookies: proof that a client receives where it writes from, without keeping anything before (RFC 9147, section 5.1).

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::datagram::{NONCE_BYTES, decode_array, encode_base64};

/// How long a cookie is good.
const COOKIE_LIFE: Duration = Duration::from_secs(15);

const DIGEST_BYTES: usize = 32;
const TAG_BYTES: usize = 16;
const COOKIE_BYTES: usize = 8 + DIGEST_BYTES + TAG_BYTES;

/// Makes cookies and knows its own.
pub(super) struct Cookies {
    keyed: Hmac<Sha256>,
    began: Instant,
}

/// Whom a cookie is for.
#[derive(Clone, Copy)]
pub(super) struct Holder {
    pub(super) address: SocketAddr,
    pub(super) nonce: [u8; NONCE_BYTES],
}

impl Cookies {
    pub(super) fn new(key: &[u8; 32], now: Instant) -> Self {
        let keyed = Hmac::new_from_slice(key).expect("HMAC takes a key of any length");
        Self { keyed, began: now }
    }

    /// A cookie: when it was made, the digest of the hello, and a tag that binds both to the client.
    pub(super) fn issue(
        &self,
        holder: Holder,
        hello_digest: &[u8; DIGEST_BYTES],
        now: Instant,
    ) -> String {
        let at = self.milliseconds(now);
        let tag = self.tag(holder, hello_digest, at).finalize().into_bytes();
        encode_base64(&[&at.to_be_bytes()[..], hello_digest, &tag[..TAG_BYTES]].concat())
    }

    /// The digest of the hello that the cookie answered, if it is a good cookie of this client.
    pub(super) fn verify(
        &self,
        cookie: &str,
        holder: Holder,
        now: Instant,
    ) -> Option<[u8; DIGEST_BYTES]> {
        let cookie: [u8; COOKIE_BYTES] = decode_array(cookie)?;
        let (at, rest) = cookie.split_first_chunk::<8>()?;
        let (digest, tag) = rest.split_first_chunk::<DIGEST_BYTES>()?;
        let at = u64::from_be_bytes(*at);
        let age = self.milliseconds(now).checked_sub(at)?;
        let is_fresh = u128::from(age) <= COOKIE_LIFE.as_millis();
        // The comparison takes the same time wherever the tags differ.
        let is_ours = self
            .tag(holder, digest, at)
            .verify_truncated_left(tag)
            .is_ok();
        (is_fresh && is_ours).then_some(*digest)
    }

    fn tag(&self, holder: Holder, digest: &[u8; DIGEST_BYTES], at: u64) -> Hmac<Sha256> {
        let mut tag = self.keyed.clone();
        // Each part has one length for a kind of address, so no two inputs have the same bytes.
        match holder.address.ip() {
            IpAddr::V4(ip) => tag.update(&ip.octets()),
            IpAddr::V6(ip) => tag.update(&ip.octets()),
        }
        tag.update(&holder.address.port().to_be_bytes());
        tag.update(&holder.nonce);
        tag.update(&at.to_be_bytes());
        tag.update(digest);
        tag
    }

    fn milliseconds(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.began).as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DIGEST: [u8; 32] = [9; 32];

    fn holder(address: &str, nonce: u8) -> Holder {
        Holder {
            address: address.parse().unwrap(),
            nonce: [nonce; 16],
        }
    }

    #[test]
    fn a_cookie_is_good_for_its_client_and_its_time() {
        let start = Instant::now();
        let cookies = Cookies::new(&[1; 32], start);
        let here = holder("192.0.2.1:4000", 7);
        let issued = start + Duration::from_secs(100);
        let cookie = cookies.issue(here, &DIGEST, issued);
        assert_eq!(cookies.verify(&cookie, here, issued), Some(DIGEST));
        assert_eq!(
            cookies.verify(&cookie, here, issued + COOKIE_LIFE),
            Some(DIGEST)
        );
        let late = issued + COOKIE_LIFE + Duration::from_millis(1);
        assert_eq!(cookies.verify(&cookie, here, late), None);
        assert_eq!(
            cookies.verify(&cookie, here, start),
            None,
            "from the future"
        );
        let others = [
            holder("192.0.2.1:4001", 7),
            holder("192.0.2.2:4000", 7),
            holder("[2001:db8::1]:4000", 7),
        ];
        for other in others.into_iter().chain([holder("192.0.2.1:4000", 8)]) {
            assert_eq!(cookies.verify(&cookie, other, issued), None);
        }
        assert_eq!(
            Cookies::new(&[2; 32], start).verify(&cookie, here, issued),
            None
        );
    }

    proptest! {
        #[test]
        fn a_changed_cookie_is_refused(at in 0..75_usize, digit in "[A-Za-z0-9_-]", text in "\\PC{0,90}") {
            let start = Instant::now();
            let cookies = Cookies::new(&[1; 32], start);
            let here = holder("192.0.2.1:4000", 7);
            let cookie = cookies.issue(here, &DIGEST, start);
            prop_assert_eq!(cookie.len(), 75);
            prop_assert_eq!(cookies.verify(&text, here, start), None);
            let mut changed = cookie.clone();
            changed.replace_range(at..=at, &digit);
            prop_assert_eq!(cookies.verify(&changed, here, start).is_some(), changed == cookie);
        }
    }
}
