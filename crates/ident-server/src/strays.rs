//! Keys of the data file that no client can have, since a person may have written them.

use std::net::IpAddr;

use store::Store;

use crate::record::Record;

/// The number of keys that are not an IP address in the form in which clients are looked up, and the first of them:
/// `2001:DB8::7` (it is `2001:db8::7`), `::ffff:192.0.2.7` (it is `192.0.2.7`), `localhost`.
#[must_use]
pub fn stray_keys(clients: &Store<Record>) -> Option<(String, u64)> {
    let (mut first, mut count) = (None, 0);
    clients.for_each(|key, _| {
        if !is_canonical(key) {
            first.get_or_insert_with(|| key.to_owned());
            count += 1;
        }
    });
    first.map(|first| (first, count))
}

fn is_canonical(key: &str) -> bool {
    let address = key.parse::<IpAddr>();
    address.is_ok_and(|address| address.to_canonical().to_string() == key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_clients_are_looked_up_by_is_canonical() {
        for key in ["192.0.2.7", "2001:db8::7", "::1"] {
            assert!(is_canonical(key), "{key}");
        }
        for key in [
            "",
            "localhost",
            "192.0.2.7:9190",
            "192.0.2.07",
            "2001:DB8::7",
            "2001:db8:0::7",
            "[::1]",
            "::ffff:192.0.2.7",
            "fe80::1%eth0",
        ] {
            assert!(!is_canonical(key), "{key}");
        }
    }

    proptest! {
        #[test]
        fn the_key_of_every_client_is_canonical(address: IpAddr) {
            prop_assert!(is_canonical(&address.to_canonical().to_string()));
        }
    }
}
