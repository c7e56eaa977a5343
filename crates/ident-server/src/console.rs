//! The commands of the server's terminal.

use std::fmt::Write;
use std::sync::{Arc, Weak};

use cli::Console;
use ident_server::{ClientKey, Names};
use log::info;

/// How many clients `names` lists: more than a person reads.
const MAX_LISTED: usize = 1_000;

/// `names` and `forget ADDRESS`. The console's thread may outlive the server, so it must not keep the names open.
pub(crate) fn commands(names: &Arc<Names>) -> Console {
    let (listed, changed) = (Arc::downgrade(names), Arc::downgrade(names));
    Console::new()
        .command("names", "lists the known clients", move |_| list(&listed))
        .command(
            "forget ADDRESS",
            "forgets the name of the client at this address",
            move |address| forget(&changed, address),
        )
}

fn list(names: &Weak<Names>) -> Result<String, String> {
    let names = names.upgrade().ok_or("the server is stopping")?;
    let (mut lines, mut count) = (String::new(), 0);
    names.for_each(|key, name| {
        if ClientKey::parse(key).is_none() {
            return;
        }
        count += 1;
        if count <= MAX_LISTED {
            // Writing to a string cannot fail.
            let _ = writeln!(lines, "{key:<24} {name}");
        }
    });
    if count > MAX_LISTED {
        let _ = writeln!(lines, "and {} more", count - MAX_LISTED);
    }
    let _ = write!(lines, "clients known: {count}");
    Ok(lines)
}

fn forget(names: &Weak<Names>, address: &str) -> Result<String, String> {
    let names = names.upgrade().ok_or("the server is stopping")?;
    let key = ClientKey::parse(address).ok_or("give an address as names lists it")?;
    match names.forget(&key) {
        Ok(true) => {
            info!("forgot {key}: asked on the console");
            Ok(format!("{key} is forgotten"))
        }
        Ok(false) => Err("no client is known by this address".into()),
        Err(error) => Err(error.to_string()),
    }
}
