//! A running server that speaks JSON in frames.

use std::net::SocketAddr;

use testbed::{Folder, LogFile, Program, Running};

use crate::dialogue_client::Client;

pub struct Server {
    pub running: Running,
    pub address: SocketAddr,
}

impl Server {
    pub fn run(program: &Program) -> Self {
        let running = program.spawn();
        let address = running.await_address();
        Self { running, address }
    }

    pub fn folder(&self) -> &Folder {
        self.running.folder()
    }

    pub fn log(&self) -> LogFile {
        self.running.log()
    }

    /// A client at this address, which has received nothing yet.
    pub fn connect_from(&self, address: &str) -> Client {
        Client::connect(self.address, address)
    }

    /// Ends it as its owner does. Its files stay.
    pub fn stop(self) -> Folder {
        let folder = self.folder().clone();
        self.running.terminate();
        self.running.wait().expect_success();
        folder
    }
}
