//! `auth-server user`: lists and changes users while no server has the files open.

use std::io::{BufRead, IsTerminal, Write, stderr, stdin, stdout};

use anyhow::{anyhow, bail};
use auth_server::{AdminError, Auth};
use cli::{StdoutError, TextInput, UsageError, exit_on_stop};
use dialogue::read_line;
use line_editor::Terminal;
use proto::Secret;

use crate::flags::{Flags, UserCommand};

/// Runs a command.
pub fn run(flags: &Flags, command: &UserCommand) -> anyhow::Result<()> {
    // A file that is not there was named wrongly, and is not created.
    if !flags.data_file.exists() {
        let path = flags.data_file.display();
        bail!("there is no {path}; give the server's --data-file");
    }
    let auth = flags.open(flags.policy()?)?;
    match command {
        UserCommand::List => list(&auth),
        UserCommand::Passwd {
            name,
            password_stdin,
        } => set_password(&auth, name, *password_stdin),
        UserCommand::Remove { name } => {
            let name = auth.remove_user(name).map_err(explain)?;
            note(&format!("removed {name}"));
            Ok(())
        }
    }
}

/// Prints the names, one a line.
fn list(auth: &Auth) -> anyhow::Result<()> {
    let names = auth.user_names().into_iter();
    let lines: String = names.map(|name| format!("{name}\n")).collect();
    print(&lines)
}

fn set_password(auth: &Auth, name: &str, from_stdin: bool) -> anyhow::Result<()> {
    if from_stdin {
        let name = auth.set_password(name, &chosen_password()?);
        note(&format!(
            "changed the password of {}",
            name.map_err(explain)?
        ));
        return Ok(());
    }
    let password = auth.generate_password().map_err(explain)?;
    let name = auth.set_password(name, &password).map_err(explain)?;
    note(&format!("the new password of {name}:"));
    // Also a closed pipe is a failure here: the only copy of the password went into it.
    print(&format!("{}\n", password.expose())).map_err(|error| {
        anyhow!("{error}; the password of {name} is changed, and nobody knows the new one: run this command again")
    })
}

/// The first line of stdin, or what is typed twice at a terminal, which does not show it.
fn chosen_password() -> anyhow::Result<Secret> {
    if !stdin().is_terminal() {
        return read_password(&mut TextInput::stdin());
    }
    let terminal = Terminal::default();
    exit_on_stop({
        let terminal = terminal.clone();
        move || terminal.break_off()
    })?;
    let session = terminal.start()?.ok_or_else(|| {
        let problem = "--password-stdin cannot ask at this terminal without showing the password";
        UsageError(format!(
            "{problem}; leave stderr there too, or give a file or a pipe"
        ))
    })?;
    let ask = |prompt| {
        let _hidden = terminal.ask_hidden(prompt)?;
        read_password(&mut terminal.lines())
    };
    let password = ask("New password: ")?;
    let is_same = ask("Once more: ")?.expose() == password.expose();
    drop(session);
    match is_same {
        true => Ok(password),
        false => bail!("the two differ; nothing was changed"),
    }
}

fn read_password(input: &mut impl BufRead) -> anyhow::Result<Secret> {
    let line = read_line(input)?;
    let line = line.ok_or_else(|| anyhow!("stdin has no line with a password"))?;
    let password = line.map_err(|_| anyhow!("the line on stdin cannot be a password"))?;
    Ok(Secret::new(password))
}

fn explain(error: AdminError) -> anyhow::Error {
    match error {
        AdminError::BadName(error) => UsageError(format!("NAME cannot be a name: {error}")).into(),
        AdminError::NoSuchUser(_) => anyhow!("{error}; auth-server user list names all"),
        error => error.into(),
    }
}

fn print(text: &str) -> anyhow::Result<()> {
    stdout().write_all(text.as_bytes()).map_err(StdoutError)?;
    Ok(())
}

/// Says on stderr what was done. A closed stderr is no failure, since the change is already made.
fn note(text: &str) {
    let _ = writeln!(stderr(), "{text}");
}
