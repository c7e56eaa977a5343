//! A network of hosts made of Linux network namespaces, for tests that need several addresses.
//!
//! ```text
//! local 10.77.1.1 ──┐
//!                switch ── 10.77.1.254 router 10.77.2.254 ── third 10.77.2.3
//! second 10.77.1.2 ─┘
//! ```
//!
//! Nothing leaves the namespaces, and the router translates no addresses.

use std::fs::{self, File};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::AsFd;
use std::panic::resume_unwind;
use std::process::{self, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Three hosts with a switch and a router between them. Dropping it removes them.
pub struct Network {
    /// A host to run servers on.
    pub local: Host,
    /// A host on the same network.
    pub second: Host,
    /// A host on another network, behind the router.
    pub third: Host,
    _switch: Host,
    _router: Host,
}

/// A host of its own only as far as the network goes: it shares files and processes with the test.
pub struct Host {
    namespace: Namespace,
    address: Ipv4Addr,
}

impl Network {
    /// Makes a network, or returns which privilege, tool or part of the system is missing.
    ///
    /// # Errors
    ///
    /// As on systems other than Linux, without root's rights, without `ip` of iproute2.
    ///
    /// # Panics
    ///
    /// When all of that is there, but the setup fails all the same.
    pub fn make() -> Result<Self, String> {
        let host = |name, last: [u8; 2]| {
            let namespace = Namespace::make(name)?;
            let address = Ipv4Addr::new(10, 77, last[0], last[1]);
            Ok::<_, String>(Host { namespace, address })
        };
        let network = Self {
            local: host("local", [1, 1])?,
            second: host("second", [1, 2])?,
            third: host("third", [2, 3])?,
            _switch: host("switch", [0, 0])?,
            _router: host("router", [1, 254])?,
        };
        let Self {
            local,
            second,
            third,
            _switch: switch,
            _router: router,
        } = &network;
        switch.namespace.try_ip("link add bridge type bridge")?;
        switch.namespace.cable("port1", &local.namespace, "eth0")?;
        switch.namespace.cable("port2", &second.namespace, "eth0")?;
        switch.namespace.cable("port3", &router.namespace, "eth0")?;
        router.namespace.cable("eth1", &third.namespace, "eth0")?;

        for port in ["port1", "port2", "port3"] {
            switch
                .namespace
                .ip(&format!("link set {port} master bridge up"));
        }
        switch.namespace.ip("link set bridge up");
        for host in [local, second, third, router] {
            host.namespace.ip("link set lo up");
            host.namespace
                .ip(&format!("address add {}/24 dev eth0", host.address));
            host.namespace.ip("link set eth0 up");
        }
        router.namespace.ip("address add 10.77.2.254/24 dev eth1");
        router.namespace.ip("link set eth1 up");
        local.namespace.ip("route add default via 10.77.1.254");
        third.namespace.ip("route add default via 10.77.2.254");
        let forward = || fs::write("/proc/sys/net/ipv4/ip_forward", "1");
        router.enter(forward).expect("a router may forward");
        Ok(network)
    }
}

impl Host {
    /// The address by which the other hosts reach it.
    pub fn address(&self) -> IpAddr {
        self.address.into()
    }

    /// Runs `work` on this host: its connections and the programs it starts use this host's network.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            let thread = scope.spawn(|| {
                self.namespace
                    .move_in()
                    .expect("an existing namespace can be entered");
                work()
            });
            thread.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }
}

/// A named network namespace.
struct Namespace(String);

impl Namespace {
    fn make(name: &str) -> Result<Self, String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let namespace = Self(format!("socket-lab-{}-{count}-{name}", process::id()));
        ip(&["netns", "add", &namespace.0])?;
        Ok(namespace)
    }

    /// Moves the calling thread, and no other, to this namespace.
    fn move_in(&self) -> io::Result<()> {
        let namespace = File::open(format!("/run/netns/{}", self.0))?;
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
        Ok(())
    }

    /// Creates a pair of connected interfaces, one in this namespace and one in `other`.
    fn cable(&self, port: &str, other: &Self, other_port: &str) -> Result<(), String> {
        let other = &other.0;
        self.try_ip(&format!(
            "link add {port} type veth peer name {other_port} netns {other}"
        ))
    }

    fn ip(&self, command: &str) {
        if let Err(error) = self.try_ip(command) {
            panic!("{error}");
        }
    }

    fn try_ip(&self, command: &str) -> Result<(), String> {
        let arguments: Vec<_> = ["-n", &self.0]
            .into_iter()
            .chain(command.split(' '))
            .collect();
        ip(&arguments)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // This removes its interfaces and their peers, too. It fails if the namespace was never made.
        let _ = ip(&["netns", "delete", &self.0]);
    }
}

fn ip(arguments: &[&str]) -> Result<(), String> {
    let command = format!("ip {}", arguments.join(" "));
    let output = Command::new("ip").args(arguments).output();
    let output = output.map_err(|error| format!("cannot run {command}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command}: {}", words.trim()))
}
