//! The two halves of a TLS stream, for two threads. Neither waits for the other: the socket is read and written while
//! the connection is not locked.

use std::io::{self, IoSlice, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use rustls::Connection;

use crate::ciphertext::{self, Ciphertext};
use crate::stream::TlsStream;

/// What both halves use.
///
/// Records must reach the socket in the order of their encryption. So `output` is locked from the encryption until all
/// is written, and `connection` only for the encryption. A thread that needs both locks `output` first.
#[derive(Debug)]
struct Shared {
    socket: Arc<TcpStream>,
    connection: Mutex<Connection>,
    /// Records on their way to the socket.
    output: Mutex<Vec<u8>>,
}

/// The half that reads.
#[derive(Debug)]
pub struct TlsReadHalf {
    shared: Arc<Shared>,
    ciphertext: Ciphertext,
}

/// The half that writes.
#[derive(Clone, Debug)]
pub struct TlsWriteHalf {
    shared: Arc<Shared>,
}

impl TlsStream<TcpStream> {
    /// Splits the stream into a half that reads and a half that writes. Shutting the socket down wakes both.
    #[must_use]
    pub fn split(self) -> (TlsReadHalf, TlsWriteHalf) {
        let (socket, connection, ciphertext) = self.into_parts();
        let shared = Arc::new(Shared {
            socket: Arc::new(socket),
            connection: Mutex::new(connection),
            output: Mutex::default(),
        });
        let write_half = TlsWriteHalf {
            shared: Arc::clone(&shared),
        };
        (TlsReadHalf { shared, ciphertext }, write_half)
    }
}

impl Shared {
    /// Lets `encrypt` add records, and sends them.
    fn send<T>(
        &self,
        output: &mut Vec<u8>,
        encrypt: impl FnOnce(&mut Connection) -> io::Result<T>,
    ) -> io::Result<T> {
        output.clear();
        let done = {
            let mut connection = lock(&self.connection);
            let done = encrypt(&mut connection)?;
            while connection.wants_write() {
                connection.write_tls(output)?;
            }
            done
        };
        (&*self.socket).write_all(output)?;
        Ok(done)
    }

    fn write_vectored(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut output = lock(&self.output);
        self.send(&mut output, |connection| {
            connection.writer().write_vectored(parts)
        })
    }

    /// Sends what the connection itself has to say (an alert, a new key), unless the other half is sending: then it
    /// goes out with the other half's next record. Waiting here could be a wait for a peer that waits for this half to
    /// read.
    fn send_own_records(&self) {
        let output = match self.output.try_lock() {
            Ok(output) => Some(output),
            Err(TryLockError::Poisoned(error)) => Some(error.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        };
        if let Some(mut output) = output {
            // If the socket is broken, reading says so.
            let _ = self.send(&mut output, |_| Ok(()));
        }
    }
}

impl TlsReadHalf {
    /// The socket, to shut it down.
    #[must_use]
    pub fn socket(&self) -> &Arc<TcpStream> {
        &self.shared.socket
    }
}

impl Read for TlsReadHalf {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if room.is_empty() {
            return Ok(0);
        }
        let mut is_at_end = false;
        loop {
            let (taken, has_own_records) = {
                let mut connection = lock(&self.shared.connection);
                let mut taken = ciphertext::take_plaintext(&mut connection, room);
                if matches!(taken, Ok(None)) {
                    let decrypted = match is_at_end {
                        true => ciphertext::end(&mut connection),
                        false => self.ciphertext.decrypt(&mut connection),
                    };
                    taken =
                        decrypted.and_then(|()| ciphertext::take_plaintext(&mut connection, room));
                }
                (taken, connection.wants_write())
            };
            if has_own_records {
                self.shared.send_own_records();
            }
            if let Some(count) = taken? {
                return Ok(count);
            }
            if self.ciphertext.is_empty() {
                is_at_end = self.ciphertext.fill(&mut &*self.shared.socket)? == 0;
            }
        }
    }
}

/// For code that needs a stream of both directions.
impl Write for TlsReadHalf {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.shared.write_vectored(&[IoSlice::new(bytes)])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TlsWriteHalf {
    /// The socket, to shut it down.
    #[must_use]
    pub fn socket(&self) -> &Arc<TcpStream> {
        &self.shared.socket
    }

    /// Says to the peer that nothing more comes. Reading may go on.
    ///
    /// # Errors
    ///
    /// When the socket cannot be written.
    pub fn close(&mut self) -> io::Result<()> {
        let mut output = lock(&self.shared.output);
        self.shared.send(&mut output, |connection| {
            connection.send_close_notify();
            Ok(())
        })
    }
}

impl Write for TlsWriteHalf {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.shared.write_vectored(parts)
    }

    /// Nothing is held back.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A panic in the other thread leaves the connection usable: it is locked only around calls that finish their work.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
