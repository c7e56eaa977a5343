//! Echo over TLS: the same conversations over another stream.

use ::tls::{ServerTls, TlsError, TlsStream};
use proto::FramedStream;
use tcp_server::{BoxError, Client, EndReason, Service};

use crate::{Echo, echo_bytes, echo_messages};

/// The echo service, for clients that speak TLS.
#[derive(Clone, Debug)]
pub struct TlsEcho {
    echo: Echo,
    tls: ServerTls,
}

impl TlsEcho {
    /// Echo in one of its modes, with the server's key.
    #[must_use]
    pub fn new(echo: Echo, tls: ServerTls) -> Self {
        Self { echo, tls }
    }

    fn accept<'a>(&self, client: &'a mut Client) -> Result<TlsStream<&'a mut Client>, TlsError> {
        self.tls
            .accept(client, |client, timeout| client.set_read_timeout(timeout))
    }
}

impl Service for TlsEcho {
    fn serve(&self, client: &mut Client) -> Result<EndReason, BoxError> {
        let (end, mut stream) = match self.echo {
            Echo::Framed { max_message } => {
                let reporter = client.reporter();
                let mut stream = self.accept(client)?;
                let mut frames = FramedStream::with_observer(&mut stream, reporter);
                let end = echo_messages(&mut frames, max_message);
                // Sends what is buffered.
                drop(frames);
                (end, stream)
            }
            // The client reports what passes the socket: TLS records.
            Echo::Raw { portion } => {
                let mut stream = self.accept(client)?;
                (echo_bytes(&mut stream, portion), stream)
            }
        };
        // A client that is gone needs no goodbye.
        let _ = stream.close();
        end
    }
}
