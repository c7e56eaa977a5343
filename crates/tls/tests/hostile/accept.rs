//! What a server makes of the first bytes of a connection.

use std::io::{self, Read, Write};
use std::sync::OnceLock;

use tls::{MaybeTls, ServerTls};
use trust::TlsIdentity;

/// A client that sends these bytes, then ends, and ignores what it gets.
struct Script<'a>(&'a [u8]);

impl Read for Script<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.0.read(room)
    }
}

impl Write for Script<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn server() -> &'static ServerTls {
    static SERVER: OnceLock<ServerTls> = OnceLock::new();
    SERVER.get_or_init(|| {
        let path =
            std::env::temp_dir().join(format!("tls-hostile-{}.identity", std::process::id()));
        let identity =
            TlsIdentity::load_or_create(&path).expect("the temporary folder can be written");
        let _ = std::fs::remove_file(&path);
        let _ = std::fs::remove_file(path.with_extension("identity.lock"));
        ServerTls::new(&identity).expect("a new identity can be used")
    })
}

/// The first byte alone decides between TLS and plaintext, plaintext arrives whole, and no bytes are a handshake: its
/// end depends on what the server sends.
pub fn check(bytes: &[u8]) {
    match server().accept_either(Script(bytes), |_, _| Ok(())) {
        Ok(None) => assert!(bytes.is_empty()),
        Ok(Some(MaybeTls::Plaintext(mut stream))) => {
            assert!(!tls::is_tls_handshake(bytes[0]));
            let mut received = vec![];
            stream
                .read_to_end(&mut received)
                .expect("reading a slice cannot fail");
            assert!(received == bytes);
        }
        Ok(Some(MaybeTls::Tls(_))) => {
            panic!("a handshake was completed by bytes that were there before")
        }
        Err(_) => assert!(tls::is_tls_handshake(bytes[0])),
    }
}
