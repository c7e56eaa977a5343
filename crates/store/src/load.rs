//! Reads a whole file into records, line by line. Distinguishes a torn last line from corruption. Changes
//! nothing in the file.

use std::io::{self, BufRead, Read};

use serde::de::DeserializeOwned;

use crate::error::Corruption;
use crate::line::{self, MAX_LINE_BYTES};
use crate::records::Records;

/// The content of a file.
pub(crate) struct Loaded<V> {
    pub(crate) records: Records<V>,
    /// Bytes up to the end of the last good line.
    pub(crate) length: u64,
    pub(crate) tail: Tail,
    /// A line asks that older lines leave the file, and no compaction has done it yet.
    pub(crate) erase: bool,
}

/// How a file ends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    /// It ends with a newline, or it is empty.
    Clean,
    /// The last line is good but lacks its newline.
    Unterminated,
    /// The last line is incomplete, as after a crash: `bytes` past [`Loaded::length`].
    Torn { line: u64, bytes: u64 },
}

/// Why a file cannot be loaded.
#[derive(Debug)]
pub(crate) enum Failure {
    Read(io::Error),
    Corrupt { line: u64, corruption: Corruption },
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads all lines. Memory beside the records is one line.
pub(crate) fn load<V: DeserializeOwned>(mut file: impl BufRead) -> Result<Loaded<V>, Failure> {
    let mut loaded = Loaded {
        records: Records::default(),
        length: 0,
        tail: Tail::Clean,
        erase: false,
    };
    let mut bytes = Vec::new();
    for number in 1.. {
        read_line(&mut file, &mut bytes, number)?;
        if bytes.is_empty() {
            break;
        }
        let terminated = bytes.last() == Some(&b'\n');
        let text = if number == 1 {
            bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes)
        } else {
            &bytes
        };
        // Without its newline, so that an error at the end of the line is placed there.
        match line::parse(text.strip_suffix(b"\n").unwrap_or(text)) {
            Ok(record) => {
                loaded.length += bytes.len() as u64;
                loaded.records.add_lines(1);
                if let Some(record) = record {
                    loaded.erase |= record.erase;
                    loaded.records.apply(record.change);
                }
            }
            Err(_) if !terminated => {
                loaded.tail = Tail::Torn {
                    line: number,
                    bytes: bytes.len() as u64,
                };
                break;
            }
            Err(corruption) => {
                return Err(Failure::Corrupt {
                    line: number,
                    corruption,
                });
            }
        }
        if !terminated {
            loaded.tail = Tail::Unterminated;
        }
    }
    Ok(loaded)
}

/// Reads the line with this number into `bytes`, with its newline if it has one. At the end of the file it is empty.
fn read_line(file: &mut impl BufRead, bytes: &mut Vec<u8>, number: u64) -> Result<(), Failure> {
    bytes.clear();
    // Room for the newline, or for one byte too many.
    let mut file = file.take(MAX_LINE_BYTES as u64 + 1);
    file.read_until(b'\n', bytes).map_err(Failure::Read)?;
    if bytes.last() != Some(&b'\n') && bytes.len() > MAX_LINE_BYTES {
        let limit = MAX_LINE_BYTES;
        return Err(Failure::Corrupt {
            line: number,
            corruption: Corruption::TooLong { limit },
        });
    }
    Ok(())
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
    fn a_torn_last_line_is_no_corruption() {
        let good = b"{\"key\":\"a\",\"value\":2}\n";
        let torn = [good, &b"{\"key\":\"b\",\"val"[..]].concat();
        let loaded = load(&torn[..]).unwrap();
        assert_eq!(values(&loaded), [("a", 2)]);
        assert_eq!(loaded.length, good.len() as u64);
        assert_eq!(loaded.tail, Tail::Torn { line: 2, bytes: 15 });

        let corrupt = [&torn[..], b"\n", good].concat();
        assert!(matches!(
            load::<u32>(&corrupt[..]),
            Err(Failure::Corrupt { line: 2, .. })
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
            let Err(Failure::Corrupt { line, corruption }) = load::<u32>(&long[..]) else {
                panic!("loaded")
            };
            assert_eq!(
                (line, corruption),
                (
                    2,
                    Corruption::TooLong {
                        limit: MAX_LINE_BYTES
                    }
                )
            );
        }
    }

    #[test]
    fn corruption_at_the_end_of_a_line_is_placed_there() {
        let file = b"{\"key\":\"a\",\"value\":2}\n{\"key\":\"b\"\n\n";
        let Err(Failure::Corrupt { line, corruption }) = load::<u32>(&file[..]) else {
            panic!("loaded")
        };
        assert_eq!(line, 2);
        assert!(
            corruption.to_string().ends_with("(byte 10)"),
            "{corruption}"
        );
    }

    #[test]
    fn an_erasure_that_is_not_done_is_found() {
        let file = b"{\"key\":\"a\",\"value\":2}\n{\"key\":\"a\",\"value\":null,\"erase\":true}\n";
        assert!(load::<u32>(&file[..]).unwrap().erase);
        assert!(!load::<u32>(&file[..24]).unwrap().erase);
    }

    proptest! {
        #[test]
        fn any_bytes_load_or_are_refused(file: Vec<u8>) {
            let _ = load::<serde_json::Value>(&file[..]);
        }

        #[test]
        fn nearly_good_files_load_or_are_refused(
            file in r#"(\{"key":"[ab]","value":[12n]?(ull)?\}?[\r\n ]{0,2}){0,5}"#,
        ) {
            if let Ok(loaded) = load::<u32>(file.as_bytes()) {
                let torn = if let Tail::Torn { bytes, .. } = loaded.tail { bytes } else { 0 };
                prop_assert_eq!(loaded.length + torn, file.len() as u64);
                let again = load::<u32>(&file.as_bytes()[..loaded.length as usize]).unwrap();
                prop_assert_eq!(values(&again), values(&loaded));
            }
        }
    }
}
