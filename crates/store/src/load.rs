//! Reads a whole file into records, a line at a time. Decides what is torn, what is damage, and what is merely untidy; mends
//! nothing itself.

use std::io::{self, BufRead, Read};

use serde::de::DeserializeOwned;

use crate::error::Damage;
use crate::line::{self, MAX_LINE_BYTES};
use crate::records::Records;

/// What a file holds.
pub(crate) struct Loaded<V> {
    pub(crate) records: Records<V>,
    /// Bytes up to the end of the last good line.
    pub(crate) length: u64,
    pub(crate) tail: Tail,
}

/// How a file ends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    /// With a newline, or it is empty.
    Clean,
    /// With a good line that lacks its newline.
    Unterminated,
    /// With `bytes` of a line that a crash tore, past [`Loaded::length`].
    Torn { line: u64, bytes: u64 },
}

/// Why a file cannot be loaded.
#[derive(Debug)]
pub(crate) enum Failure {
    Read(io::Error),
    Damaged { line: u64, damage: Damage },
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads all lines. Memory beside the records is one line.
pub(crate) fn load<V: DeserializeOwned>(mut file: impl BufRead) -> Result<Loaded<V>, Failure> {
    let mut loaded = Loaded {
        records: Records::default(),
        length: 0,
        tail: Tail::Clean,
    };
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        // Room for the newline, and one byte more than a good line has without one.
        let limit = MAX_LINE_BYTES as u64 + 1;
        if file
            .by_ref()
            .take(limit)
            .read_until(b'\n', &mut bytes)
            .map_err(Failure::Read)?
            == 0
        {
            break;
        }
        let terminated = bytes.last() == Some(&b'\n');
        if !terminated && bytes.len() > MAX_LINE_BYTES {
            return Err(Failure::Damaged {
                line: number,
                damage: Damage::TooLong {
                    limit: MAX_LINE_BYTES,
                },
            });
        }
        let text = if number == 1 {
            bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes)
        } else {
            &bytes
        };
        match line::parse(text) {
            Ok(change) => {
                loaded.length += bytes.len() as u64;
                loaded.records.add_lines(1);
                change
                    .into_iter()
                    .for_each(|change| loaded.records.apply(change));
            }
            Err(_) if !terminated => {
                loaded.tail = Tail::Torn {
                    line: number,
                    bytes: bytes.len() as u64,
                };
                break;
            }
            Err(damage) => {
                return Err(Failure::Damaged {
                    line: number,
                    damage,
                });
            }
        }
        if !terminated {
            loaded.tail = Tail::Unterminated;
        }
    }
    Ok(loaded)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values(loaded: &Loaded<u32>) -> Vec<(&str, u32)> {
        loaded
            .records
            .iter()
            .map(|(key, entry)| (key, entry.value))
            .collect()
    }

    #[test]
    fn an_untidy_file_loads() {
        let file = "\u{feff}{\"key\":\"b\",\"value\":1}\r\n\n  \n{\"key\":\"a\",\"value\":2}\n\
                    {\"key\":\"b\",\"value\":3}\n{\"key\":\"c\",\"value\":4}\n{\"key\":\"c\",\"value\":null}";
        let loaded = load(file.as_bytes()).unwrap();
        assert_eq!(values(&loaded), [("a", 2), ("b", 3)]);
        assert_eq!(
            (loaded.length, loaded.tail),
            (file.len() as u64, Tail::Unterminated)
        );
        assert_eq!((loaded.records.live(), loaded.records.dead()), (2, 5));
    }

    #[test]
    fn a_torn_last_line_is_told_apart_from_damage() {
        let good = b"{\"key\":\"a\",\"value\":2}\n";
        let torn = [good, &b"{\"key\":\"b\",\"val"[..]].concat();
        let loaded = load(&torn[..]).unwrap();
        assert_eq!(values(&loaded), [("a", 2)]);
        assert_eq!(loaded.length, good.len() as u64);
        assert_eq!(loaded.tail, Tail::Torn { line: 2, bytes: 15 });

        let damaged = [&torn[..], b"\n", good].concat();
        assert!(matches!(
            load::<u32>(&damaged[..]),
            Err(Failure::Damaged { line: 2, .. })
        ));
    }

    #[test]
    fn a_line_is_long_at_one_byte_more_than_the_limit() {
        let record = b"{\"key\":\"a\",\"value\":2}";
        let padded =
            |length: usize| [&record[..], &b" ".repeat(length - record.len())[..]].concat();
        for end in [&b""[..], b"\n", b"\nx"] {
            let fits = [&padded(MAX_LINE_BYTES)[..], end].concat();
            assert_eq!(values(&load(&fits[..]).unwrap()), [("a", 2)]);
            let long = [&record[..], b"\n", &padded(MAX_LINE_BYTES + 1)[..], end].concat();
            let Err(Failure::Damaged { line, damage }) = load::<u32>(&long[..]) else {
                panic!("loaded")
            };
            assert_eq!(
                (line, damage),
                (
                    2,
                    Damage::TooLong {
                        limit: MAX_LINE_BYTES
                    }
                )
            );
        }
    }

    proptest! {
        #[test]
        fn any_bytes_load_or_are_refused(file: Vec<u8>) {
            let _ = load::<serde_json::Value>(&file[..]);
        }

        #[test]
        fn nearly_good_files_load_or_are_refused(file in r#"(\{"key":"[ab]","value":[12n]?(ull)?\}?[\r\n ]{0,2}){0,5}"#) {
            if let Ok(loaded) = load::<u32>(file.as_bytes()) {
                let torn = if let Tail::Torn { bytes, .. } = loaded.tail { bytes } else { 0 };
                prop_assert_eq!(loaded.length + torn, file.len() as u64);
                let again = load::<u32>(&file.as_bytes()[..loaded.length as usize]).unwrap();
                prop_assert_eq!(values(&again), values(&loaded));
            }
        }
    }
}
